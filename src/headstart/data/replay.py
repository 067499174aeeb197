"""A ring of whole episodes with O(1) uniform sampling over their transitions."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import VECTORS, Episode

FloatArray = NDArray[np.float32]
Rows = NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class StoredEpisodes:
    """Episodes of a replay that were added one after the other, and where they lie in it."""

    first: int
    """How many had been added before the first of them."""
    starts: NDArray[np.int64]  # (n,), first row of each
    steps: NDArray[np.int64]  # (n,), T of each
    rows: FloatArray  # (sum of T + 1, width - 1), their rows one behind the other, less counters


@dataclass(frozen=True)
class ReplayPosition:
    """Where a replay stands, besides the episodes that it holds."""

    num_added: int
    num_episodes: int
    next_row: int
    used_rows: int

    def __post_init__(self) -> None:
        if not 0 <= self.num_episodes <= self.num_added:
            raise ValueError(f"{self.num_episodes} episodes stored of {self.num_added} added")


class EpisodeReplay:
    """Stores whole episodes side by side and forgets whole episodes, oldest first.

    An episode of ``T`` steps takes ``T + 1`` neighbouring rows, so the state after a step is one
    row further and a later state of the same episode is a few rows further. All numbers of a row
    lie side by side, so that a transition is fetched from one place in memory and not from nine.
    ``observations``, ``achieved_goals`` and so on are columns to read, indexed by row.

    Args:
        capacity: how many states fit, final states included.
        observation_dim, goal_dim, action_dim, info_dim: the widths of the stored vectors; the last
            is that of what the reward reads besides the goals.

    Raises:
        ValueError: if the capacity is not positive.
    """

    def __init__(
        self,
        capacity: int,
        *,
        observation_dim: int,
        goal_dim: int,
        action_dim: int,
        info_dim: int = 0,
    ) -> None:
        if capacity < 2:
            raise ValueError(f"replay capacity must be at least 2 states, got {capacity}")
        self.capacity = capacity
        self.num_transitions = 0
        self.num_added = 0
        self.columns = _side_by_side(
            observations=observation_dim,
            achieved_goals=goal_dim,
            desired_goals=goal_dim,
            actions=action_dim,
            reward_infos=info_dim,
            terminated=1,
            sources=1,
            steps=1,
        )
        # np.zeros takes memory from the operating system only where rows are written.
        self.width = self.columns["steps"].stop
        self._rows = np.zeros((capacity, self.width), np.float32)
        self._stored: deque[tuple[int, int]] = deque()  # (first row, steps), oldest first
        self._next_row = 0
        self._used_rows = 0
        self._grows = False

    @property
    def observations(self) -> FloatArray:
        """Observations by row, ``(capacity, observation_dim)``, to read."""
        return self._column("observations")

    @property
    def achieved_goals(self) -> FloatArray:
        """Achieved goals by row, ``(capacity, goal_dim)``, to read."""
        return self._column("achieved_goals")

    @property
    def desired_goals(self) -> FloatArray:
        """Desired goals by row, ``(capacity, goal_dim)``, to read; none at final states."""
        return self._column("desired_goals")

    @property
    def actions(self) -> FloatArray:
        """Actions by row, ``(capacity, action_dim)``, to read; none at final states."""
        return self._column("actions")

    @property
    def reward_infos(self) -> FloatArray:
        """What the reward reads of info by row, ``(capacity, info_dim)``, to read."""
        return self._column("reward_infos")

    @property
    def terminated(self) -> FloatArray:
        """Whether the step from each row ended the bootstrap, ``(capacity,)``, to read."""
        return self._column("terminated")[:, 0]

    @property
    def _steps(self) -> NDArray[np.int32]:
        """Steps left by row, as integers in the memory of the rows.

        From T at the first state of an episode down to 1; -T at its final state, from which its
        length can be read; 0 where nothing is stored.
        """
        return self._rows.view(np.int32)[:, -1]

    @classmethod
    def from_episodes(cls, episodes: Iterable[Episode], *, grows: bool = False) -> "EpisodeReplay":
        """Build a replay that holds exactly these episodes; one that grows forgets none later."""
        if not (episodes := list(episodes)):
            raise ValueError("cannot build a replay from no episodes")
        first = episodes[0]
        replay = cls(
            sum(len(episode) + 1 for episode in episodes),
            observation_dim=first.observations.shape[1],
            goal_dim=first.achieved_goals.shape[1],
            action_dim=first.actions.shape[1],
            info_dim=first.reward_infos.shape[1],
        )
        for episode in episodes:
            replay.add(episode)
        replay._grows = grows
        return replay

    @property
    def num_episodes(self) -> int:
        """How many episodes are stored now."""
        return len(self._stored)

    def __repr__(self) -> str:
        """Return how full it is, in one line."""
        return (
            f"EpisodeReplay({self.num_episodes} episodes, {self.num_transitions} transitions; "
            f"{self.num_transitions + self.num_episodes} of {self.capacity} states)"
        )

    def add(self, episode: Episode) -> None:
        """Store an episode, forgetting the oldest ones where it needs their room.

        Raises:
            ValueError: if the episode is longer than the replay, or its widths differ.
        """
        steps = len(episode)
        if self._grows:
            self._make_room(self._next_row + steps + 1)
        self._check(episode)
        # Rows at the end that cannot hold the whole episode are skipped: no index ever wraps.
        start = self._next_row if self._next_row + steps + 1 <= self.capacity else 0
        stop = start + steps + 1
        if start < self._next_row:
            self._forget(self._next_row, self.capacity)
        self._forget(start, stop)
        # The final state has no action; what an earlier episode left there must not be saved.
        self._rows[stop - 1] = 0.0
        for name in VECTORS:
            values = getattr(episode, name)
            self._rows[start : start + len(values), self.columns[name]] = values
        for name in ("terminated", "sources"):
            self._rows[start : stop - 1, self.columns[name]] = getattr(episode, name)[:, None]
        self._count(start, steps)
        self.num_added += 1
        self._next_row = stop
        self._used_rows = max(self._used_rows, stop)

    def draw(self, count: int, rng: np.random.Generator) -> Rows:
        """Draw rows uniformly over all stored transitions, with replacement, shape ``(count,)``.

        Raises:
            ValueError: if nothing is stored.
        """
        if self.num_transitions == 0:
            raise ValueError("cannot sample from an empty replay: add an episode first")
        rows = integers_below(self._used_rows, count, rng)
        counters = self._steps
        rejected = np.flatnonzero(counters[rows] <= 0)
        while len(rejected):
            rows[rejected] = integers_below(self._used_rows, len(rejected), rng)
            rejected = rejected[counters[rows[rejected]] <= 0]
        return rows

    def steps_left(self, rows: Rows) -> Rows:
        """Return the steps from each row's state to its episode's end, ``(n,)``."""
        return np.maximum(self._steps[rows], 0)

    def steps_taken(self, rows: Rows) -> Rows:
        """Return the steps before each row's state within its episode, ``(n,)``."""
        left = self.steps_left(rows)
        steps: Rows = -self._steps[rows + left]
        return steps - left

    def fetch(self, rows: Rows, out: FloatArray) -> None:
        """Copy whole rows into ``out``, ``(n, width)``; ``columns`` says what lies where."""
        # Any other mode than "raise" writes to ``out`` without a second copy.
        self._rows.take(rows, axis=0, out=out, mode="clip")

    @property
    def position(self) -> ReplayPosition:
        """Where the replay stands; with ``newest`` of all episodes it is the whole replay."""
        return ReplayPosition(self.num_added, len(self._stored), self._next_row, self._used_rows)

    def newest(self, count: int) -> StoredEpisodes:
        """Return copies of the ``count`` episodes that were added last."""
        places = list(self._stored)[len(self._stored) - count :]
        starts, steps = np.array(places, np.int64).reshape(-1, 2).T
        pieces = [self._rows[start : start + length + 1, :-1] for start, length in places]
        rows = np.concatenate(pieces) if pieces else np.empty((0, self.width - 1), np.float32)
        return StoredEpisodes(self.num_added - count, starts, steps, rows)

    def restore(self, position: ReplayPosition, parts: Iterable[StoredEpisodes]) -> None:
        """Put an empty replay to where another of its kind stood, row by row.

        Args:
            position: where the other stood.
            parts: its episodes, oldest first; those that it had forgotten are passed over.

        Raises:
            ValueError: if the replay is not empty, or position and parts cannot belong to it; it
                is empty then.
        """
        if self.num_added:
            raise ValueError("only an empty replay can be restored")
        try:
            self._go_to(position, parts)
        except ValueError:
            self._forget(0, self.capacity)
            self.num_added = self._next_row = 0
            raise

    def _go_to(self, position: ReplayPosition, parts: Iterable[StoredEpisodes]) -> None:
        self.num_added = position.num_added - position.num_episodes
        for part in parts:
            self._put_back(part)
        self._next_row, self._used_rows = position.next_row, position.used_rows
        top = max((start + steps + 1 for start, steps in self._stored), default=0)
        fits = top <= self._used_rows <= self.capacity and 0 <= self._next_row <= self.capacity
        if not fits or self.position != position:
            raise ValueError(f"the episodes do not lead to {position}, but to {self.position}")

    def _put_back(self, part: StoredEpisodes) -> None:
        if (part.steps < 1).any() or (part.steps >= self.capacity).any():
            raise ValueError("a stored episode has a length that none here can have")
        rows = int((part.steps + 1).sum())
        if len(part.starts) != len(part.steps) or part.rows.shape != (rows, self.width - 1):
            raise ValueError("the rows of stored episodes do not fit their lengths or this replay")
        if part.first > self.num_added:
            raise ValueError(f"stored episodes {self.num_added} to {part.first - 1} are missing")
        forgotten = min(self.num_added - part.first, len(part.steps))
        starts, steps = part.starts[forgotten:], part.steps[forgotten:]
        # A replay may hold tens of thousands of episodes: all of them at once.
        within = _counted_up(steps + 1)
        each = np.repeat(steps, steps + 1)
        if (starts < 0).any() or (starts >= self.capacity - steps).any():
            raise ValueError("a stored episode lies outside of this replay")
        places = np.repeat(starts, steps + 1) + within
        if self._steps[places].any() or len(np.unique(places)) < len(places):
            raise ValueError("a stored episode lies upon another")
        self._rows[places, :-1] = part.rows[rows - len(places) :]
        self._steps[places] = np.where(within < each, each - within, -each)
        self._stored.extend(zip(starts.tolist(), steps.tolist(), strict=True))
        self.num_transitions += int(steps.sum())
        self.num_added += len(steps)

    def _make_room(self, rows: int) -> None:
        """Have at least so many rows, by doubling them."""
        if rows > self.capacity:
            self.capacity = max(rows, 2 * self.capacity)
            wider = np.zeros((self.capacity, self.width), np.float32)
            wider[: len(self._rows)] = self._rows
            self._rows = wider

    def _count(self, start: int, steps: int) -> None:
        """Note the episode whose rows have been written."""
        counters = self._steps
        counters[start : start + steps] = np.arange(steps, 0, -1)
        counters[start + steps] = -steps
        self._stored.append((start, steps))
        self.num_transitions += steps

    def _column(self, name: str) -> FloatArray:
        column = self._rows[:, self.columns[name]]
        column.flags.writeable = False
        return column

    def _forget(self, start: int, stop: int) -> None:
        """Forget every episode that touches the rows ``[start, stop)``."""
        while self._stored and start <= self._stored[0][0] < stop:
            first, steps = self._stored.popleft()
            self._steps[first : first + steps + 1] = 0
            self.num_transitions -= steps
        if not self._stored:
            self._used_rows = 0

    def _check(self, episode: Episode) -> None:
        if len(episode) + 1 > self.capacity:
            raise ValueError(
                f"an episode of {len(episode)} steps does not fit {self.capacity} states of replay"
            )
        for name in VECTORS:
            column = self.columns[name]
            expected = column.stop - column.start
            width = getattr(episode, name).shape[1]
            if width != expected:
                raise ValueError(f"episode.{name} has width {width}, this replay holds {expected}")


def _counted_up(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 0, 1, ... up to each length, one after the other."""
    stops = np.cumsum(lengths)
    return np.arange(int(lengths.sum())) - np.repeat(stops - lengths, lengths)


def integers_below(bound: int | Rows, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw ``count`` integers uniformly from ``[0, bound)``, with one bound or a bound for each.

    Three times as fast as ``rng.integers``; the probabilities differ from uniform by a factor of
    at most ``1 + bound / 2**53``.
    """
    return (rng.random(count) * bound).astype(np.int64)


def _side_by_side(**widths: int) -> dict[str, slice]:
    """Return where each column lies when all of them lie next to one another."""
    columns: dict[str, slice] = {}
    start = 0
    for name, width in widths.items():
        columns[name] = slice(start, start + width)
        start += width
    return columns
