"""What is learned of stacking from 100 demonstrations, as one JSON file.

    python benchmarks/stack_learning.py clone 2 3 4 --seeds 0 1 2 --work DIR
    python benchmarks/stack_learning.py one 2 3 4 --work DIR
    python benchmarks/stack_learning.py transfer 6 2 3 4 5 7 8 --work DIR
    python benchmarks/stack_learning.py train 2 3 --work DIR

``clone`` clones demonstrations of each number of blocks, and ``one`` those that one demonstration
was expanded to; ``transfer`` runs the clone of the first number on the others, of which it has seen
nothing; ``train`` learns on from the clones. Each seed has demonstrations of its own. Success means
success at the last step, and strict success that the tower stands by itself.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cells import demo_file, last_policy, write
from machine import machine

from headstart import (
    PRESETS,
    DemoSet,
    collect_demos,
    evaluate,
    expand_demos,
    expert_for,
    load_demos,
    train,
)
from headstart.demos.expansion.cost import expansion_env_steps
from headstart.files.run_files import read_metrics

OUT = Path(__file__).parent / "results" / "stack-learning.json"
DEMOS, NOISE = 100, 0.2
CONFIG = PRESETS["stack"]
ENV_STEPS = {2: 10_000, 3: 25_000, 4: 60_000, 5: 120_000, 6: 250_000}
"""At which what is trained is quoted."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("clone", "one", "transfer", "train"))
    parser.add_argument("counts", type=int, nargs="+", help="numbers of blocks")
    parser.add_argument("--work", type=Path, required=True, help="keeps demonstrations and runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="(0)")
    parser.add_argument("--episodes", type=int, default=500, help="greedy episodes (500)")
    parser.add_argument("--actor-inputs", default="auto", help="of clone; see `headstart train`")
    parser.add_argument("--env-steps", type=int, help="of train, if not the target's")
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        study = Study(arguments.work, seed, arguments.episodes)
        if arguments.what == "transfer":
            first, *counts = arguments.counts
            for count in counts:
                found = study.measured(f"clone-{first}", count)
                put(f"transfer{first}-{count}", seed, found)
            continue
        for count in arguments.counts:
            if arguments.what == "train":
                env_steps = arguments.env_steps or ENV_STEPS[count]
                put(f"train-{count}", seed, study.learn(count, env_steps))
            elif arguments.what == "one":
                put(f"one-{count}", seed, study.expand_and_clone(count))
            else:
                seen = arguments.actor_inputs
                name = "clone" if seen == "auto" else "everything"
                put(f"{name}-{count}", seed, study.clone(count, seen))


@dataclass(frozen=True)
class Study:
    """What is learned with one seed."""

    work: Path
    seed: int
    episodes: int

    def clone(self, count: int, seen: str) -> dict[str, Any]:
        """Clone demonstrations of a number of blocks."""
        name = f"clone-{count}" if seen == "auto" else f"clone-{count}-{seen}"
        return self._cloned(name, count, self._demos(count), seen)

    def expand_and_clone(self, count: int) -> dict[str, Any]:
        """Expand one demonstration, and clone what comes of it."""
        begun = time.perf_counter()
        file = demo_file(self._path(f"expanded-{count}", ".npz"), lambda: self._expanded(count))
        seconds = round(time.perf_counter() - begun, 1)
        cost = expansion_env_steps(load_demos(file).header)
        found = self._cloned(f"one-{count}", count, file, "auto")
        return {"expansion_env_steps": cost, "expanding_seconds": seconds, **found}

    def learn(self, count: int, env_steps: int) -> dict[str, Any]:
        """Train on from the clone of the same number of blocks."""
        name = f"train-{count}"
        begun, out = time.perf_counter(), self._path(name)
        config = CONFIG.with_(
            {
                "seed": self.seed,
                "env_steps": env_steps,
                "init_policy": str(self._path(f"clone-{count}")),
                "warm_start.bc_updates": 0,
            }
        )
        train(env_id(count), config, demos=self._demos(count), out=out)
        seconds = round(time.perf_counter() - begun, 1)
        curve = [[row["time/env_steps"], row["eval/success_rate"]] for row in read_metrics(out)]
        found = self.measured(name, count)
        return {"env_steps": env_steps, "curve": curve, "training_seconds": seconds, **found}

    def measured(self, name: str, count: int) -> dict[str, Any]:
        """Return how often the last policy of a run builds towers of a number of blocks."""
        policy = last_policy(self._path(name))
        result = evaluate(policy, env_id(count), episodes=self.episodes, seed=self.seed)
        kept = ("episodes", "success_rate", "strict_success_rate", "components", "endings")
        return {name: getattr(result, name) for name in kept}

    def _cloned(self, name: str, count: int, demos: str, seen: str) -> dict[str, Any]:
        begun, out = time.perf_counter(), self._path(name)
        settings = {"seed": self.seed, "env_steps": 0, "actor_inputs": seen}
        config = CONFIG.with_({**settings, "evaluation.episodes": 1})
        train(env_id(count), config, demos=demos, out=out)
        seconds = round(time.perf_counter() - begun, 1)
        return {"cloning_seconds": seconds, **self.measured(name, count)}

    def _demos(self, count: int) -> str:
        return demo_file(
            self._path(f"demos-{count}", ".npz"),
            lambda: self._collected(count, episodes=DEMOS, noise=NOISE, snapshots=False),
        )

    def _expanded(self, count: int) -> DemoSet:
        one = self._collected(count, episodes=1)
        how = CONFIG.demos
        return expand_demos(
            one,
            episodes=DEMOS * count,
            speed=how.expand_speed or 1.0,
            noise=how.expand_noise,
            seed=self.seed,
            snapshots=False,
        )

    def _collected(self, count: int, **settings: Any) -> DemoSet:
        return collect_demos(env_id(count), expert_for(env_id(count)), seed=self.seed, **settings)

    def _path(self, name: str, ending: str = "") -> Path:
        return self.work / f"{name}-{self.seed}{ending}"


def env_id(count: int) -> str:
    return f"FetchStack{count}-v0"


def put(name: str, seed: int, found: dict[str, Any]) -> None:
    """Put the result of a seed into the file, beside those that are there."""
    written = json.loads(OUT.read_text()) if OUT.exists() else {"machine": machine()}
    rest = [run for run in written.get(name, []) if run["seed"] != seed]
    written[name] = sorted([*rest, {"seed": seed, **found}], key=lambda run: run["seed"])
    write(OUT, dict(sorted(written.items())))
    print(name, seed, json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
