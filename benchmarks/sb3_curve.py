"""Stable-Baselines3's SAC on FetchPickAndPlace-v4: with our demonstrations, and with its own HER.

    python benchmarks/sb3_curve.py --seeds 3 --env-steps 30000

Variant ``demos`` replays 100 demonstrations through ``DemoHerReplayBuffer``; variant ``her`` is
SB3's ``HerReplayBuffer`` without any. Everything else is the same. Success means success at the
last step; wall seconds leave evaluation out. The file is written after each evaluation, and a run
that is in it to the end is not run again, so an interrupted command can be typed again.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from machine import machine
from stable_baselines3 import SAC, HerReplayBuffer
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from headstart import DemoSet, collect_demos, evaluate, load_demos, make_env, save_demos
from headstart.demos.experts import expert_for
from headstart.integrations.sb3 import DemoHerReplayBuffer
from headstart.runs.record import PACKAGES

ENV_ID = "FetchPickAndPlace-v4"
RESULTS = Path(__file__).parent / "results" / "sb3-pick-and-place.json"
NUM_DEMOS = 100
VARIANTS: dict[str, dict[str, Any]] = {
    "demos": {"demo_fraction": 0.5, "relabel_fraction": 0.8},
    "her": {"n_sampled_goal": 4, "goal_selection_strategy": "future"},
}
SETTINGS: dict[str, Any] = {
    "learning_rate": 1e-3,
    "learning_starts": 1000,
    "buffer_size": 1_000_000,
    "batch_size": 256,
    "gamma": 0.95,
    "tau": 0.05,
    "ent_coef": 0.05,
    "train_freq": 1,
    "gradient_steps": 1,
    "policy_kwargs": {"net_arch": [256, 256, 256]},
}
NORMALIZE: dict[str, Any] = {"norm_reward": False, "clip_obs": 5.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0 on (3)")
    parser.add_argument("--env-steps", type=int, default=30_000, help="of each run (30000)")
    parser.add_argument("--every", type=int, default=2000, help="env steps per evaluation (2000)")
    parser.add_argument("--episodes", type=int, default=100, help="per evaluation (100)")
    parser.add_argument("--variant", choices=[*VARIANTS, "both"], default="both")
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmark"), help="for the demos")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    demos = demonstrations(arguments.runs)
    described = description(arguments, demos)
    variants = VARIANTS if arguments.variant == "both" else [arguments.variant]
    for seed in range(arguments.seeds):
        for variant in variants:
            if reached(arguments.out, described, variant, seed) < arguments.env_steps:
                train(arguments, described, demos, variant, seed)


def train(
    arguments: argparse.Namespace,
    described: dict[str, Any],
    demos: DemoSet,
    variant: str,
    seed: int,
) -> None:
    """Run one seed of one variant, and write its curve down as it grows."""
    model, env = learner(variant, seed, demos)
    curve: dict[str, list[float]] = {
        name: [] for name in ("env_steps", "success_rate", "success_ever_rate", "wall_seconds")
    }
    seconds = 0.0
    while model.num_timesteps < arguments.env_steps:
        left = arguments.env_steps - model.num_timesteps
        start = time.perf_counter()
        model.learn(min(arguments.every, left), reset_num_timesteps=False, log_interval=None)
        seconds += time.perf_counter() - start
        result = evaluate(greedy(model, env), ENV_ID, episodes=arguments.episodes, seed=seed)
        curve["env_steps"].append(model.num_timesteps)
        curve["success_rate"].append(result.success_rate)
        curve["success_ever_rate"].append(result.success_ever_rate)
        curve["wall_seconds"].append(round(seconds, 1))
        write(arguments.out, described, variant, seed, curve)
        print(variant, seed, {name: values[-1] for name, values in curve.items()}, flush=True)


def learner(variant: str, seed: int, demos: DemoSet) -> tuple[SAC, VecNormalize]:
    """Return a fresh model and the env that normalises for it."""
    env = VecNormalize(DummyVecEnv([lambda: make_env(ENV_ID)]), **NORMALIZE)
    own = variant == "demos"
    model = SAC(
        "MultiInputPolicy",
        env,
        replay_buffer_class=DemoHerReplayBuffer if own else HerReplayBuffer,
        replay_buffer_kwargs=VARIANTS[variant] | ({"demos": demos} if own else {}),
        seed=seed,
        device="cpu",
        # A copy: SB3 adds to the policy's arguments in place.
        **deepcopy(SETTINGS),
    )
    return model, env


def greedy(model: SAC, env: VecNormalize) -> Callable[[Any], Any]:
    """Return the policy that takes the mean action."""
    return lambda observation: model.predict(env.normalize_obs(observation), deterministic=True)[0]


def demonstrations(runs: Path) -> DemoSet:
    """Return the demonstrations that ``benchmarks/learning.py`` uses too."""
    path = runs / f"{ENV_ID}-demos.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        save_demos(path, collect_demos(ENV_ID, expert_for(ENV_ID), episodes=NUM_DEMOS))
    return load_demos(path).first(NUM_DEMOS)


def description(arguments: argparse.Namespace, demos: DemoSet) -> dict[str, Any]:
    """Return all that the curves depend on, besides variant and seed."""
    packages = ("stable-baselines3", *PACKAGES)
    return {
        "command": f"python benchmarks/sb3_curve.py --seeds {arguments.seeds} "
        f"--env-steps {arguments.env_steps}",
        "env_id": ENV_ID,
        "algorithm": "SAC",
        "settings": SETTINGS,
        "normalize": NORMALIZE,
        "buffers": VARIANTS,
        "demos": demos.describe(),
        "evaluation": {"every": arguments.every, "episodes": arguments.episodes},
        "versions": {name: version(name) for name in packages},
        "machine": machine(),
    }


def stored_curves(out: Path, described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the curves in the file, which must come from the same settings and versions."""
    if not out.exists():
        return {variant: {} for variant in VARIANTS}
    stored = json.loads(out.read_text())
    changed = [key for key in described if key != "command" and stored[key] != described[key]]
    if changed:
        raise SystemExit(
            f"{out} has other {', '.join(changed)}: remove it, or choose another --out"
        )
    return stored["curves"]


def reached(out: Path, described: dict[str, Any], variant: str, seed: int) -> int:
    """Return how many env steps of a run are in the file."""
    curve = stored_curves(out, described)[variant].get(str(seed))
    return curve["env_steps"][-1] if curve else 0


def write(out: Path, described: dict[str, Any], variant: str, seed: int, curve: Any) -> None:
    """Put one curve into the file, which another process may be adding to as well."""
    curves = stored_curves(out, described)
    curves[variant][str(seed)] = curve
    staged = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    staged.write_text(json.dumps({**described, "curves": curves}, indent=1) + "\n")
    staged.replace(out)


if __name__ == "__main__":
    main()
