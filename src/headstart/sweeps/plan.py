"""Which runs a sweep has: those of a grid, or of a list."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from headstart.errors import InputError, require
from headstart.sweeps.results import Result
from headstart.sweeps.spec import Base, RunSpec, as_json, check_seeds
from headstart.text import counted

MOST_RUNS = 10_000


class Plan(Protocol):
    """What a sweep is made of, and which runs that makes."""

    @property
    def identity(self) -> dict[str, Any]:
        """What makes it this sweep, as plain JSON values; ``seeds`` and ``grid`` may grow."""

    def more(self, results: Sequence[Result]) -> Sequence[RunSpec]:
        """Return the runs that come next, given the results of all before; none at the end."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Runs that somebody has listed."""

    specs: Sequence[RunSpec]
    identity: dict[str, Any]

    def more(self, results: Sequence[Result]) -> Sequence[RunSpec]:
        """Return all of them, once."""
        return () if results else self.specs


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Every combination of some values of settings, with every seed.

    Raises:
        InputError: if there is nothing to run or too much, or a value is refused or given twice.
    """

    base: Base
    seeds: Sequence[int]
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """By dotted name."""

    def __post_init__(self) -> None:
        check_seeds(self.seeds)
        for name, values in self.values.items():
            require(len(values) > 0, f"{name} has no values", list(values))
            twice = [value for index, value in enumerate(values) if value in values[:index]]
            if twice:
                raise InputError(f"{name} is given the value {twice[0]} twice")
        names = [spec.name for spec in self.more(())]
        twice = [name for index, name in enumerate(names) if name in names[:index]]
        if twice:
            raise InputError(
                f"two runs would be called {twice[0]}; give values that look different"
            )

    @property
    def identity(self) -> dict[str, Any]:
        """What makes it this sweep."""
        values = {name: as_json(each) for name, each in self.values.items()}
        return {**self.base.identity, "seeds": list(self.seeds), "grid": values}

    def more(self, results: Sequence[Result]) -> Sequence[RunSpec]:
        """Return all runs, once, the seeds of one combination next to another."""
        number = len(self.seeds)
        for values in self.values.values():
            number *= len(values)
        require(number <= MOST_RUNS, f"a sweep has at most {counted(MOST_RUNS, 'run')}", number)
        combinations = itertools.product(*self.values.values())
        cells = [dict(zip(self.values, each, strict=True)) for each in combinations]
        return () if results else [self.base.spec(it, seed) for it in cells for seed in self.seeds]
