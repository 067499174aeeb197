"""The tables of ``docs/performance.md``."""

from collections.abc import Iterable, Sequence
from typing import Any

from report_demos import load

LOOPS = "threads of torch, collectors"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose columns are numbers, but for the first one of text."""
    rule = [
        "---" if head[0] in ("start", "processor", LOOPS) else "--:",
        *["--:"] * (len(head) - 1),
    ]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], f"|{'|'.join(rule)}|", *lines[1:]])


def on_machine(result: dict[str, Any]) -> str:
    """A line that names what a table was measured on, and how busy that was."""
    machine = result["machine"]
    processor, load = machine.get("processor") or machine["cpu"], result.get("load_average")
    load = machine.get("load_average", 0.0) if load is None else load
    notes = "" if load < 1.5 else f", beside other work (load average {load:.0f})"
    notes += "" if "processor" in machine else ", with an earlier learner"
    return f"On {processor}, {machine['cores']} cores{notes}:\n\n"


def updates_table(kind: str) -> str:
    """What an update costs against one of its sizes: ``batch``, ``width`` or ``critics``."""
    result = load("costs")
    if result is None:
        return ""
    found = result["updates"][kind].items()
    return on_machine(result) + table(
        [kind, "ms an update", "ms its products", "products' share"],
        [
            [
                f"{int(size):,}",
                f"{of['milliseconds']:.1f}",
                f"{of['floor']:.1f}",
                f"{of['floor'] / of['milliseconds']:.0%}",
            ]
            for size, of in found
        ],
    )


def devices_table() -> str:
    """Updates a second against the batch, on each device and with each width."""
    result = load("devices")
    if result is None:
        return ""
    rates = result["updates_per_second"]
    columns = [(device, width) for device, found in rates.items() for width in found]
    names = {"cpu": "one core", "cuda": result["gpu"]}
    sizes = next(iter(rates["cpu"].values()))
    return table(
        ["batch", *(f"{names[device]}, {width}" for device, width in columns)],
        [
            [
                f"{int(size):,}",
                *(f"{rates[device][width][size]['whole']:.0f}" for device, width in columns),
            ]
            for size in sizes
        ],
    )


def threads_table() -> str:
    """Updates a second with one thread, and how many times as many there are otherwise."""
    results = load("threads")
    if results is None:
        return ""
    sizes = [found for result in results for found in result["sizes"].values()]
    counts = sorted({count for found in sizes for count in found["updates_per_second"]}, key=int)[
        1:
    ]
    rows = []
    for result in results:
        name = f"{result['machine']['processor']}, {result['machine']['cores']} cores"
        for size, found in result["sizes"].items():
            rates, same = found["updates_per_second"], found["same_bits"]
            one = rates["1"]
            cells = [
                f"{rates[count] / one:.2f}{'' if same[count] else '*'}" if count in rates else ""
                for count in counts
            ]
            others = ("drawn_ahead_updates_per_second", "bfloat16_updates_per_second")
            cells += [f"{found[other] / one:.2f}" for other in others]
            rows.append([name, size, f"{one:.0f}", *cells])
    head = ["processor", "update", "updates a second", *(f"{count} threads" for count in counts)]
    return table([*head, "drawn ahead", "bfloat16"], rows)


def acting_table() -> str:
    """Env steps against the number of collectors."""
    result = load("costs")
    if result is None:
        return ""
    return on_machine(result) + table(
        ["collectors", "env steps a second", "env steps a second of processor time"],
        [
            [count, f"{rates['per_second']:,.0f}", f"{rates['per_cpu_second']:,.0f}"]
            for count, rates in result["env_steps"].items()
        ],
    )


def fill_table() -> str:
    """What a row of a batch costs against how many transitions are stored."""
    result = load("replay")
    if result is None:
        return ""
    return table(
        ["transitions stored", "µs a row"],
        [
            [f"{found['transitions']:,}", f"{found['microseconds_per_row']['median']:.2f}"]
            for found in result["fill"]
        ],
    )


def start_table() -> str:
    """Seconds from the command to the first env step and the first update."""
    result = load("start")
    if result is None:
        return ""
    rows = []
    for name, found in result["starts"].items():
        seconds = found["medians"]
        cells = [
            f"{seconds[moment]['cpu']:.1f} s ({seconds[moment]['wall']:.1f} s)"
            if moment in seconds
            else "after cloning"
            for moment in ("first env step", "first update")
        ]
        rows.append([name.replace(" | ", ", "), *cells])
    return on_machine(result) + table(["start", "first env step", "first update"], rows)


def loops_table() -> str:
    """Env steps a second of whole loops, by preset, threads of torch and collectors."""
    result = load("loops")
    if result is None:
        return ""
    rates = result["env_steps_per_second"]
    ways = next(iter(rates.values()))
    rows = [[way, *(f"{found[way]:.0f}" for found in rates.values())] for way in ways]
    return on_machine(result) + table([LOOPS, *(f"`{preset}`" for preset in rates)], rows)


def teleop_table() -> str:
    """Pictures, processor and latency of teleoperation."""
    result = load("teleop")
    if result is None or "key_to_picture_arrived_ms" not in result:
        return ""
    arrived, drawn = result["key_to_picture_arrived_ms"], result["key_to_picture_ms"]
    rows = {
        "pictures a second": f"{result['pictures_per_second']:.1f}",
        "cores that the command takes meanwhile": f"{result['cores']:.2f}",
        "from a key to the picture that shows it, median": f"{arrived} ms",
        "the same, until it is drawn in Chromium": f"{drawn} ms",
    }
    head = f"| `{result['env']}`, {result['picture']} pixels | |\n|---|--:|\n"
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return on_machine(result) + head + "\n".join(lines)
