"""How often the scripted experts succeed, over 500 episodes each, as one JSON file.

Run ``python benchmarks/experts.py``, or with names of tasks to measure these alone.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from headstart import evaluate
from headstart.demos.experts import EXPERTS, expert_for
from headstart.envs.make import make_env
from headstart.training.evaluation import wilson_interval

OUT = Path(__file__).parent / "results" / "experts.json"
EPISODES = 500
TOWERS = tuple(f"FetchStack{count}" for count in range(1, 7))


def main(names: list[str]) -> None:
    written = json.loads(OUT.read_text()) if OUT.exists() else {}
    for name in names or [*(name for name in EXPERTS if name != "FetchStack"), *TOWERS]:
        written[name] = measure(name)
        content = {"command": "python benchmarks/experts.py"}
        content |= {name: written[name] for name in sorted(written) if name != "command"}
        OUT.write_text(json.dumps(content, indent=1) + "\n")
        result = written[name]
        print(f"{name}: {result['success_rate']:.1%}, {result['steps_to_success']} steps")


def measure(name: str) -> dict[str, Any]:
    if name in TOWERS:
        return build_towers(f"{name}-v0")
    return evaluate(EXPERTS[name], f"{name}-v4", episodes=EPISODES, collectors=2).to_json()


def build_towers(env_id: str) -> dict[str, Any]:
    """Measure strict success too, and the env steps a block until then."""
    env, expert = make_env(env_id), expert_for(env_id)
    success, strict, first = [], [], []
    begun = time.process_time()
    for seed in range(EPISODES):
        infos = _episode(env, expert, seed)
        success.append(infos[-1]["is_success"])
        strict.append(infos[-1]["strict_success"])
        reached = [step for step, info in enumerate(infos, 1) if info["strict_success"]]
        first += reached[:1]
    seconds = time.process_time() - begun
    num_blocks = env.unwrapped.num_blocks  # type: ignore[attr-defined]
    return {
        "env_id": env_id,
        "episodes": EPISODES,
        "success_rate": float(np.mean(success)),
        "interval": list(wilson_interval(sum(success), EPISODES)),
        "strict_success_rate": float(np.mean(strict)),
        "strict_interval": list(wilson_interval(sum(strict), EPISODES)),
        "steps_to_success": float(np.median(first)),
        "steps_per_block": float(np.mean(first)) / num_blocks,
        "env_steps_per_second": EPISODES * env.spec.max_episode_steps / seconds,  # type: ignore
        "failed_seeds": [seed for seed in range(EPISODES) if not strict[seed]],
    }


def _episode(env: Any, expert: Any, seed: int) -> list[dict[str, Any]]:
    """Return ``info`` of every step."""
    observation, _ = env.reset(seed=seed)
    infos, ended = [], False
    while not ended:
        observation, _, _, ended, info = env.step(expert(observation))
        infos.append(info)
    return infos


if __name__ == "__main__":
    main(sys.argv[1:])
