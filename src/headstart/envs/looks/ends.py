"""Whether ends agree with what declares them, and whether training could learn them."""

import contextlib
import logging
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import Episode
from headstart.envs import probe
from headstart.envs.episode_check import EpisodeCheck
from headstart.envs.goal_env import GoalReward, success_key
from headstart.envs.interface import GOAL_KEYS
from headstart.envs.looks.success import successes
from headstart.envs.trial import Recording, Trial
from headstart.errors import InputError


def find_contradicted_method(trial: Trial) -> Iterator[str]:
    """Yield ends that ``compute_terminated`` does not say, and such that it says alone."""
    env, steps = trial.env, trial.steps
    rows = zip(steps.achieved_goals, steps.desired_goals, steps.infos, strict=True)
    said = [probe.says_end(env, *row) for row in rows]
    if trial.declared_end is not None or None in said:
        return
    if (np.array(said, bool) & ~steps.terminated).any():
        yield (
            "compute_terminated says that an episode ended which step continued: let step "
            "return compute_terminated(achieved_goal, desired_goal, info) as terminated"
        )
    ended = steps.terminated[successes(steps.infos)]
    if ended.any() and ended.all() and not any(said):
        yield (
            "step ends an episode at its goal where compute_terminated says that it continues: let "
            "compute_terminated return True for goals that end an episode"
        )


def find_contradicted_declaration(trial: Trial, reward: GoalReward) -> Iterator[str]:
    """Yield episodes that end otherwise than ``success_terminates`` says."""
    steps = trial.steps
    best = reward.is_best(steps.rewards.astype(np.float32))
    if trial.declared_end and (best & ~steps.terminated).any():
        yield (
            "success_terminates is declared, and step continues at the best reward: leave it out, "
            "or pass --task.success-terminates False"
        )
    if trial.declared_end and (successes(steps.infos) & steps.terminated & ~best).any():
        yield (
            "an episode ended in success below the best reward, so success_terminates does not "
            "show where another goal would end it: add compute_terminated(achieved_goal, "
            "desired_goal, info) in its place"
        )
    ended = steps.terminated[successes(steps.infos)]
    if trial.declared_end is False and ended.any() and ended.all():
        shown = best[successes(steps.infos) & steps.terminated].all()
        remedy = (
            "set it to True"
            if shown
            else "add compute_terminated(achieved_goal, desired_goal, info) in its place"
        )
        yield f"success_terminates is False, and step ends an episode in success: {remedy}"


def find_unlearnable(trial: Trial, reward: GoalReward) -> tuple[list[str], list[str]]:
    """Return for what training would stop at these episodes, and what it would warn of.

    Whether goals end episodes is then known to ``reward`` as far as they show it.
    """
    check = EpisodeCheck(reward, "ignore")
    remarks: list[str] = []
    with _heard(remarks):
        for episode in trial.episodes:
            try:
                check(_episode(episode, reward))
            except InputError as error:
                return [_unnamed(reward, str(error))], []
    return [], [_unnamed(reward, remark) for remark in remarks]


def advise_on_time_limit(trial: Trial) -> Iterator[str]:
    """Yield ends that are none."""
    assert trial.env.spec is not None
    longest = max(map(len, trial.episodes))
    ends = [episode for episode in trial.episodes if episode.terminated[-1]]
    falls = [episode for episode in ends if not successes(episode.infos)[-1]]
    at_limit = longest == trial.env.spec.max_episode_steps
    if len(falls) >= 2 - at_limit and all(len(episode) == longest for episode in falls):
        yield (
            f"step returns terminated at the time limit of {longest} steps, where nothing ended: "
            f"it is taken for truncated here; return truncated"
        )


def _episode(recording: Recording, reward: GoalReward) -> Episode:
    """Return a recording as training stores it."""
    states = {key: np.stack([state[key] for state in recording.states]) for key in GOAL_KEYS}
    keys = reward.spec.reward_info_keys
    infos = [[float(info[key]) for key in keys] for info in recording.infos]
    return Episode(
        observations=states["observation"],
        achieved_goals=states["achieved_goal"],
        desired_goals=states["desired_goal"][:-1],
        actions=np.zeros((len(recording), reward.spec.action_dim), np.float32),
        terminated=np.array(recording.terminated),
        is_success=_successes_of(recording, reward),
        reward_infos=np.array(infos).reshape(len(recording), len(keys)),
        rewards=np.array(recording.rewards),
    )


def _successes_of(recording: Recording, reward: GoalReward) -> NDArray[np.bool_]:
    if success_key(recording.infos[-1]) is None:
        return reward.is_best(np.array(recording.rewards, np.float32))
    return successes(recording.infos)


@contextlib.contextmanager
def _heard(remarks: list[str]) -> Iterator[None]:
    """Collect what is logged meanwhile; it is printed nowhere."""

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.WARNING:
                remarks.append(record.getMessage())

    log = logging.getLogger("headstart")
    before, log.handlers, log.propagate = (log.handlers, log.propagate), [Collector()], False
    try:
        yield
    finally:
        log.handlers, log.propagate = before


def _unnamed(reward: GoalReward, remark: str) -> str:
    """Return a remark without the name of the environment, which the report bears."""
    return remark.removeprefix(f"{reward.spec.env_id}: ")
