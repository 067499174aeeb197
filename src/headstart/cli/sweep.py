"""``headstart sweep``."""

import argparse
import contextlib
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from headstart.cli.parser import Parser, without_collection
from headstart.cli.sweep_words import read_grid, read_pairs, read_ranges, read_seeds
from headstart.cli.train import add_run, check_demos, directory_names, settings_of
from headstart.errors import InputError, RunError, require
from headstart.files.paths import user_path
from headstart.files.run_files import SWEEP
from headstart.processors import usable_cores
from headstart.runs.changes import command_for
from headstart.sweeps.display import SweepDisplay
from headstart.sweeps.launcher import Launcher
from headstart.sweeps.local import LocalRuns
from headstart.sweeps.plan import Grid, Plan
from headstart.sweeps.results import Result, read_results
from headstart.sweeps.slurm import ClusterRuns, slurm_executor
from headstart.sweeps.spec import Base, RunSpec
from headstart.sweeps.summary import best_command, describe_failures, describe_results
from headstart.sweeps.sweep import differs, run_sweep
from headstart.sweeps.tune import Tuning
from headstart.text import counted

_PLACES = ("cores", "slurm", "ray")
DESCRIPTION = """\
Train with several seeds, and with several values of settings: every combination of the values of
--grid, or what Optuna chooses in the ranges of --tune. Runs are those of `headstart train`, each in
a directory of its own in that of the sweep, as many at a time as there are cores.

The same command again continues a sweep that was stopped or killed: finished runs are left alone,
others continue to the same bits. sweep.json in the directory of the sweep holds all results;
`headstart plot`, `report` and `watch` take that directory and show runs that differ in their seed
alone as one.

examples:
  headstart sweep FetchReach-v4 --env-steps 5000 --seeds 0-4
  headstart sweep FetchPush-v4 --demos push.npz --seeds 0-4 --grid agent.q-weight=0.001,0.01,0.1
  headstart sweep FetchPush-v4 --demos push.npz --seeds 0-2 \\
      --grid agent.q-filter=true,false "agent.hidden-sizes=128 128,256 256 256" --dry-run
  headstart sweep FetchPush-v4 --demos 'push-{seed}.npz' --seeds 0-4 --out sweeps/push
  headstart sweep FetchPush-v4 --demos push.npz --seeds 0-2 --trials 30 \\
      --tune agent.q-weight=log:0.0001:0.1 agent.num-critics=1:3 hindsight.strategy=future,final
  headstart sweep FetchPush-v4 --demos push.npz --slurm partition=cpu mem=4GB time=240
  headstart report sweeps/push --out push.html
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    parser.usage = "%(prog)s [-h] [OPTIONS] ENV"
    group = parser.add_argument_group("runs")
    group.add_argument(
        "--seeds", default="0-4", metavar="SEEDS", help="Such as 0-4 or 0,3,7. (default: 0-4)"
    )
    group.add_argument(
        "--grid",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE,VALUE",
        help="Values of a setting; of several settings every combination is run. Numbers of a list "
        'have spaces between them: "agent.hidden-sizes=128 128,256 256".',
    )
    _add_tuning(parser)
    _add_running(parser)
    add_run(parser, without=["seed"])
    parser.set_defaults(run=_run)


def _add_tuning(parser: Parser) -> None:
    group = parser.add_argument_group(
        "tuning",
        "Needs `pip install 'headstart[tune]'`. What is maximised is the mean success over\n"
        "the last 3 evaluations of each run, over the seeds.",
    )
    group.add_argument(
        "--tune",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=RANGE",
        help="Range of a setting: LOW:HIGH; log:LOW:HIGH for one whose order of magnitude matters; "
        "VALUE,VALUE for one of these.",
    )
    group.add_argument("--trials", type=int, metavar="INT", help="Settings to try. (default: 20)")
    group.add_argument(
        "--trials-per-round",
        type=int,
        metavar="INT",
        help="Trials that are chosen from the results of the same earlier ones: more keep more "
        "cores busy, fewer learn more of each. (default: 4)",
    )


def _add_running(parser: Parser) -> None:
    group = parser.add_argument_group("running")
    group.add_argument(
        "--out",
        type=user_path,
        metavar="DIR",
        help="Directory of the sweep; if not given, the first of sweeps/ENV-PRESET-N that holds "
        "this sweep or is not there.",
    )
    group.add_argument(
        "--cores",
        type=int,
        metavar="INT",
        help="Cores to keep busy; a run takes one. (default: all)",
    )
    group.add_argument(
        "--slurm",
        nargs="*",
        metavar="NAME=VALUE",
        help="Submit each run as a job of Slurm, which needs `pip install 'headstart[slurm]'`. "
        "Options are those of sbatch with underscores: partition=cpu mem=4GB time=240 (minutes).",
    )
    group.add_argument(
        "--ray",
        nargs="?",
        const="ray",
        metavar="ray://HOST:PORT",
        help="Run them on a Ray cluster, which needs `pip install 'headstart[cluster]'`; without "
        "an address on the one that the variable RAY_ADDRESS names.",
    )
    group.add_argument(
        "--collectors",
        type=int,
        default=0,
        metavar="INT",
        help="Processes that run the episodes of each run; with 0 a run is one process, which is "
        "best where there are more runs than cores. (default: 0)",
    )
    group.add_argument(
        "--retry-failed",
        action="store_true",
        help="Continue runs that have failed from their last checkpoint.",
    )
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="Print the command of each run, and start none.",
    )


def _run(arguments: argparse.Namespace) -> None:
    require(arguments.collectors >= 0, "--collectors must not be negative", arguments.collectors)
    given = [f"--{name}" for name in _PLACES if getattr(arguments, name) is not None]
    require(len(given) <= 1, f"{' and '.join(given)} exclude each other", "both")
    if arguments.cores is not None:
        require(arguments.cores >= 1, "--cores must be at least 1", arguments.cores)
    plan = _plan_of(arguments)
    _check_runs(plan.more(()))
    out = arguments.out or _directory(arguments, plan)
    if arguments.dry_run:
        _print_commands(plan.more(()), out)
        return
    launcher, retry = _launcher(arguments, out), arguments.retry_failed
    with _explain_stop(arguments), SweepDisplay() as display:
        results = run_sweep(out, plan, launcher, retry_failed=retry, watcher=display)
    _print_outcome(results, out, arguments)


def _launcher(arguments: argparse.Namespace, out: Path) -> Launcher:
    if arguments.slurm is not None:
        return ClusterRuns(slurm_executor(out, read_pairs("--slurm", arguments.slurm)))
    if arguments.ray is not None:
        # It imports torch.
        from headstart.sweeps.ray import RayRuns

        return RayRuns(arguments.ray)
    return LocalRuns(usable_cores() if arguments.cores is None else arguments.cores)


def _plan_of(arguments: argparse.Namespace) -> Plan:
    config = settings_of(arguments)
    base = Base(
        env_id=arguments.env,
        config=config,
        demos=None if arguments.demos is None else tuple(arguments.demos),
        collectors=arguments.collectors,
    )
    seeds = read_seeds(arguments.seeds)
    if arguments.grid and arguments.tune:
        raise InputError("--grid and --tune exclude each other; --tune takes NAME=VALUE,VALUE too")
    numbers = {"trials": arguments.trials, "per_round": arguments.trials_per_round}
    given = {name: number for name, number in numbers.items() if number is not None}
    if arguments.tune:
        ranges = read_ranges(arguments.tune, config, arguments.changes)
        return Tuning(base=base, seeds=seeds, ranges=ranges, **given)
    if given:
        raise InputError("--trials and --trials-per-round need --tune NAME=RANGE")
    grid = read_grid(arguments.grid, config, arguments.changes)
    return Grid(base=base, seeds=seeds, values=grid)


def _check_runs(specs: Sequence[RunSpec]) -> None:
    """Refuse runs that could not begin."""
    for files in dict.fromkeys(spec.demos for spec in specs):
        check_demos(files)
    # After the options are read: it imports torch.
    with without_collection():
        from headstart.runs.fitting import check_runs

    first = specs[0]
    # Those of one seed stand for all.
    configs = [it.config for it in specs if it.config.seed == first.config.seed]
    check_runs(first.env_id, configs, first.demos)


def _directory(arguments: argparse.Namespace, plan: Plan) -> Path:
    """Return the first directory that holds this sweep, or is not there."""
    for path in directory_names(arguments.env, arguments.preset, "sweeps"):
        if not path.exists():
            return path
        with contextlib.suppress(InputError):
            if differs(read_results(path), plan.identity) is None:
                return path
    raise AssertionError("there are always more names")


def _print_commands(specs: Sequence[RunSpec], out: Path) -> None:
    for spec in specs:
        options = ["--out", str(out / spec.name), "--collectors", str(spec.collectors)]
        print(command_for(spec.env_id, spec.config, spec.demos, *options))


@contextlib.contextmanager
def _explain_stop(arguments: argparse.Namespace) -> Iterator[None]:
    """Add to the message of a sweep that was stopped how to continue it."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        words = str(interrupt) or "interrupted"
        raise KeyboardInterrupt(f"{words}; continue with: {arguments.command}") from interrupt


def _print_outcome(results: Sequence[Result], out: Path, arguments: argparse.Namespace) -> None:
    failures = describe_failures(results, out)
    place = shlex.quote(str(out))
    lines = [describe_results(results), *failures, f"results: {out / SWEEP}"]
    if arguments.tune:
        lines += [f"best:    {line}" for line in best_command(results)]
    if any(result.rows for result in results):
        lines.append(f"next:    headstart report {place} --out {shlex.quote(f'{out}.html')}")
    print("\n".join(lines), flush=True)
    if failures:
        number = f"{len(failures)} of {counted(len(results), 'run')} failed"
        command = arguments.command.removesuffix(" --retry-failed")
        raise RunError(
            f"{number}; when the cause is fixed, continue them with: {command} --retry-failed"
        )
