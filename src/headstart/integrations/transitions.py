"""A stand-alone hindsight buffer of single transitions: arrays in, torch tensors out."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

FloatArray = NDArray[np.float32]
Sample = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


class HindsightExperienceReplay:
    """Stores every transition twice: with its own goal, and with what it achieved as the goal.

    Args:
        state_dim: width of a state.
        action_dim: width of an action.
        buffer_size: how many transitions fit, hindsight copies included; the oldest go first.
        batch_size: how many ``sample`` returns.
        goal_sampling_strategy: maps the sampled goals, a ``(batch_size, goal_dim)`` tensor, to the
            goals to return, real ones and hindsight ones alike.
        goal_dim: width of a goal; that of a state by default.
        achieved_goal: maps a next state to the goal that it fulfils; by default the state itself.
        compute_reward: ``(achieved_goals, goals) -> rewards`` for batches. Without it a hindsight
            copy keeps the reward of the original goal, and goals changed by the strategy keep
            theirs: the buffer then holds states and goals truly, and rewards only as they were.
        seed: of the sampling; drawn from the operating system by default.

    Raises:
        ValueError: if a size is not positive.
    """

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        buffer_size: int,
        batch_size: int,
        goal_sampling_strategy: Callable[[Tensor], Tensor],
        *,
        goal_dim: int | None = None,
        achieved_goal: Callable[[FloatArray], ArrayLike] | None = None,
        compute_reward: Callable[[FloatArray, FloatArray], ArrayLike] | None = None,
        seed: int | None = None,
    ) -> None:
        goal_dim = state_dim if goal_dim is None else goal_dim
        for name, size in (
            ("state_dim", state_dim),
            ("action_dim", action_dim),
            ("goal_dim", goal_dim),
            ("buffer_size", buffer_size),
            ("batch_size", batch_size),
        ):
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        self.buffer_size = buffer_size
        self.batch_size = batch_size
        self.goal_sampling_strategy = goal_sampling_strategy
        self._achieved_goal = achieved_goal or (lambda state: state)
        self._compute_reward = compute_reward
        self._rng = np.random.default_rng(seed)
        self._size = 0
        self._next = 0
        self._states = np.zeros((buffer_size, state_dim), np.float32)
        self._actions = np.zeros((buffer_size, action_dim), np.float32)
        self._rewards = np.zeros((buffer_size, 1), np.float32)
        self._next_states = np.zeros((buffer_size, state_dim), np.float32)
        self._dones = np.zeros((buffer_size, 1), np.float32)
        self._goals = np.zeros((buffer_size, goal_dim), np.float32)
        self._achieved_goals = np.zeros((buffer_size, goal_dim), np.float32)

    def __len__(self) -> int:
        """Return how many transitions are stored, hindsight copies included."""
        return self._size

    def store_transition(
        self,
        state: ArrayLike,
        action: ArrayLike,
        reward: float,
        next_state: ArrayLike,
        done: bool,
        goal: ArrayLike,
    ) -> None:
        """Store a transition, and its copy whose goal is what it achieved.

        Raises:
            ValueError: if a vector has the wrong width or is not finite; nothing is stored then.
        """
        ended = bool(done)
        columns = {
            "state": (state, self._states),
            "action": (action, self._actions),
            "next_state": (next_state, self._next_states),
            "goal": (goal, self._goals),
        }
        row = {name: _vector(name, value, like) for name, (value, like) in columns.items()}
        achieved = self._achieved_goal(row["next_state"])
        row["achieved"] = _vector("achieved_goal(next_state)", achieved, self._goals)
        row["reward"] = _vector("reward", [reward], self._rewards)
        # Before anything is written: a reward that fails must not leave half of a transition.
        hindsight_reward = self._reward_at(row["achieved"], row["achieved"], row["reward"])
        self._write(row, row["goal"], row["reward"], done=ended)
        self._write(row, row["achieved"], hindsight_reward, done=ended)

    def sample(self) -> Sample | None:
        """Draw ``batch_size`` transitions with replacement, or ``None`` while there are fewer.

        Returns:
            ``(states, actions, rewards, next_states, dones, goals)``, float32 tensors of shapes
            ``(B, state_dim)``, ``(B, action_dim)``, ``(B, 1)``, ``(B, state_dim)``, ``(B, 1)``,
            ``(B, goal_dim)``. With ``compute_reward``, rewards belong to the goals returned.

        Raises:
            ValueError: if the strategy returns goals of another shape.
        """
        if self._size < self.batch_size:
            return None
        rows = self._rng.integers(0, self._size, self.batch_size)
        stored = torch.from_numpy(self._goals[rows])
        goals = torch.as_tensor(self.goal_sampling_strategy(stored.clone()), dtype=torch.float32)
        if goals.shape != stored.shape or not bool(goals.isfinite().all()):
            raise ValueError(
                f"goal_sampling_strategy returned shape {tuple(goals.shape)} "
                f"for goals of shape {tuple(stored.shape)}, or a number that is not finite"
            )
        rewards = self._rewards[rows]
        if self._compute_reward is not None and not torch.equal(goals, stored):
            new_goals = goals.detach().numpy()
            rewards = _rewards(self._compute_reward(self._achieved_goals[rows], new_goals), rewards)
        states, actions, next_states, dones = (
            torch.from_numpy(column[rows])
            for column in (self._states, self._actions, self._next_states, self._dones)
        )
        return states, actions, torch.from_numpy(rewards), next_states, dones, goals

    def _reward_at(self, achieved: FloatArray, goal: FloatArray, reward: FloatArray) -> FloatArray:
        if self._compute_reward is None:
            return reward
        computed = self._compute_reward(achieved[None], goal[None])
        return _rewards(computed, reward[None]).reshape(reward.shape)

    def _write(
        self, row: dict[str, FloatArray], goal: FloatArray, reward: FloatArray, *, done: bool
    ) -> None:
        at = self._next
        self._states[at] = row["state"]
        self._actions[at] = row["action"]
        self._rewards[at] = reward
        self._next_states[at] = row["next_state"]
        self._dones[at] = done
        self._goals[at] = goal
        self._achieved_goals[at] = row["achieved"]
        self._next = (at + 1) % self.buffer_size
        self._size = min(self._size + 1, self.buffer_size)


def _vector(name: str, value: ArrayLike, like: FloatArray) -> FloatArray:
    vector = np.asarray(value, np.float32)
    if vector.shape != like.shape[1:]:
        raise ValueError(f"{name} has shape {vector.shape}, expected {like.shape[1:]}")
    if not np.isfinite(vector).all():
        raise ValueError(f"{name} holds NaN or infinity")
    return vector


def _rewards(computed: ArrayLike, like: FloatArray) -> FloatArray:
    rewards = np.asarray(computed, np.float32)
    if rewards.size != len(like):
        raise ValueError(f"compute_reward returned {rewards.size} rewards for {len(like)} rows")
    if not np.isfinite(rewards).all():
        raise ValueError("compute_reward returned NaN or infinity")
    return rewards.reshape(like.shape)
