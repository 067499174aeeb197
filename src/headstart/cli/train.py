"""``headstart train``."""

import argparse
from dataclasses import replace
from pathlib import Path

from headstart.cli.config import config_help, parse_config
from headstart.cli.display import TrainingDisplay
from headstart.cli.parser import Parser, default_collectors
from headstart.demos.storage import load_demos
from headstart.errors import InputError
from headstart.presets import PRESETS
from headstart.training.config import TrainConfig
from headstart.training.train import train

DESCRIPTION = """\
Train a policy for a goal environment, from demonstrations if there are some.

presets:
  fast      warm start by cloning, twin critics, averaged actor: a minute on a laptop (default)
  nair2018  DDPG + HER + demonstrations, the published configuration to the letter
  her       DDPG + HER without demonstrations, the published configuration

examples:
  headstart train FetchPickAndPlace-v4 --demos demos.npz
  headstart train FetchReach-v4 --env-steps 5000 --target-success 1.0
  headstart train FetchPickAndPlace-v4 --demos demos.npz --preset nair2018 --agent.no-q-filter
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    parser.more_help = _settings
    parser.add_argument("env", metavar="ENV", help="Gymnasium id, e.g. FetchPickAndPlace-v4")
    parser.add_argument("--preset", default="fast", help=f"one of {', '.join(PRESETS)}")
    parser.add_argument("--demos", type=Path, metavar="F.npz", help="demonstrations to learn from")
    parser.add_argument("--out", type=Path, metavar="DIR", help="run directory (runs/ENV-PRESET-N)")
    parser.add_argument(
        "--collectors",
        type=int,
        help="processes that run episodes; 0 runs them here; no result depends on it",
    )
    parser.set_defaults(run=_run, takes_options=True)


def _settings() -> str:
    return f"\nsettings, with the defaults of the fast preset:\n{config_help(PRESETS['fast'])}"


def _run(arguments: argparse.Namespace) -> None:
    if arguments.preset not in PRESETS:
        raise InputError(f"unknown preset {arguments.preset!r}; there are {', '.join(PRESETS)}")
    config = parse_config(arguments.options, PRESETS[arguments.preset])
    demos = None if arguments.demos is None else load_demos(arguments.demos)
    out = arguments.out or _new_directory(arguments.env, arguments.preset)
    collectors = arguments.collectors
    if collectors is None:
        collectors = default_collectors(config.cycle.episodes)
    with TrainingDisplay(config, out, warm_start_updates=_warm_up(config, demos)) as display:
        try:
            result = train(
                arguments.env,
                config,
                demos=demos,
                out=out,
                collectors=collectors,
                observers=[display],
            )
        except KeyboardInterrupt:
            kept = out / "policies"
            raise KeyboardInterrupt(f"; the policies so far are in {kept}") from None
    evaluation = result.evaluation
    print(
        f"success rate {evaluation.success_rate:.1%} over {evaluation.episodes} episodes after "
        f"{result.progress.env_steps} env steps and {result.progress.wall_seconds:.0f} s "
        f"({result.progress.evaluation_seconds:.0f} s of them evaluation)\n"
        f"policies: {out / 'policies'}\n"
        f"next:     headstart evaluate {out} --episodes 500"
    )


def _warm_up(config: TrainConfig, demos: object) -> int:
    cloning = config.warm_start if demos is not None else replace(config.warm_start, bc_updates=0)
    return cloning.bc_updates + cloning.critic_updates


def _new_directory(env_id: str, preset: str) -> Path:
    name = f"{env_id.rpartition(':')[2].replace('/', '-')}-{preset}"
    number = 1
    while (directory := Path("runs") / f"{name}-{number}").exists():
        number += 1
    return directory
