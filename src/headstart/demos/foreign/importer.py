"""Demonstrations of others, whatever their format: fitted to an environment, and what was changed.

What a file lacks is repaired where nothing has to be invented for it: a last step without the state
that it led to is left out, an episode whose goal moves becomes one for each goal.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headstart.data.episode import Episode
from headstart.demos.recorded import Numbers, Recorded, without_padding
from headstart.demos.storage import DemoSet, task_header
from headstart.envs.goal_env import GoalReward, GoalSpec

MOST_EPISODES = 200_000
"""A file of a few bytes can claim any number of them."""


class EpisodeImporter:
    """Makes episodes of what a file has of them, and counts what it changes.

    Args:
        spec: the environment that the demonstrations are for.
        reward: says which steps succeed where the file does not; without it they count as failures.
    """

    def __init__(self, spec: GoalSpec, reward: GoalReward | None) -> None:
        self._spec = spec
        self._reward = reward
        self._episodes: list[Episode] = []
        self._counts: Counter[str] = Counter()

    def add(self, recorded: Recorded, *, may_be_padded: bool = False) -> None:
        """Take an episode of the file.

        Args:
            recorded: the episode.
            may_be_padded: whether rows of zeros or NaN at its end only fill up an array.

        Raises:
            ValueError: if its parts do not fit together or not to the environment.
        """
        self._counts["read"] += 1
        if self._counts["read"] > MOST_EPISODES:
            raise ValueError(f"it has more than {MOST_EPISODES} episodes")
        self.check(recorded)
        if may_be_padded:
            whole, recorded = recorded, without_padding(recorded)
            self._counts["padded"] += len(recorded.actions) < len(whole.actions)
        # What is not finite is refused, and must not be warned of before.
        with np.errstate(invalid="ignore", over="ignore"):
            parts = [self._episode(part) for part in self._parts(recorded)]
            self._episodes += [self._cut_at_goal(part) for part in parts]

    def demos(self, source: str, kind: str, remarks: Sequence[str] = ()) -> DemoSet:
        """Return what was taken, with remarks on it in its header.

        Args:
            source: name of the file or dataset.
            kind: its format.
            remarks: more of them, in sentences.

        Raises:
            ValueError: if nothing is left.
        """
        if not self._episodes:
            raise ValueError("it holds no episode" if not self._counts["read"] else
                             "no episode of it has a step that keeps its goal")  # fmt: skip
        spec = self._spec
        header = {
            "imported_from": source,
            "format": kind,
            "remarks": [*self._remarks(), *remarks],
            **task_header(spec),
        }
        return DemoSet(spec.env_id, tuple(self._episodes), header)

    def _parts(self, recorded: Recorded) -> Iterator[Recorded]:
        """Yield what has one goal and a state after every step, within the time limit."""
        states, counts = len(recorded.observations), self._counts
        counts["short"] += states == len(recorded.actions) > 0
        kept = min(states - 1, self._spec.max_episode_steps)
        counts["cut"] += kept < states - 1
        if kept < 1:
            counts["empty"] += 1
            return
        steps = Recorded(
            recorded.observations[: kept + 1],
            recorded.achieved_goals[: kept + 1],
            recorded.desired_goals[: kept + (len(recorded.desired_goals) == states)],
            recorded.actions[:kept],
            recorded.success[:kept],
            recorded.reward_infos[:kept],
            None if recorded.terminated is None else recorded.terminated[:kept],
        )
        goals = self._goals(steps)
        changes = np.flatnonzero((goals[1:] != goals[:-1]).any(axis=1)) + 1
        spans = [
            (start, stop)
            for start, stop in zip([0, *changes], [*changes, kept], strict=True)
            if not np.isnan(goals[start]).any()
        ]
        if len(changes) and spans == [(0, kept - 1)]:
            counts["reset"] += 1
        elif len(changes):
            counts["moving"] += 1
            counts["parts"] += len(spans)
            counts["lost"] += not spans
        for start, stop in spans:
            yield _part(steps, goals[start:stop], start, stop)

    def _goals(self, steps: Recorded) -> NDArray[np.float32]:
        """Return the goal of every step, ``(T, goal_dim)``; NaN where it cannot be known.

        Some environments draw a new goal before they return the state in which the old one is
        reached, others after it; a vector environment returns the first state of the next episode.
        So a step between states of two goals counts only if its end fulfils the first.
        """
        goals = _float32(steps.desired_goals)
        if not np.isfinite(goals).all():
            raise ValueError("its desired goals hold NaN or infinity")
        if len(goals) == len(steps.actions):
            return goals
        before, after = goals[:-1], goals[1:]
        if (after == after[0]).all():
            # A dataset of mazes that is cut at successes has the goal before in the first state.
            self._counts["stale"] += bool((before[0] != after[0]).any())
            return after
        moved = (before != after).any(axis=1)
        reached = self._fulfils(steps.achieved_goals[1:][moved], before[moved],
                                  steps.reward_infos[moved])  # fmt: skip
        own = before.copy()
        own[np.flatnonzero(moved)[~reached]] = np.nan
        return own

    def _episode(self, part: Recorded) -> Episode:
        observations, achieved = _float32(part.observations), _float32(part.achieved_goals)
        goals, infos = _float32(part.desired_goals), _float32(part.reward_infos)
        success = self._success(part, achieved, goals, infos)
        self._counts["steps"] += len(success)
        terminated = part.terminated
        if terminated is None:
            terminated = np.zeros(len(success), bool)
            terminated[-1] = success[-1] and self._ends_at_goal
        return Episode(
            observations=observations,
            achieved_goals=achieved,
            desired_goals=goals,
            actions=self._clip(part.actions),
            terminated=terminated,
            is_success=success,
            reward_infos=infos,
        )

    def _cut_at_goal(self, episode: Episode) -> Episode:
        """Return an episode that continued at its goal as it ends in the environment."""
        if not episode.is_success[:-1].any():
            return episode
        self._counts["unsure"] += self._spec.terminates is None
        if not self._spec.terminates:
            return episode
        self._counts["continued"] += 1
        steps = int(np.argmax(episode.is_success)) + 1
        return replace(episode.first(steps), terminated=np.arange(steps) == steps - 1)

    @property
    def _ends_at_goal(self) -> bool:
        """Whether a success at the last step ended an episode, if its file does not say.

        That it was recorded no further is not a sign of it.
        """
        return bool(self._spec.terminates)

    def _success(
        self,
        part: Recorded,
        achieved: NDArray[np.float32],
        goals: NDArray[np.float32],
        infos: NDArray[np.float32],
    ) -> NDArray[np.bool_]:
        """Return what the file says of each step, or else what the reward says, ``(T,)``."""
        unknown = np.isnan(part.success)
        self._counts["unknown"] += int(unknown.sum())
        success: NDArray[np.bool_] = part.success > 0
        if unknown.any():
            success[unknown] = self._fulfils(achieved[1:], goals, infos)[unknown]
        return success

    def _fulfils(self, achieved: Numbers, goals: Numbers, infos: Numbers) -> NDArray[np.bool_]:
        """Return for each row whether the reward is that of having achieved just the goal."""
        if self._reward is None or not len(goals):
            return np.zeros(len(goals), bool)
        added = np.zeros((len(goals), int(self._spec.adds_unexplained)), np.float32)
        columns = np.concatenate([_float32(infos), added], axis=1)
        reached, _ = self._reward(_float32(achieved), _float32(goals), columns)
        at_goal, _ = self._reward(_float32(goals), _float32(goals), columns)
        return np.asarray(reached >= at_goal)

    def _clip(self, actions: Numbers) -> NDArray[np.float32]:
        """Return the actions within the bounds, ``(T, action_dim)``."""
        taken = _float32(actions)
        if not np.isfinite(taken).all():  # An infinite one would be clipped.
            raise ValueError("its actions hold NaN or infinity")
        low, high = np.array([self._spec.action_low, self._spec.action_high], np.float32)
        clipped = taken.clip(low, high)
        self._counts["clipped"] += int((clipped != taken).sum())
        return clipped

    def check(self, recorded: Recorded) -> None:
        """Refuse other widths than the environment's, and lengths that do not go together.

        Raises:
            ValueError: that names the part.
        """
        spec = self._spec
        widths = {
            "observations": (recorded.observations, spec.observation_dim),
            "achieved goals": (recorded.achieved_goals, spec.goal_dim),
            "desired goals": (recorded.desired_goals, spec.goal_dim),
            "actions": (recorded.actions, spec.action_dim),
        }
        for name, (array, width) in widths.items():
            if array.ndim != 2 or array.shape[1] != width:
                raise ValueError(
                    f"its {name} have shape {array.shape}, {spec.env_id} has width {width}"
                )
        steps, states = len(recorded.actions), len(recorded.observations)
        fitting = (
            states in (steps, steps + 1)
            and len(recorded.achieved_goals) == states
            and len(recorded.desired_goals) in (steps, states)
            and len(recorded.success) == len(recorded.reward_infos) == steps
        )
        if not fitting:
            raise ValueError(
                f"it has {steps} actions, {states} observations, {len(recorded.achieved_goals)} "
                f"achieved and {len(recorded.desired_goals)} desired goals; {steps} actions need "
                f"{steps + 1} of each"
            )

    def _remarks(self) -> list[str]:
        """Return what is to be known of the import, in sentences."""
        spec, counts, episodes = self._spec, self._counts, self._episodes
        solved = sum(episode.success for episode in episodes)
        steps = counts["steps"]  # before episodes are cut at their goals
        share = counts["clipped"] / (steps * spec.action_dim)
        judged = "counted as failures" if self._reward is None else "judged by the reward"
        of_all = f"of {counts['read']} episodes"
        found = {
            f"{solved} of {len(episodes)} episodes succeed at their last step.": True,
            f"Without a success, check that the file is of {spec.env_id}"
            + (
                ", and add the states after the last actions." if counts["short"] else "."
            ): not solved,
            f"{share:.2%} of the action numbers were beyond the bounds and are clipped.": share,
            f"{counts['short']} {of_all} lack the state after their last action, which is left "
            f"out.": counts["short"],
            f"{counts['cut']} {of_all} were longer than {spec.max_episode_steps} steps and are "
            f"cut.": counts["cut"],
            f"{counts['continued']} {of_all} continue after reaching their goal, which ends an "
            f"episode of {spec.env_id}, and are cut there.": counts["continued"],
            f"{counts['unsure']} {of_all} continue after reaching their goal; if that ends an "
            f"episode of {spec.env_id}, --task.success-terminates True cuts them there.": (
                counts["unsure"]
            ),
            f"{counts['padded']} {of_all} are filled up with zeros or NaN, which are left "
            f"out.": counts["padded"],
            f"{counts['reset']} {of_all} end in a state with another goal, as a reset leaves it: "
            f"their last step is left out.": counts["reset"],
            f"The goal changes within {counts['moving']} {of_all}: they are cut into "
            f"{counts['parts']} parts with one goal each.": counts["parts"],
            f"{counts['lost']} {of_all} have no step that keeps its goal and are left out.": (
                counts["lost"]
            ),
            f"{counts['stale']} {of_all} had another goal in their first state, which is "
            f"corrected.": counts["stale"],
            f"{counts['empty']} {of_all} have no step and are left out.": counts["empty"],
            f"{counts['unknown']} of {steps} steps do not say whether they succeed and are "
            f"{judged}.": counts["unknown"],
        }
        return [text for text, applies in found.items() if applies]


@contextlib.contextmanager
def naming(place: str) -> Iterator[None]:
    """Put a place in front of the message of a ``ValueError``."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def _part(steps: Recorded, goals: NDArray[np.float32], start: int, stop: int) -> Recorded:
    """Return the steps from ``start`` to ``stop`` with their goals."""
    return Recorded(
        steps.observations[start : stop + 1],
        steps.achieved_goals[start : stop + 1],
        goals,
        steps.actions[start:stop],
        steps.success[start:stop],
        steps.reward_infos[start:stop],
        None if steps.terminated is None else steps.terminated[start:stop],
    )


def _float32(array: ArrayLike) -> NDArray[np.float32]:
    return np.asarray(array).astype(np.float32, copy=False)
