"""What is measured: a list of cases, ours and theirs by turns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.speed import floors, ours, theirs
from benchmarks.speed.common import DDPG, FAST, TD3, Algorithm
from headstart.agents.precision import multiplies_bfloat16

UPDATES = "updates per second, sampling included"
UPDATES_ALONE = "updates per second, one batch over and over"
BATCHES = "sampled and relabelled batches per second"
ENV_STEPS = "env steps per second, acting but not learning"
WHOLE_LOOP = "env steps per second of training, one update each"
METRICS = (UPDATES, UPDATES_ALONE, BATCHES, ENV_STEPS, WHOLE_LOOP)

OURS, THEIRS, FLOOR = "headstart", "Stable-Baselines3", "floor"
OURS_BFLOAT16 = "headstart bfloat16"
COLLECTORS = (0, 1, 2)
_SHORT = 0.25
"""Share of ``--seconds`` for what needs no long run to be steady."""


@dataclass(frozen=True)
class Case:
    """One figure of the report."""

    metric: str
    who: str
    algorithm: Algorithm
    threads: int
    measure: Callable[..., float]
    share: float = _SHORT
    collectors: int | None = None

    @property
    def key(self) -> str:
        """Name in the JSON file."""
        parts = [self.metric, self.who, self.algorithm.name, f"torch threads {self.threads}"]
        if self.collectors is not None:
            parts.append(f"collectors {self.collectors}")
        return " | ".join(parts)


def all_cases(threads: Sequence[int]) -> list[Case]:
    """Return every case, for each of the given numbers of torch threads."""
    cases = list(_sampling_and_acting())
    for algorithm in (TD3, DDPG):
        for count in threads:
            cases += _updates(algorithm, count)
            cases += _whole_loop(algorithm, count)
    for count in threads:
        cases += [case for case in _updates(FAST, count) if case.who != THEIRS]
    return cases


def _sampling_and_acting() -> Iterator[Case]:
    # Neither depends on the critics, and a batch of one row needs no threads: TD3 stands for both.
    yield Case(ENV_STEPS, FLOOR, TD3, 1, floors.physics)
    for metric, name in ((BATCHES, "batches"), (ENV_STEPS, "env_steps")):
        for who, module in ((OURS, ours), (THEIRS, theirs)):
            yield Case(metric, who, TD3, 1, partial(getattr(module, name), TD3, threads=1))


def _updates(algorithm: Algorithm, threads: int) -> Iterator[Case]:
    def case(metric: str, who: str, function: Callable[..., float]) -> Case:
        return Case(metric, who, algorithm, threads, partial(function, algorithm, threads=threads))

    yield case(UPDATES, FLOOR, floors.products)
    yield case(UPDATES, OURS, ours.updates)
    yield case(UPDATES, THEIRS, theirs.updates)
    yield case(UPDATES_ALONE, OURS, ours.updates_without_sampling)
    yield case(UPDATES_ALONE, THEIRS, theirs.updates_without_sampling)


def _whole_loop(algorithm: Algorithm, threads: int) -> Iterator[Case]:
    for collectors in COLLECTORS:
        measure = partial(ours.whole_loop, algorithm, threads=threads, collectors=collectors)
        yield Case(WHOLE_LOOP, OURS, algorithm, threads, measure, 1.0, collectors)
        if multiplies_bfloat16():
            rounded = partial(measure, precision="bfloat16")
            yield Case(WHOLE_LOOP, OURS_BFLOAT16, algorithm, threads, rounded, 1.0, collectors)
        if collectors == 0:
            rival = partial(theirs.whole_loop, algorithm, threads=threads)
            yield Case(WHOLE_LOOP, THEIRS, algorithm, threads, rival, 1.0)
