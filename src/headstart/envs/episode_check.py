"""Finished episodes held against what is known of their environment, which some of them extend."""

import logging
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import Episode
from headstart.envs.goal_env import EXPLAIN_REWARD, FloatArray, GoalReward
from headstart.envs.probe import TOLERANCE
from headstart.envs.task import UnexplainedReward
from headstart.errors import InputError

_NUDGE = 1e-5
"""Share of the way to a goal within which float32 and float64 may see two sides of a border."""
_ENDED = "an episode ended at its goal"
_MIXED = "some episodes end at their goal and others continue"
_LATE = "an episode ended only some steps after it had reached its goal"
_NOT_BEST = f"{_ENDED}, where the reward is not the best one and compute_terminated does not say so"
_BELOW = (
    "an episode ended in success below the best reward, so success_terminates does not show where "
    "another goal would end it: add compute_terminated(achieved_goal, desired_goal, info)"
)
_DECLARED = "compute_terminated or success_terminates"
_CONTINUED = (
    f"an episode continued at its goal, where {_DECLARED} says that it ends: values are learned as "
    f"if it had ended; if goals do not end episodes, pass --task.success-terminates False"
)
_COMPUTE = "if goals end episodes, add compute_terminated(achieved_goal, desired_goal, info)"
_DECLARE = f"{_COMPUTE}, or declare --task.success-terminates True"
_END_AT_ONCE = "if goals end episodes, let step return terminated at the first step there"
_log = logging.getLogger("headstart")


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """What the episodes of a run have shown of its environment."""

    terminates: bool | None
    """Whether reaching the goal ends an episode."""
    reward_range: tuple[float, float]
    longest: int = 0
    """Steps of the longest episode."""
    latest_end: int = 0
    """Steps of the longest one that was terminated."""

    def __post_init__(self) -> None:
        low, high = self.reward_range
        if not low <= high:
            raise ValueError(f"rewards from {low} to {high}")
        if not 0 <= self.latest_end <= self.longest:
            raise ValueError(f"ends after {self.latest_end} of {self.longest} steps")


class EpisodeCheck:
    """Prepares episodes for a replay: all of them, in the order in which they are stored.

    - Rewards of ``step`` must be those of ``compute_reward``, and lie in a declared range.
    - Where nothing said whether reaching the goal ends an episode, the first one that reaches it
      does, and ``reward.terminates`` is set. As soon as one has ended there and another has
      continued, in either order, none is an end any more, which is logged once: an agent may fall
      at its goal, and a run of hours is not given up for it. Rewards and ends are computed when a
      batch is drawn, so this holds for what is stored already too.
    - An end at the goal is not stored: the reward function decides it for every goal alike, so that
      no two transitions of a batch contradict each other.
    - Neither is one at a time limit that the environment keeps itself, where episodes are ended
      again and again as late as ever. What remains stored are falls.

    Args:
        reward: the environment's reward, whose ``terminates`` and ``reward_range`` are extended.
        unexplained: see ``TaskConfig.unexplained_reward``.
        remedy: what to do about an unexplained reward, for the error.

    Attributes:
        longest: steps of the longest episode so far, demonstrations aside.
        latest_end: steps of the longest one that was terminated.
    """

    def __init__(
        self,
        reward: GoalReward,
        unexplained: UnexplainedReward = "refuse",
        *,
        remedy: str = EXPLAIN_REWARD,
    ) -> None:
        self.reward = reward
        self._unexplained = unexplained
        self._remedy = remedy
        self._known_end = reward.terminates is not None
        self._reported = False
        self.longest = self.latest_end = 0
        self._limit_reported = False
        self._sees_goals = reward.spec.reward_units.sees_goals

    @property
    def facts(self) -> TaskFacts:
        """What the episodes so far have shown."""
        return TaskFacts(
            terminates=self.reward.terminates,
            reward_range=self.reward.reward_range,
            longest=self.longest,
            latest_end=self.latest_end,
        )

    def restore(self, facts: TaskFacts) -> None:
        """Know what the episodes of an earlier process have shown."""
        self.reward.terminates, self.reward.reward_range = facts.terminates, facts.reward_range
        self.longest, self.latest_end = facts.longest, facts.latest_end

    def __call__(self, episode: Episode, *, is_demo: bool = False) -> Episode:
        """Return the episode to store.

        Args:
            episode: as it was run.
            is_demo: whether it may come from elsewhere; that it continued at its goal then shows
                nothing of this environment.

        Raises:
            InputError: if a step paid what ``compute_reward`` does not explain, a reward lies
                outside of a declared range, or the episode ended at its goal and nothing shows
                where another goal would end it.
        """
        computed, _ = self.reward(
            episode.achieved_goals[1:], episode.desired_goals, self._infos(episode)
        )
        unexplained = self._unexplained_part(episode, computed)
        if self._unexplained == "refuse":
            for step in np.flatnonzero(unexplained):
                raise InputError(
                    f"{self._name}: in step {step} of an episode, step paid "
                    f"{episode.rewards[step]:g} where compute_reward says {computed[step]:g}, so "
                    f"hindsight would teach another task: {self._remedy}"
                )
        # Before anything is added: a penalty at the goal leaves it the goal.
        is_best = self.reward.is_best(computed)
        if self.reward.spec.adds_unexplained:
            infos = np.column_stack([episode.reward_infos, unexplained])
            episode = replace(episode, reward_infos=infos)
            computed = computed + unexplained
        self._check_sees_goals(episode, computed)
        self._check_range(computed)
        ended, success = bool(episode.terminated[-1]), episode.success
        timed_out = self._is_timed_out(episode, is_demo=is_demo)
        continued = bool(episode.is_success[:-1].any()) and not is_demo
        if continued and self._known_end and self.reward.terminates:
            self._report(_CONTINUED)
        if ended and success and not timed_out:
            self._see_end_at_goal(is_best)
        elif continued:
            self._see_no_end_at_goal()
        if ended and (success or timed_out):
            return replace(episode, terminated=np.zeros_like(episode.terminated))
        return episode

    def _is_timed_out(self, episode: Episode, *, is_demo: bool) -> bool:
        """Return whether time is up, which environments that count it themselves call an end.

        Falls come at any time, and rarely twice as late as the latest so far.
        """
        steps, ended = len(episode), bool(episode.terminated[-1])
        if is_demo or steps >= self.reward.spec.max_episode_steps:
            timed_out = steps >= self.reward.spec.max_episode_steps
        else:
            timed_out = ended and steps == self.latest_end >= self.longest
            if timed_out and not episode.success and not self._limit_reported:
                self._limit_reported = True
                _log.info(
                    "%s: step returned terminated after %d steps again, and never later: taken for "
                    "a time limit, for which step should return truncated",
                    self._name, steps,
                )  # fmt: skip
        if not is_demo:
            self.longest = max(self.longest, steps)
            self.latest_end = max(self.latest_end, steps if ended else 0)
        return timed_out

    def _check_sees_goals(self, episode: Episode, computed: FloatArray) -> None:
        """Refuse a reward that varies, and not with the goals, where no probe has shown them to.

        Raises:
            InputError: if it does.
        """
        if self._sees_goals or self.reward.spec.asks_terminated:
            return
        goals = episode.desired_goals
        at_goals, _ = self.reward(goals, goals, self._infos(episode))
        self._sees_goals = bool((at_goals != computed).any())
        if not self._sees_goals and np.ptp(computed) > 0.0:
            raise InputError(
                f"{self._name}: compute_reward pays {computed.min():g} and {computed.max():g} in "
                f"an episode, and at its goal the same in every step, so hindsight would teach "
                f"nothing: compute it from achieved_goal and desired_goal, not from info alone"
            )

    @property
    def _name(self) -> str:
        return self.reward.spec.env_id

    def _infos(self, episode: Episode) -> FloatArray:
        """Return what the reward reads, with nothing added to it."""
        if not self.reward.spec.adds_unexplained:
            return episode.reward_infos
        return np.column_stack([episode.reward_infos, np.zeros(len(episode), np.float32)])

    def unexplained(self, episode: Episode) -> FloatArray:
        """Return what each step paid besides ``compute_reward``, ``(T,)``; 0 where not known."""
        achieved, desired = episode.achieved_goals[1:], episode.desired_goals
        computed, _ = self.reward(achieved, desired, self._infos(episode))
        return self._unexplained_part(episode, computed)

    def _unexplained_part(self, episode: Episode, computed: FloatArray) -> FloatArray:
        """Return what each step paid besides ``compute_reward``, ``(T,)``; 0 where not known."""
        if not len(episode.rewards):
            return np.zeros(len(episode), np.float32)
        tolerance = TOLERANCE * self.reward.spec.reward_units.span
        wrong = ~np.isclose(computed, episode.rewards, rtol=TOLERANCE, atol=tolerance)
        if wrong.any():
            wrong &= ~self._on_a_border(episode)
        return np.where(wrong, episode.rewards - computed, np.float32(0.0))

    def _on_a_border(self, episode: Episode) -> NDArray[np.bool_]:
        """Return where a step was paid what lies a rounding error beside the computed reward."""
        achieved, desired = episode.achieved_goals[1:], episode.desired_goals
        paid = [
            self.reward(achieved + share * (desired - achieved), desired, self._infos(episode))[0]
            for share in (np.float32(-_NUDGE), np.float32(_NUDGE))
        ]
        low, high = np.minimum(*paid) - TOLERANCE, np.maximum(*paid) + TOLERANCE
        return np.asarray((low <= episode.rewards) & (episode.rewards <= high))

    def _check_range(self, rewards: FloatArray) -> None:
        """Hold rewards against the range that values are clipped to; widen one that was detected.

        Raises:
            InputError: if the range was declared.
        """
        low, high = self.reward.reward_range
        least, most = float(rewards.min()), float(rewards.max())
        tolerance = TOLERANCE * max(1.0, self.reward.spec.reward_units.span)
        if low - tolerance <= least and most <= high + tolerance:
            return
        seen = least if least < low - tolerance else most
        if self.reward.spec.origins.get("reward_range") == "declared":
            raise InputError(
                f"{self._name}: a reward of {seen:g} lies outside of the declared reward_range "
                f"({low:g}, {high:g}): declare one that holds all rewards, or none"
            )
        self.reward.reward_range = min(low, least), max(high, most)
        _log.warning(
            "%s: a reward of %g lies outside of the range from %g to %g that was detected; values "
            "are no longer held to it (the attribute reward_range = (low, high) declares one)",
            self._name, seen, low, high,
        )  # fmt: skip

    def _see_end_at_goal(self, is_best: NDArray[np.bool_]) -> None:
        if self.reward.terminates:
            if not is_best[-1] and not self.reward.spec.asks_terminated:
                self._report(_BELOW)
            return
        # Another goal would have ended the episode where its reward were the best.
        tells_goal = self.reward.spec.reward_units.tells_goal
        shows_end = tells_goal and is_best[-1] and not is_best[:-1].any()
        if self.reward.terminates is None and shows_end:
            self.reward.terminates = True
            _log.info("%s: reaching the goal ends an episode, as one showed", self._name)
            return
        if not tells_goal:
            raise InputError(
                f"{self._name}: an episode ended at its goal, and neither its reward nor "
                f"compute_terminated says where another goal would end it: add "
                f"compute_terminated(achieved_goal, desired_goal, info)"
            )
        if self._known_end:
            self._deny_end_at_goal(f"{_ENDED}, which {_DECLARED} denies", _DECLARE)
        elif self.reward.terminates is False:
            self._deny_end_at_goal(_MIXED, _DECLARE)
        elif is_best[:-1].any():
            self._deny_end_at_goal(_LATE, _END_AT_ONCE)
        else:
            self._deny_end_at_goal(_NOT_BEST, _COMPUTE)

    def _see_no_end_at_goal(self) -> None:
        if self._known_end:
            return
        if self.reward.terminates:
            self._deny_end_at_goal(_MIXED, _DECLARE)
        self.reward.terminates = False

    def _deny_end_at_goal(self, seen: str, remedy: str) -> None:
        """Learn from now on as if no goal ended an episode, and say so once."""
        self.reward.terminates = False
        self._report(f"{seen}: values are learned as if all continued; {remedy}")

    def _report(self, seen: str) -> None:
        """Say once what the ends of episodes contradict."""
        if not self._reported:
            _log.warning("%s: %s", self._name, seen)
        self._reported = True
