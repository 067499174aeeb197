"""A ring of whole episodes with O(1) uniform sampling over their transitions."""

from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import Episode

Rows = NDArray[np.int64]


class EpisodeReplay:
    """Stores whole episodes side by side and forgets whole episodes, oldest first.

    An episode of ``T`` steps takes ``T + 1`` neighbouring rows, so the state after a step is one
    row further and a later state of the same episode is a few rows further. ``steps_left`` counts
    down to zero at the final state; a row with no steps left starts no transition and is never
    drawn.

    Args:
        capacity: how many states fit, final states included.
        observation_dim, goal_dim, action_dim: the widths of the stored vectors.

    Raises:
        ValueError: if the capacity is not positive.
    """

    def __init__(
        self, capacity: int, *, observation_dim: int, goal_dim: int, action_dim: int
    ) -> None:
        if capacity < 2:
            raise ValueError(f"replay capacity must be at least 2 states, got {capacity}")
        self.capacity = capacity
        self.num_transitions = 0
        # np.zeros takes memory from the operating system only where rows are written.
        self.observations = np.zeros((capacity, observation_dim), np.float32)
        self.achieved_goals = np.zeros((capacity, goal_dim), np.float32)
        self.desired_goals = np.zeros((capacity, goal_dim), np.float32)
        self.actions = np.zeros((capacity, action_dim), np.float32)
        self.terminated = np.zeros(capacity, np.float32)
        self.steps_taken = np.zeros(capacity, np.int32)
        self.steps_left = np.zeros(capacity, np.int32)
        self._stored: deque[tuple[int, int]] = deque()  # (first row, steps), oldest first
        self._next_row = 0
        self._used_rows = 0

    @classmethod
    def from_episodes(cls, episodes: Iterable[Episode]) -> "EpisodeReplay":
        """Build a replay that holds exactly these episodes."""
        episodes = list(episodes)
        if not episodes:
            raise ValueError("cannot build a replay from no episodes")
        first = episodes[0]
        replay = cls(
            sum(len(episode) + 1 for episode in episodes),
            observation_dim=first.observations.shape[1],
            goal_dim=first.achieved_goals.shape[1],
            action_dim=first.actions.shape[1],
        )
        for episode in episodes:
            replay.add(episode)
        return replay

    @property
    def num_episodes(self) -> int:
        """How many episodes are stored now."""
        return len(self._stored)

    def add(self, episode: Episode) -> None:
        """Store an episode, forgetting the oldest ones where it needs their room.

        Raises:
            ValueError: if the episode is longer than the replay, or its widths differ.
        """
        steps = len(episode)
        self._check(episode)
        # Rows at the end that cannot hold the whole episode are skipped: no index ever wraps.
        start = self._next_row if self._next_row + steps + 1 <= self.capacity else 0
        stop = start + steps + 1
        if start < self._next_row:
            self._forget(self._next_row, self.capacity)
        self._forget(start, stop)
        self.observations[start:stop] = episode.observations
        self.achieved_goals[start:stop] = episode.achieved_goals
        self.desired_goals[start : stop - 1] = episode.desired_goals
        self.actions[start : stop - 1] = episode.actions
        self.terminated[start : stop - 1] = episode.terminated
        self.steps_taken[start:stop] = np.arange(steps + 1)
        self.steps_left[start:stop] = np.arange(steps, -1, -1)
        self._stored.append((start, steps))
        self.num_transitions += steps
        self._next_row = stop
        self._used_rows = max(self._used_rows, stop)

    def draw(self, count: int, rng: np.random.Generator) -> Rows:
        """Draw rows uniformly over all stored transitions, with replacement, shape ``(count,)``.

        Raises:
            ValueError: if nothing is stored.
        """
        if self.num_transitions == 0:
            raise ValueError("cannot sample from an empty replay: add an episode first")
        rows = rng.integers(0, self._used_rows, count)
        rejected = np.flatnonzero(self.steps_left[rows] == 0)
        while len(rejected):
            rows[rejected] = rng.integers(0, self._used_rows, len(rejected))
            rejected = rejected[self.steps_left[rows[rejected]] == 0]
        return rows

    def _forget(self, start: int, stop: int) -> None:
        """Forget every episode that touches the rows ``[start, stop)``."""
        while self._stored and start <= self._stored[0][0] < stop:
            first, steps = self._stored.popleft()
            self.steps_left[first : first + steps + 1] = 0
            self.num_transitions -= steps

    def _check(self, episode: Episode) -> None:
        if len(episode) + 1 > self.capacity:
            raise ValueError(
                f"an episode of {len(episode)} steps does not fit {self.capacity} states of replay"
            )
        for name in ("observations", "achieved_goals", "desired_goals", "actions"):
            expected = getattr(self, name).shape[1]
            width = getattr(episode, name).shape[1]
            if width != expected:
                raise ValueError(f"episode.{name} has width {width}, this replay holds {expected}")
