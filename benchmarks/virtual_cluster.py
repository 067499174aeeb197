"""Collectors that exist in a clock alone: what a learner would wait for, without the machines."""

import heapq
import itertools
import pickle
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headstart.data.episode import Episode
from headstart.rollout.deferred import Deferred
from headstart.rollout.executors import Executor
from headstart.rollout.job import EpisodeJob

TASKS_A_SLOT = 4
"""As in ``headstart.rollout.ray_driver``, which cannot be imported without Ray."""


@dataclass(frozen=True)
class Cluster:
    """What a cluster is made of. Times are in seconds, sizes in bytes."""

    collectors: int
    episode: float
    """Of a collector's processor, for one episode."""
    cores: int = 16
    """Collectors a node."""
    learner_ask: float = 0.0
    """Of the learner's processor, for one episode: to ask for it, and to read it."""
    task: float = 0.0
    """Of the processor of the process that speaks with Ray, for one task, which has some jobs."""
    job: float = 0.0
    """Of the same, for one job of a task."""
    put: float = 0.0
    """Of the same, for one policy."""
    latency: float = 1e-3
    """Of one message."""
    bandwidth: float = 125e6
    """Of the learner's network, a second, each way: a gigabit by default."""

    def jobs_a_task(self, jobs: int) -> int:
        """Return how many of so many jobs share a task."""
        return max(1, jobs // (TASKS_A_SLOT * self.collectors))

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return -(-self.collectors // self.cores)


class VirtualCluster(Executor):
    """Answers each job with a recorded episode, at the time at which a cluster would.

    Time is the processor time of this process, plus what was waited: it passes at the same pace on
    a busy machine. Nodes get a policy one after the other, a collector runs one episode at a time,
    and episodes come back one after the other.

    Args:
        cluster: what answers.
        episodes: what is answered, in turn.
    """

    def __init__(self, cluster: Cluster, episodes: Sequence[Episode]) -> None:
        self.repeated, self.at_once = 0, cluster.collectors
        self._cluster, self._episodes = cluster, itertools.cycle(episodes)
        self._episode_bytes = len(pickle.dumps(episodes[0], protocol=5))
        self._waited = self._excluded = 0.0
        self._begun = time.process_time()
        # When each collector is free, and which node it is on.
        self._free = [(0.0, number % cluster.nodes) for number in range(cluster.collectors)]
        self._out = self._in = self._driver = 0.0
        self._policy: Any = None
        self._policy_at = [0.0] * cluster.nodes
        self.bytes_out = self.bytes_in = 0

    @property
    def now(self) -> float:
        """Seconds since the start, as they would be with the cluster."""
        return time.process_time() - self._begun - self._excluded + self._waited

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Deferred]:
        """Ask for episodes; they come in the order of the jobs."""
        cluster, begun = self._cluster, time.process_time()
        now = self.now
        size = cluster.jobs_a_task(len(jobs))
        finished: list[float] = []
        for first in range(0, len(jobs), size):
            task = jobs[first : first + size]
            if task[0].policy is not self._policy:
                self._ship(task[0].policy, now)
            self._driver = max(self._driver, now) + cluster.task + cluster.job * len(task)
            free, node = heapq.heappop(self._free)
            start = max(free, self._driver + cluster.latency, self._policy_at[node])
            end = start + cluster.episode * len(task)
            heapq.heappush(self._free, (end, node))
            finished += [end] * len(task)
        answers = [self._back(end) for end in finished]
        self._excluded += time.process_time() - begun
        return answers

    def close(self) -> None:
        """Nothing is open."""

    def _ship(self, policy: Any, now: float) -> None:
        size = len(pickle.dumps(policy, protocol=5))
        self._policy, self._driver = policy, max(self._driver, now) + self._cluster.put
        self._out = max(self._out, self._driver)
        for node in range(self._cluster.nodes):
            self._out += size / self._cluster.bandwidth
            self._policy_at[node] = self._out + self._cluster.latency
        self.bytes_out += size * self._cluster.nodes

    def _back(self, finished: float) -> Deferred:
        self._in = max(self._in, finished) + self._episode_bytes / self._cluster.bandwidth
        self.bytes_in += self._episode_bytes
        arrived, episode = self._in + self._cluster.latency, next(self._episodes)

        def wait() -> Episode:
            self._waited += max(0.0, arrived - self.now) + self._cluster.learner_ask
            return episode

        return Deferred(wait)
