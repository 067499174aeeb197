"""A replay buffer for Stable-Baselines3: hindsight, and a fixed share of demonstrations."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray

from headstart.data.episode import Episode
from headstart.data.hindsight import Relabelling, Sampler
from headstart.data.mixture import MixedSampler
from headstart.data.replay import EpisodeReplay
from headstart.data.strategies import GoalStrategy, future
from headstart.demos.reading import Demos, read_demos
from headstart.envs.episode_check import EpisodeCheck
from headstart.envs.goal_env import GoalReward, success_key
from headstart.envs.interface import GOAL_KEYS
from headstart.envs.make import make_bare
from headstart.errors import InputError, require
from headstart.seeding import generator

try:
    from stable_baselines3 import HerReplayBuffer
    from stable_baselines3.common.buffers import BaseBuffer
    from stable_baselines3.common.type_aliases import DictReplayBufferSamples
    from stable_baselines3.common.vec_env import VecEnv, VecNormalize
except ModuleNotFoundError as error:
    raise ImportError(
        "headstart.integrations.sb3 needs Stable-Baselines3: run `pip install -e '.[sb3]'`"
    ) from error

FloatArray = NDArray[np.float32]
Observations = dict[str, NDArray[Any]]
_REMEDY = "give the wrapped environment an id of its own with gymnasium.register"
State = tuple[FloatArray, ...]  # observation, achieved_goal, desired_goal


class _Step(NamedTuple):
    """What one env did in one step."""

    before: State
    action: FloatArray
    after: State
    reward: float
    reward_info: list[float]
    is_success: bool | None
    """What info says, if it says so."""


# A subclass, because SB3 hands the training env to subclasses of its own HER buffer alone. Nothing
# of that buffer's storage and sampling is used.
class DemoHerReplayBuffer(HerReplayBuffer):
    """Hindsight Experience Replay with demonstrations, for SB3's ``replay_buffer_class``.

    Rewards are computed in this process, by an environment built again from the id and arguments
    of the training env.

    Args:
        buffer_size: how many states of own experience fit, all envs and final states included.
        observation_space, action_space, env, device, n_envs: given by SB3.
        optimize_memory_usage: given by SB3; must be off, and no state is stored twice anyway.
        demos: one or several files of what ``headstart demos import`` reads, or what ``load_demos``
            and ``collect_demos`` return.
        demo_fraction: share of demonstrated rows in every batch, in ``[0, 1)``; without ``demos``
            it does nothing.
        relabel_fraction: probability of a substitute goal, row by row, demonstrated rows included;
            0.8 is "k = 4", SB3's ``n_sampled_goal=4``.
        strategy: where substitute goals come from; see ``headstart.data.strategies``.

    Raises:
        ValueError: if environment, demonstrations and arguments do not go together.
    """

    _learned: tuple[bool | None, tuple[float, float]]
    """Of a saved buffer: what ends an episode, and the range of rewards."""

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Dict,
        action_space: spaces.Space[Any],
        env: VecEnv,
        device: torch.device | str = "auto",
        n_envs: int = 1,
        optimize_memory_usage: bool = False,
        *,
        demos: Demos | None = None,
        demo_fraction: float = 0.5,
        relabel_fraction: float = 0.8,
        strategy: GoalStrategy = future,
    ) -> None:
        require(not optimize_memory_usage, "optimize_memory_usage must be False", True)
        require(0.0 <= demo_fraction < 1.0, "demo_fraction must lie in [0, 1)", demo_fraction)
        rule = "strategy must be a function, such as headstart.data.strategies.future"
        require(callable(strategy), rule, strategy)
        self._reward = _reward_of(env, observation_space, action_space)
        self._spec = spec = self._reward.spec
        steps = spec.max_episode_steps
        require(buffer_size > steps, f"buffer_size must exceed the episode's {steps}", buffer_size)
        BaseBuffer.__init__(self, buffer_size, observation_space, action_space, device, n_envs)
        self.handle_timeout_termination = True
        self.env = env
        self.demo_fraction = demo_fraction
        self.relabel_fraction = relabel_fraction
        self.strategy = strategy
        self._check = EpisodeCheck(self._reward, remedy=_REMEDY)
        shown = () if demos is None else _demonstrations(demos, self._reward)
        self._demos = tuple(self._check(episode, is_demo=True) for episode in shown)
        # SB3 has seeded torch by now, so the model's seed decides what is drawn here too.
        self._rng = generator(int(torch.randint(2**62, ()).item()), "replay")
        self.reset()

    def reset(self) -> None:
        """Forget all experience; demonstrations stay."""
        super().reset()
        self._running = [list[_Step]() for _ in range(self.n_envs)]
        self._replay = EpisodeReplay(
            self.buffer_size,
            observation_dim=self._spec.observation_dim,
            goal_dim=self._spec.goal_dim,
            action_dim=self._spec.action_dim,
            info_dim=len(self._spec.reward_info_keys),
        )
        self._make_samplers()

    def size(self) -> int:
        """Return how many transitions of own experience can be sampled, over all envs."""
        return self._replay.num_transitions

    def add(  # type: ignore[override]  # SB3's own does not keep its supertype's contract either.
        self,
        obs: Observations,
        next_obs: Observations,
        action: NDArray[Any],
        reward: NDArray[Any],
        done: NDArray[Any],
        infos: list[dict[str, Any]],
    ) -> None:
        """Take one step of every env; an episode can be sampled from once it has ended.

        Raises:
            InputError: if an episode is not finite, its goal moved on the way, or its rewards are
                not those of ``compute_reward``.
        """
        for index, info in enumerate(infos):
            before, steps = _state(obs, index), self._running[index]
            if steps and not all(map(np.array_equal, steps[-1].after, before)):
                # The env was reset on the way, as every new call of learn() does.
                self._end(index)
            read = [float(info[name]) for name in self._spec.reward_info_keys]
            taken, after = np.array(action[index], np.float32), _state(next_obs, index)
            key = success_key(info)
            success = None if key is None else bool(np.all(info[key]))
            step = _Step(before, taken, after, float(reward[index]), read, success)
            self._running[index].append(step)
            if done[index]:
                self._end(index, terminated=not info.get("TimeLimit.truncated", False))

    def sample(  # type: ignore[override]
        self, batch_size: int, env: VecNormalize | None = None
    ) -> DictReplayBufferSamples:
        """Return transitions, normalised by ``env``; only demonstrations until an episode ended.

        Raises:
            RuntimeError: if there are neither demonstrations nor a finished episode.
        """
        batch = self._sampler().sample(batch_size)
        goal = batch.desired_goal
        before = (batch.observation, batch.achieved_goal, goal)
        after = (batch.next_observation, batch.next_achieved_goal, goal)
        return DictReplayBufferSamples(
            observations=self._tensors(before, env),
            actions=self.to_torch(batch.action),
            next_observations=self._tensors(after, env),
            dones=self.to_torch(batch.terminated[:, None]),
            rewards=self.to_torch(self._normalize_reward(batch.reward[:, None], env)),
        )

    def truncate_last_trajectory(self) -> None:
        """End the episodes that are under way, without termination."""
        for index in range(self.n_envs):
            self._end(index)

    def set_env(self, env: VecEnv) -> None:
        """Connect a loaded buffer to its environment.

        Raises:
            ValueError: if it is connected already, or this is another environment.
        """
        reward = _reward_of(env, self.observation_space, self.action_space)
        super().set_env(env)
        self._reward, self._check = reward, EpisodeCheck(reward, remedy=_REMEDY)
        # After the check, to which what episodes have shown is not what was declared.
        reward.terminates, reward.reward_range = self._learned
        self._make_samplers()

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state["_learned"] = self._reward.terminates, self._reward.reward_range
        for name in ("_reward", "_check", "_online", "_mixed"):
            del state[name]
        return state

    def _end(self, index: int, *, terminated: bool = False) -> None:
        """Store what one env has run since its last reset, if it has run."""
        steps, self._running[index] = self._running[index], []
        if not steps:
            return
        try:
            episode = self._check(_episode(steps, self._reward, terminated=terminated))
            expected = self.size() + len(episode)
            self._replay.add(episode)
        except InputError:  # It names the environment.
            raise
        except ValueError as error:
            raise InputError(f"{self._spec.env_id}: {error}") from error
        self.pos = self.size()
        self.full = self.full or self.pos < expected

    def _make_samplers(self) -> None:
        relabelling = Relabelling(self._reward, self.relabel_fraction, self.strategy)
        self._online = relabelling.sampler(self._replay, self._rng)
        self._mixed: MixedSampler | None = None
        if self._demos and self.demo_fraction > 0.0:
            shown = EpisodeReplay.from_episodes(self._demos)
            self._mixed = MixedSampler(
                online=self._online,
                demos=relabelling.sampler(shown, self._rng),
                demo_fraction=self.demo_fraction,
            )

    def _sampler(self) -> Sampler:
        if self.size() > 0:
            return self._mixed or self._online
        if self._mixed is not None:
            return self._mixed.demos
        steps = self.n_envs * self._spec.max_episode_steps
        raise RuntimeError(
            f"no episode has ended yet: set learning_starts to {steps} or more, or give demos"
        )

    def _tensors(self, state: State, env: VecNormalize | None) -> dict[str, torch.Tensor]:
        arrays = self._normalize_obs(dict(zip(GOAL_KEYS, state, strict=True)), env)
        assert isinstance(arrays, dict)
        return {key: self.to_torch(array) for key, array in arrays.items()}


def _episode(steps: Sequence[_Step], reward: GoalReward, *, terminated: bool) -> Episode:
    """Return steps that follow one another as an episode."""
    states = [steps[0].before, *(step.after for step in steps)]
    observations, achieved_goals, desired_goals = map(np.stack, zip(*states, strict=True))
    ends = np.zeros(len(steps), bool)
    ends[-1] = terminated
    rewards = np.array([step.reward for step in steps], np.float32)
    known = [step.is_success is not None for step in steps]
    said = [bool(step.is_success) for step in steps]
    return Episode(
        observations=observations,
        achieved_goals=achieved_goals,
        desired_goals=desired_goals[:-1],
        actions=np.stack([step.action for step in steps]),
        terminated=ends,
        is_success=np.where(known, said, reward.is_best(rewards)).astype(bool),
        reward_infos=np.array([step.reward_info for step in steps], np.float32),
        rewards=rewards,
    )


def _state(observations: Observations, index: int) -> State:
    return tuple(np.array(observations[key][index], np.float32) for key in GOAL_KEYS)


def _demonstrations(demos: Demos, reward: GoalReward) -> tuple[Episode, ...]:
    """Return demonstrations that fit, their actions on the scale of SB3's replay buffers."""
    spec, found = reward.spec, read_demos(demos, reward.spec, reward)
    require(len(found.episodes) > 0, "demos must hold at least one episode", 0)
    low, high = np.array([spec.action_low, spec.action_high], np.float32)
    return tuple(
        # As BasePolicy.scale_action does with the actions that SB3 takes itself.
        replace(episode, actions=2.0 * (episode.actions - low) / (high - low) - 1.0)
        for episode in found.episodes
    )


def _reward_of(
    env: VecEnv, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]
) -> GoalReward:
    """Build the training env again, without wrappers, and return its reward.

    Raises:
        InputError: if it is not a goal environment, or the spaces are not its own.
    """
    spec = env.get_attr("spec", indices=[0])[0]
    if spec is None:
        raise InputError(
            "the training environment has no spec: give it an id with gymnasium.register and "
            "build it with gymnasium.make"
        )
    own = make_bare(spec)
    if observation_space != own.observation_space or action_space != own.action_space:
        raise InputError(
            f"{spec.id}: a wrapper changes the observations or actions of the training "
            f"environment; give the wrapped one an id of its own with gymnasium.register"
        )
    keys = sorted(own.observation_space)  # type: ignore[call-overload]
    rule = f"{spec.id}: observations must have the keys {', '.join(GOAL_KEYS)} and no other"
    require(keys == sorted(GOAL_KEYS), rule, keys)
    return GoalReward(own)
