"""``headstart train``."""

import argparse
import re
from dataclasses import replace
from pathlib import Path

from headstart.cli.config import parse_train, train_help
from headstart.cli.display import TrainingDisplay
from headstart.cli.parser import Parser, default_collectors
from headstart.demos.storage import load_demos
from headstart.presets import PRESETS
from headstart.training.config import TrainConfig
from headstart.training.train import train

DESCRIPTION = """\
Train a policy for a goal environment, from demonstrations if there are some.

presets:
  fast      warm start by cloning, twin critics, averaged actor: a minute on a laptop (default)
  nair2018  DDPG + HER + demonstrations, the published configuration to the letter
  her       DDPG + HER without demonstrations, the published configuration
The defaults below are those of fast.

examples:
  headstart train FetchPickAndPlace-v4 --demos demos.npz
  headstart train FetchReach-v4 --env-steps 5000 --target-success 1.0
  headstart train FetchPickAndPlace-v4 --demos demos.npz --preset nair2018 --agent.no-q-filter
  headstart train PointMaze_UMaze-v3,continuing_task=false --agent.discount 0.99
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.written_help = lambda: train_help(DESCRIPTION, PRESETS)
    parser.set_defaults(run=_run, takes_options=True)


def _run(arguments: argparse.Namespace) -> None:
    command = parse_train(arguments.options, PRESETS)
    config = command.settings
    demos = None if command.demos is None else load_demos(command.demos)
    out = command.out or _new_directory(command.env, command.preset)
    collectors = command.collectors
    if collectors is None:
        collectors = default_collectors(config.cycle.episodes)
    with TrainingDisplay(config, out, warm_start_updates=_warm_up(config, demos)) as display:
        try:
            result = train(
                command.env,
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
    name, _, arguments = env_id.partition(",")
    parts = (name.rpartition(":")[2], arguments, preset)
    plain = re.sub(r"[^\w.=-]+", "-", "-".join(part for part in parts if part))
    number = 1
    while (directory := Path("runs") / f"{plain}-{number}").exists():
        number += 1
    return directory
