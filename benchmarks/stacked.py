"""Whether learners of several seeds are faster in one process as one stacked learner.

    python benchmarks/stacked.py

The passes and steps of an update of ``fast`` (actor, two critics with layer norm, batch of 256), by
the library's own layers: once for each seed, and once for all with weights of ``(seeds, in, out)``.
One thread, processor time, the two in turn; targets, losses, sampling and averaging are left out,
which are as many either way.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

# Before torch is imported, which reads it then.
os.environ["OMP_NUM_THREADS"] = "1"

import torch
from machine import machine
from torch import Tensor

from headstart.agents.adam import Adam
from headstart.agents.passes import _Layers
from headstart.runs.execution import keep_freed_memory

RESULTS = Path(__file__).parent / "results" / "stacked.json"
INPUTS, ACTIONS, BATCH = 31, 4, 256
COLUMNS = "width  seeds  separate ms  stacked ms  separate / stacked (rounds, lowest to highest)"
Network = list[tuple[Tensor, Tensor]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--widths", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 5, 10])
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    cases = [
        measure(width, seeds, arguments.rounds)
        for width in arguments.widths
        for seeds in arguments.seeds
    ]
    content = {"command": "python benchmarks/stacked.py", "machine": machine(), "cases": cases}
    RESULTS.write_text(json.dumps({**content, "torch": torch.__version__}, indent=1) + "\n")
    print(COLUMNS)
    for case in cases:
        low, high = case["ratio_range"]
        print(
            f"{case['width']:5d} {case['seeds']:6d} {case['separate_ms']:12.2f} "
            f"{case['stacked_ms']:11.2f} {case['ratio']:6.2f} ({low:.2f} to {high:.2f})"
        )


def measure(width: int, seeds: int, rounds: int) -> dict[str, object]:
    """Return processor time of an update of all seeds, separately and stacked."""
    apart = [learner(width, None) for _ in range(seeds)]
    together = learner(width, seeds)

    def separate() -> None:
        for update in apart:
            update()

    pairs = [(seconds(separate), seconds(together)) for _ in range(rounds + 1)][1:]
    ratios = sorted(one / other for one, other in pairs)
    return {
        "width": width,
        "seeds": seeds,
        "separate_ms": 1e3 * statistics.median(one for one, _ in pairs),
        "stacked_ms": 1e3 * statistics.median(other for _, other in pairs),
        "ratio": statistics.median(ratios),
        "ratio_range": [ratios[0], ratios[-1]],
    }


def seconds(turn: Callable[[], None]) -> float:
    """Return the processor time of one turn, from as many as take a tenth of a second."""
    count, begin = 0, time.process_time()
    while (taken := time.process_time() - begin) < 0.1:
        turn()
        count += 1
    return taken / count


def learner(width: int, seeds: int | None) -> Callable[[], None]:
    """Return the passes and steps of one update: of one seed, or of several that are stacked."""
    stack = () if seeds is None else (seeds,)
    actor = network([INPUTS, width, width, width, ACTIONS], stack)
    critics = network([INPUTS + ACTIONS, width, width, width, 1], (2 * (seeds or 1),))
    # The actor climbs one of each pair of critics.
    climbed = [(weight[::2], bias[::2]) for weight, bias in critics]
    steps = [Adam([*weights, *biases], 1e-3) for weights, biases in (unzip(actor), unzip(critics))]
    inputs = torch.randn(*stack, BATCH, INPUTS)
    by_values, by_value = torch.randn(2 * (seeds or 1), BATCH, 1), torch.randn(seeds or 1, BATCH, 1)
    of_critics = torch.randn(2 * (seeds or 1), BATCH, INPUTS + ACTIONS)

    def update() -> None:
        # The target networks, which cost the same as the online ones.
        _Layers(actor, inputs, layer_norm=False)
        _Layers(critics, of_critics, layer_norm=True)
        rated = _Layers(critics, of_critics, layer_norm=True)
        steps[1].step(rated.parameter_gradients(by_values))
        acted = _Layers(actor, inputs, layer_norm=False)
        joined = torch.cat([inputs, acted.output], dim=-1)
        value = _Layers(climbed, joined.view(seeds or 1, BATCH, -1), layer_norm=True)
        by_action = value.input_gradient(by_value, ACTIONS)
        steps[0].step(acted.parameter_gradients(by_action.reshape(acted.output.shape)))

    return update


def network(sizes: list[int], stack: tuple[int, ...]) -> Network:
    """Return random weights ``(*stack, in, out)`` and biases."""
    row = () if not stack else (1,)
    return [
        (torch.randn(*stack, before, after) / before**0.5, torch.zeros(*stack, *row, after))
        for before, after in pairwise(sizes)
    ]


def unzip(layers: Network) -> tuple[list[Tensor], list[Tensor]]:
    return [weight for weight, _ in layers], [bias for _, bias in layers]


if __name__ == "__main__":
    main()
