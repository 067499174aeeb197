"""``headstart evaluate``."""

import argparse
import json

import numpy as np

from headstart.cli.parser import Parser, add_collectors, add_policy, add_seed, at_least
from headstart.cli.trust import open_policy
from headstart.rollout.behaviour import declared_task
from headstart.rollout.executors import make_executor
from headstart.rollout.job import Behaviour, Constant
from headstart.standard_streams import prints_to_stderr
from headstart.terminal import progress_bar
from headstart.text import counted
from headstart.training.evaluation import EvalResult, evaluate

DESCRIPTION = """\
Run greedy episodes and count those that end in success, beside what doing nothing scores.

example:
  headstart evaluate runs/first --episodes 500
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    add_policy(parser)
    parser.add_argument("--episodes", type=at_least(1), default=100, help="greedy episodes (100)")
    add_seed(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--no-floor", action="store_true", help="do not measure what doing nothing scores"
    )
    add_collectors(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    # Where the environment is imported and built too, which may print.
    with prints_to_stderr(when=arguments.json):
        results = _evaluate(arguments)
    floor = results.get("floor")
    if arguments.json:
        print(json.dumps({**results["policy"].to_json(), "floor": floor and floor.to_json()}))
    else:
        _print(results["policy"], floor)


def _evaluate(arguments: argparse.Namespace) -> dict[str, EvalResult]:
    """Return how the policy does, and the floor if it is asked for."""
    policy, env_id = open_policy(arguments.policy, arguments.env, arguments.command)
    task = declared_task(policy, env_id)
    behaviours: dict[str, Behaviour] = {"policy": policy}
    if not arguments.no_floor:
        rest = np.zeros_like(policy.action_low).clip(policy.action_low, policy.action_high)
        behaviours["floor"] = Constant(rest)
    with (
        make_executor(env_id, arguments.collectors) as executor,
        progress_bar(f"evaluating on {env_id}", arguments.episodes * len(behaviours)) as tick,
    ):
        return {
            name: evaluate(
                behaviour,
                env_id,
                episodes=arguments.episodes,
                seed=arguments.seed,
                executor=executor,
                task=task,
                on_episode=tick,
            )
            for name, behaviour in behaviours.items()
        }


def _print(result: EvalResult, floor: EvalResult | None) -> None:
    low, high = result.interval
    print(f"{result.env_id}: {counted(result.episodes, 'greedy episode')}, seed {result.seed}")
    print(f"success at the last step  {result.success_rate:.1%}  (95%: {low:.1%} to {high:.1%})")
    for name, part in result.parts.items():
        count = counted(part.episodes, "episode")
        print(f"  goals: {name:<17}  {part.success_rate:.1%}  ({count})")
    for name, rate in result.components.items():
        print(f"  component: {name:<13}  {rate:.1%}")
    if result.strict_success_rate is not None:
        print(f"strict success            {result.strict_success_rate:.1%}")
    for ending, number in result.endings.items():
        print(f"  ended: {ending:<17}  {counted(number, 'episode')}")
    if result.failed:
        print(f"episodes that failed      {result.failed}  (counted as not successful)")
    print(f"success at any step       {result.success_ever_rate:.1%}")
    if result.steps_to_success is not None:
        print(f"median steps to success   {result.steps_to_success:.0f}")
    if floor is not None:
        parts = [f"{name} {part.success_rate:.1%}" for name, part in floor.parts.items()]
        detail = f"  ({', '.join(parts)})" if parts else ""
        print(f"doing nothing scores      {floor.success_rate:.1%}{detail}")
