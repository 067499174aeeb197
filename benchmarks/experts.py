"""How often the scripted experts succeed, over 500 episodes each, as one JSON file.

Run ``python benchmarks/experts.py``.
"""

import json
from pathlib import Path

from headstart import evaluate
from headstart.demos.experts import EXPERTS

OUT = Path(__file__).parent / "results" / "experts.json"
EPISODES = 500


def main() -> None:
    results = {
        name: evaluate(expert, f"{name}-v4", episodes=EPISODES, collectors=2).to_json()
        for name, expert in EXPERTS.items()
    }
    content = {"command": "python benchmarks/experts.py", **results}
    OUT.write_text(json.dumps(content, indent=1) + "\n")
    for name, result in results.items():
        print(f"{name}: {result['success_rate']:.1%}, {result['steps_to_success']} steps")


if __name__ == "__main__":
    main()
