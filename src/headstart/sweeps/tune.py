"""Settings that are chosen by Optuna: ranges, and rounds of trials."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.errors import InputError, require
from headstart.sweeps.results import Cell, Result
from headstart.sweeps.spec import Base, RunSpec, check_seeds, shown

_NEEDED = "tuning needs Optuna: pip install 'headstart[tune]'"


@dataclass(frozen=True, kw_only=True)
class Range:
    """The values that a setting may take."""

    values: tuple[Any, ...] = ()
    """These, if there are any; else those between the bounds."""
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    """Whether to choose among powers: as many from 0.001 to 0.01 as from 0.01 to 0.1."""
    whole: bool = False
    """Whether the values are integers."""

    def __post_init__(self) -> None:
        if self.values:
            return
        require(self.low < self.high, "a range goes up", f"{self.low:g}:{self.high:g}")
        require(not self.log or self.low > 0, "a range with log: lies above 0", self.low)

    def __str__(self) -> str:
        """Return it as it is typed."""
        if self.values:
            return ",".join(map(shown, self.values))
        return f"{'log:' * self.log}{self.low:.12g}:{self.high:.12g}"

    def inner(self, value: Any) -> Any:
        """Return what Optuna is shown for a value: of some that are listed, which one."""
        return self.values.index(value) if self.values else value

    def outer(self, value: Any) -> Any:
        """Return the value of what Optuna has chosen."""
        return self.values[value] if self.values else value


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """Trials, each over all seeds, in rounds: those of one are chosen by the scores of all before.

    What is maximised is the score: mean success over the last evaluations of a run, over the seeds.
    Nothing else enters the choice, so the trials do not depend on cores, order or kills.
    """

    base: Base
    seeds: Sequence[int]
    ranges: Mapping[str, Range]
    trials: int = 20
    per_round: int = 4

    def __post_init__(self) -> None:
        check_seeds(self.seeds)
        require(self.trials >= 1, "--trials must be at least 1", self.trials)
        require(self.per_round >= 1, "--trials-per-round must be at least 1", self.per_round)
        for name, each in self.ranges.items():
            # Both ends first: a range that is refused is refused before anything runs.
            for value in each.values or (each.low, each.high):
                self.base.spec({name: int(value) if each.whole else value}, self.seeds[0])
        import_optuna()

    @property
    def identity(self) -> dict[str, Any]:
        """What the sweep is made of: all but the number of trials, which may grow."""
        # As text: a score is over all seeds, so that theirs must not.
        seeds = ",".join(map(str, self.seeds))
        return {
            **self.base.identity,
            "seeds": seeds,
            "tune": {name: str(each) for name, each in self.ranges.items()},
            "trials_per_round": self.per_round,
        }

    def more(self, results: Sequence[Result]) -> list[RunSpec]:
        """Return the runs of the next round."""
        each = len(self.seeds)
        done = [
            Cell(settings=results[at].spec.settings, results=results[at : at + each])
            for at in range(0, len(results), each)
        ]
        chosen: list[dict[str, Any]] = []
        for trial in range(len(done), min(len(done) + self.per_round, self.trials)):
            chosen.append(self._choose(trial, done, chosen))
        return [
            self.base.spec(settings, seed, f"trial{trial:03d}")
            for trial, settings in enumerate(chosen, len(done))
            for seed in self.seeds
        ]

    def _choose(
        self, trial: int, done: Sequence[Cell], chosen: Sequence[dict[str, Any]]
    ) -> dict[str, Any]:
        """Return the settings of a trial.

        Args:
            trial: its number, from which all that is random in the choice follows.
            done: the trials before it whose runs are over.
            chosen: the settings of those before it that are not.
        """
        optuna = import_optuna()
        kinds = {name: _distribution(optuna, each) for name, each in self.ranges.items()}
        sampler = optuna.samplers.TPESampler(seed=trial, constant_liar=True)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        stages = optuna.trial.TrialState
        ended = [(it.settings, it.score, stages.COMPLETE) for it in done if it.score is not None]
        for settings, score, state in (*ended, *((it, None, stages.RUNNING) for it in chosen)):
            params = {name: each.inner(settings[name]) for name, each in self.ranges.items()}
            study.add_trial(
                optuna.trial.create_trial(
                    state=state, value=score, params=params, distributions=kinds
                )
            )
        params = study.ask(kinds).params
        return {name: each.outer(params[name]) for name, each in self.ranges.items()}


def import_optuna() -> Any:
    """Return Optuna.

    Raises:
        InputError: if it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import optuna
    except ImportError as error:
        raise InputError(_NEEDED) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    return optuna


def _distribution(optuna: Any, each: Range) -> Any:
    if each.values:
        return optuna.distributions.CategoricalDistribution(range(len(each.values)))
    if each.whole:
        return optuna.distributions.IntDistribution(int(each.low), int(each.high), log=each.log)
    return optuna.distributions.FloatDistribution(each.low, each.high, log=each.log)
