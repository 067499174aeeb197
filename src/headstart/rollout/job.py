"""An episode as a pure function of its job."""

import contextlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from headstart.data.episode import Episode
from headstart.envs.interface import all_finite, env_name, reset_env
from headstart.envs.snapshot import require_restorable, restorable
from headstart.errors import EpisodeError, InputError, RunError
from headstart.rollout.exploration import GREEDY, Exploration
from headstart.rollout.steps import EpisodeSteps, Observation
from headstart.rollout.task_source import EpisodeTask
from headstart.seeding import generator, integer_seed


def policy_name(policy: object) -> str:
    """Return what a message calls a policy or a demonstrator."""
    return str(getattr(policy, "__name__", type(policy).__name__))


class blaming_policy:  # noqa: N801 - A function to its callers; a generator costs a step dear.
    """Give an exception that the policy raises the policy's name, as its attribute ``policy``."""

    def __init__(self, policy: object) -> None:
        self._policy = policy

    def __enter__(self) -> None:
        """Do nothing yet."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Name the policy."""
        if isinstance(error, Exception | SystemExit):
            with contextlib.suppress(AttributeError):
                error.policy = policy_name(self._policy)  # type: ignore[union-attr]


@runtime_checkable
class Branching(Protocol):
    """A behaviour that looks at where its actions have led.

    What is gone back from is not part of the episode, whose ``discarded_steps`` counts it.
    """

    def review(
        self,
        observation: Mapping[str, NDArray[Any]],
        *,
        is_success: bool,
        num_steps: int,
        finished: bool,
    ) -> int | None:
        """Return how many of the steps so far to keep; ``None`` ends the episode with all of them.

        Args:
            observation: what is observed after the last step.
            is_success: whether the goal is fulfilled there.
            num_steps: how many steps there are.
            finished: whether the env ends the episode here; to keep fewer steps continues it.

        Fewer than ``num_steps`` go back to the state after as many, where the env restores states.
        """


Behaviour = Callable[[Observation], NDArray[Any]]
"""A policy or a scripted expert: an observation dict in, an action in the env's units out.

Each episode is run by a copy, so that none depends on another. An optional method ``reset()``, or
``reset(seed=...)``, is called on it when an episode begins.
"""


@dataclass(frozen=True, eq=False)
class Constant:
    """The policy that always takes one action; the zero action is the floor to beat."""

    action: NDArray[np.float32]

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Return the action, whatever is observed."""
        return self.action


ROLLOUT = "rollout"
"""The stream of the training episodes."""
EVALUATION = "evaluation"
"""The stream of episodes that reported numbers are of; no run learns from them or chooses by them.
"""
VALIDATION = "validation"
"""The stream of the evaluations during a run, which choose its best policy."""

_BLAS = ThreadpoolController()


@dataclass(frozen=True)
class EpisodeJob:
    """All that an episode depends on: it is the same wherever it is run."""

    policy: Behaviour
    seed: int
    """The run's seed."""
    stream: str
    """What the episode is for, e.g. "rollout"; episodes of two streams never share a draw."""
    index: int
    """Number of the episode within its stream."""
    exploration: Exploration = GREEDY
    reward_info_keys: tuple[str, ...] = ()
    """What of each step's ``info`` the episode keeps, because the reward reads it."""
    task: EpisodeTask = field(default_factory=EpisodeTask)
    """What the episode is; what the env's own reset draws by default."""
    snapshots: bool = False
    """Whether the episode keeps the simulator's state at every step, where there is one to keep."""
    record_intended: bool = False
    """Whether the episode keeps the actions that the policy wanted, not those with exploration
    that were executed: how to recover is then part of a demonstration."""

    @property
    def env_seed(self) -> int:
        """The seed of ``env.reset``, in ``[0, 2**32)``.

        It is a multiple of 4 in evaluation, 2 more than one in validation, and odd elsewhere: no
        seed serves two of learning, choosing and testing, whatever the runs' own seeds are.
        """
        drawn = integer_seed(self.seed, f"{self.stream}/env", self.index)
        if self.stream in (EVALUATION, VALIDATION):
            return 4 * (drawn // 2) + 2 * (self.stream == VALIDATION)
        return 2 * drawn + 1


def run_episode(
    env: gym.Env[Any, Any], job: EpisodeJob, on_state: Callable[[bool], None] | None = None
) -> Episode:
    """Run one episode from a reset to its end.

    Args:
        env: the environment; nothing that was run in it before matters.
        job: what to run.
        on_state: called at every state, the first and the last included, with whether the goal is
            fulfilled there. It may look at the environment, and must leave it as it is.

    Raises:
        InputError: if the environment answers with numbers that are not finite, changes the goal
            or the width of its saved states on the way, leaves out of ``info`` what the reward
            reads, or its simulator lost its state and continued from another one.
        InputError: if the policy returns no action.
        RunError: if the policy returns an action that is not finite. It is caught here because
            MuJoCo would answer a NaN with a silent reset and finite, false data.

    An exception that comes out of it has an attribute ``env_steps``: how many were taken, and one
    that the policy raised also ``policy``: its name.
    """
    # One thread: which order a product is summed in must not depend on the machine's cores.
    with _BLAS.limit(limits=1, user_api="blas"):
        return _run(env, job, on_state or _ignore)


def _run(env: gym.Env[Any, Any], job: EpisodeJob, on_state: Callable[[bool], None]) -> Episode:
    observation = _begin_episode(env, job)
    _reset_policy(env, job)
    steps = EpisodeSteps(
        env,
        observation,
        _name(env, job),
        restorable(env) if job.snapshots or isinstance(job.policy, Branching) else None,
        job.reward_info_keys,
        job.task.max_steps,
    )
    try:
        _take(job, steps, on_state)
        return steps.episode(snapshots=job.snapshots)
    except Exception as error:
        with contextlib.suppress(AttributeError):
            error.env_steps = steps.env_steps  # type: ignore[attr-defined]
        raise


def _take(job: EpisodeJob, steps: EpisodeSteps, on_state: Callable[[bool], None]) -> None:
    """Take the steps of an episode from its first observation to its end."""
    rng = generator(job.seed, f"{job.stream}/exploration", job.index)
    low, high = steps.bounds
    on_state(False)
    # Once: it takes longer to ask than all else here.
    branching = job.policy if isinstance(job.policy, Branching) else None
    finished = False
    while not finished:
        steps.check_observation()
        wanted = _choose_action(job, steps)
        action = job.exploration(wanted, low, high, rng)
        kept = GREEDY(wanted, low, high, rng) if job.record_intended else action
        steps.step(action, kept)
        on_state(steps.is_success)
        finished = steps.finished
        if branching is not None:
            finished = _review(branching, steps)


def _review(policy: Branching, steps: EpisodeSteps) -> bool:
    """Let a behaviour go back, if it wants to; return whether it is finished."""
    with blaming_policy(policy):
        kept = policy.review(
            steps.observation,
            is_success=steps.is_success,
            num_steps=steps.num_steps,
            finished=steps.finished,
        )
    if kept is None or kept == steps.num_steps:
        return steps.finished or kept is None
    steps.go_back(kept)
    return False


def _begin_episode(env: gym.Env[Any, Any], job: EpisodeJob) -> Observation:
    """Return the first observation."""
    try:
        observation, _ = reset_env(env, job.env_seed, job.task.options_of_reset())
    except InputError as error:
        # The episode alone is to blame: the environment has worked before.
        raise EpisodeError(str(error)) from error
    start, goal = job.task.start, job.task.goal
    if start is not None:
        require_restorable(env).restore_state(start.snapshot, start.desired_goal)
        return {
            "observation": start.observation,
            "achieved_goal": start.achieved_goal,
            "desired_goal": start.desired_goal,
        }
    if goal is not None:
        states = require_restorable(env)
        states.restore_state(states.save_state(), goal)
        return {**observation, "desired_goal": goal}
    return observation


def _reset_policy(env: gym.Env[Any, Any], job: EpisodeJob) -> None:
    """Call the policy's ``reset``, if it has one, with a seed of this episode if it takes one."""
    reset = getattr(job.policy, "reset", None)
    if not callable(reset):
        return
    seed = integer_seed(job.seed, f"{job.stream}/policy", job.index)
    try:
        signature = inspect.signature(reset)
        options = {"seed": seed} if "seed" in signature.parameters else {}
        signature.bind(**options)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{_name(env, job)}: reset of the policy must take no argument but seed ({error})"
        ) from error
    with blaming_policy(job.policy):
        reset(**options)


def _choose_action(job: EpisodeJob, steps: EpisodeSteps) -> NDArray[Any]:
    """Return what the policy returns, if it is an action."""
    try:
        with blaming_policy(job.policy):
            action: Any = job.policy(steps.observation)
            array = np.asarray(action)
    except FloatingPointError as error:
        name = policy_name(job.policy)
        raise RunError(f"policy {name}, episode {job.index}: {error}") from error
    shape = steps.bounds[0].shape
    if array.shape != shape or array.dtype.kind not in "fiub":
        raise InputError(
            f"{steps.name}: the policy returned {type(action).__name__} of shape "
            f"{array.shape} and dtype {array.dtype}; an action must be numbers of shape {shape}"
        )
    if not all_finite(array):
        raise RunError(f"episode {job.index}: action {array} is not finite; it was not executed")
    return array


def _name(env: gym.Env[Any, Any], job: EpisodeJob) -> str:
    return f"{env_name(env)}, episode with seed {job.env_seed}"


def _ignore(success: bool) -> None:
    """Look at no state."""
