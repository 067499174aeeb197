"""What the rewards of an environment are like, detected by a few real steps in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from headstart.envs import probe
from headstart.envs.interface import declared as declared_by
from headstart.envs.interface import env_name, truth
from headstart.envs.probe import TOLERANCE, Array, Probe, rewards_of
from headstart.envs.task import TaskConfig, check_range
from headstart.errors import InputError

AVOIDS_GOALS = (
    "compute_reward pays less at goals than elsewhere, so a policy learns to avoid them; rewards "
    "are what it gets more of, not costs"
)


@dataclass(frozen=True)
class RewardUnits:
    """How large rewards are, and whether they distinguish a goal from other places."""

    best: float = 0.0
    """Reward of the goal itself, or a larger one that was seen."""
    span: float = 1.0
    """How far below the best a step elsewhere is paid: of two values the difference, else the mean
    difference over the states and goals that were seen. Positive."""
    tells_goal: bool = True
    """Whether the reward of the goal differs from that of other places."""
    sees_goals: bool = True
    """Whether one step, with its info, was seen to be paid otherwise at its goal."""
    avoids_goals: bool = False
    """Whether goals are paid less than other places, on the average."""


def reward_range(
    env: gym.Env[Any, Any], probe: Probe, declared: tuple[float, float] | None = None
) -> tuple[float, float]:
    """Return the lowest and the highest reward of a step, infinite where there is no bound.

    Two values at most are a sparse reward. Any other has a lower bound where it no longer falls
    with the distance, and an upper bound at the goal.

    Args:
        env: the environment.
        probe: some steps in it.
        declared: the range by the user; the environment's attribute ``reward_range`` else.
    """
    own = declared_by(env, "reward_range")
    if declared is None and own is not None:
        declared = check_range(f"{env_name(env)}: the attribute reward_range", own)
    # Environments written for the old Gym inherit infinite bounds, which declare nothing.
    if declared is not None and np.isfinite(declared).any():
        return declared
    near, far, further = _near(env, probe), *_far(env, probe)
    everything = np.concatenate([near, far, further])
    # Adding zero turns -0.0 into 0.0.
    least, most, best = (
        float(value) + 0.0 for value in (everything.min(), near.max(), _at_goals(env, probe).max())
    )
    if len(np.unique(everything)) <= 2:
        return least, float(everything.max()) + 0.0
    levels_out = (far == further).all() and far.max() <= least
    at_best = best >= most - TOLERANCE
    return least if levels_out else -np.inf, max(best, most) if at_best else np.inf


def is_declared(env: gym.Env[Any, Any], declared: tuple[float, float] | None) -> bool:
    """Return whether the range of rewards was declared, by the user or the environment."""
    if declared is None:
        declared = declared_by(env, "reward_range")
    return declared is not None and bool(np.isfinite(declared).any())


def find_declared_end(env: gym.Env[Any, Any], task: TaskConfig) -> bool | None:
    """Return whether it is declared that goals end episodes; ``None`` if nothing is declared."""
    name = "success_terminates"
    own = declared_by(env, name)
    if task.success_terminates is not None or own is None:
        return task.success_terminates
    return truth(env, f"the attribute {name}", own)


def reward_units(env: gym.Env[Any, Any], probe: Probe) -> RewardUnits:
    """Return the size of the rewards.

    Multiplying all rewards by a constant multiplies ``best`` and ``span`` by it.
    """
    elsewhere = np.concatenate([probe.rewards, _swap(env, probe)])
    at_goals = _at_goals(env, probe)
    values = np.unique(np.concatenate([elsewhere, at_goals, *_far(env, probe)]))
    best = float(max(elsewhere.max(), at_goals.max())) + 0.0
    if len(values) == 1:
        return RewardUnits(best=best, tells_goal=False, sees_goals=False)
    span = float(values[-1] - values[0] if len(values) == 2 else np.mean(best - elsewhere))
    # All states that were seen were at their goals.
    span = span or float(best - values[0])
    computed = rewards_of(env, probe.achieved_goals, probe.desired_goals, probe.infos)
    return RewardUnits(
        best=best,
        span=span,
        sees_goals=bool((computed != at_goals).any()),
        avoids_goals=bool(at_goals.mean() < elsewhere.mean() - TOLERANCE * span),
    )


def check_purity(env: gym.Env[Any, Any], steps: Probe) -> None:
    """Refuse a ``compute_reward`` that depends on the running episode: hindsight asks about others.

    Raises:
        InputError: if it answers the same question differently in another episode.
    """
    answers = []
    for seed in (0, 1):
        env.reset(seed=seed)
        answers.append(rewards_of(env, *steps.questions()))
    wrong = np.flatnonzero(~np.isclose(answers[0], answers[1], atol=TOLERANCE))
    if len(wrong):
        first, second = (answer[wrong[0]] for answer in answers)
        raise InputError(
            f"{env_name(env)}: compute_reward answers the same question with {first:g} in one "
            f"episode and {second:g} in another: let it depend on its arguments alone, and on no "
            f"goal or state that the environment keeps"
        )


def ends_in_bulk(env: gym.Env[Any, Any], steps: Probe, keys: Sequence[str]) -> bool:
    """Return whether ``compute_terminated`` on a batch gives what it gives row by row.

    The mazes of Gymnasium-Robotics take one norm over the whole batch, for instance.
    """
    achieved, desired, infos = steps.questions()
    rows = zip(achieved.copy(), desired.copy(), infos, strict=True)
    expected = [probe.says_end(env, *row) for row in rows]
    if None in expected:
        return False
    together = {key: np.array([float(info[key]) for info in infos]) for key in keys}
    try:
        found = np.asarray(probe.call(env, "compute_terminated", achieved, desired, together))
    except Exception:  # Whatever a method for one goal does when it is given many.
        return False
    return found.shape == (len(achieved),) and bool((found == np.array(expected, bool)).all())


def _near(env: gym.Env[Any, Any], steps: Probe) -> Array:
    return np.concatenate([steps.rewards, _swap(env, steps), _at_goals(env, steps)])


def _swap(env: gym.Env[Any, Any], steps: Probe) -> Array:
    """Return what states would be paid for goals of other steps."""
    return rewards_of(env, steps.achieved_goals[::-1], steps.desired_goals, steps.infos)


def _at_goals(env: gym.Env[Any, Any], steps: Probe) -> Array:
    return rewards_of(env, steps.desired_goals, steps.desired_goals, steps.infos)


def _far(env: gym.Env[Any, Any], steps: Probe) -> tuple[Array, Array]:
    """Return what places far away from the goals are paid, and places further away."""
    goals = steps.desired_goals.astype(np.float64)
    try:
        return tuple(  # type: ignore[return-value]
            rewards_of(env, goals + away, goals, steps.infos) for away in (1e3, 1e6)
        )
    except Exception:  # Whatever a reward does with goals that the task does not have.
        near = _near(env, steps)
        far = np.full(1, -np.inf if len(np.unique(near)) > 2 else near.min())
        return far, far
