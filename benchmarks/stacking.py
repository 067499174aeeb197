"""What demonstrations of stacking yield when they are expanded, as one JSON file.

Run ``python benchmarks/stacking.py``, or with numbers of blocks to measure these alone.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart import collect_demos, expand_demos, expert_for
from headstart.errors import InputError

OUT = Path(__file__).parent / "results" / "stacking.json"
SOURCES, EPISODES, SPEED = 3, 20, 1.5


def main(counts: list[int]) -> None:
    written = json.loads(OUT.read_text()) if OUT.exists() else {}
    for count in counts:
        written[str(count)] = expand(f"FetchStack{count}-v0")
        written["command"] = "python benchmarks/stacking.py"
        OUT.write_text(json.dumps(dict(sorted(written.items())), indent=1) + "\n")
        print(count, json.dumps(written[str(count)]), flush=True)


def expand(env_id: str) -> dict[str, Any]:
    """Expand demonstrations of the expert, one at a time."""
    sources = collect_demos(env_id, expert_for(env_id), episodes=SOURCES)
    costs, first = [], []
    for source in sources.episodes:
        one = replace(sources, episodes=(source,))
        try:
            made = expand_demos(one, episodes=EPISODES, speed=SPEED)
        except InputError as error:
            costs.append({"refused": str(error)})
            continue
        costs.append({**made.header["expansion"], "sources": None})
        first += [int(np.argmax(episode.is_success)) + 1 for episode in made.episodes]
    done = [cost for cost in costs if "kept" in cost]
    kept = sum(cost["kept"] for cost in done)
    return {
        "env_id": env_id,
        "speed": SPEED,
        "yields": [cost["kept"] / cost["attempts"] if "kept" in cost else 0.0 for cost in costs],
        "env_steps_per_kept": sum(cost["env_steps"] for cost in done) / max(kept, 1),
        "steps_to_success": float(np.median(first)) if first else None,
    }


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [1, 2, 3, 4, 5])
