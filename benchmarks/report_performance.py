"""The tables of ``docs/performance.md``."""

from report_demos import load


def updates_table(kind: str) -> str:
    """What an update costs against one of its sizes: ``batch``, ``width`` or ``critics``."""
    result = load("costs")
    if result is None:
        return ""
    rows = [f"| {kind} | ms an update | ms its products | products' share |", "|--:|--:|--:|--:|"]
    for size, found in result["updates"][kind].items():
        ours, floor = found["milliseconds"], found["floor"]
        rows.append(f"| {int(size):,} | {ours:.1f} | {floor:.1f} | {floor / ours:.0%} |")
    return "\n".join(rows)


def acting_table() -> str:
    """Env steps against the number of collectors."""
    result = load("costs")
    if result is None:
        return ""
    rows = [
        "| collectors | env steps a second | env steps a second of processor time |",
        "|--:|--:|--:|",
    ]
    for count, rates in result["env_steps"].items():
        rows.append(f"| {count} | {rates['per_second']:,.0f} | {rates['per_cpu_second']:,.0f} |")
    return "\n".join(rows)


def fill_table() -> str:
    """What a row of a batch costs against how many transitions are stored."""
    result = load("replay")
    if result is None:
        return ""
    rows = ["| transitions stored | µs a row |", "|--:|--:|"]
    for found in result["fill"]:
        time = found["microseconds_per_row"]["median"]
        rows.append(f"| {found['transitions']:,} | {time:.2f} |")
    return "\n".join(rows)


def start_table() -> str:
    """Seconds from the command to the first env step and the first update."""
    result = load("start")
    if result is None:
        return ""
    rows = ["| start | first env step | first update |", "|---|--:|--:|"]
    for name, found in result["starts"].items():
        seconds = found["medians"]
        cells = [
            f"{seconds[moment]['cpu']:.1f} s ({seconds[moment]['wall']:.1f} s)"
            if moment in seconds
            else "after cloning"
            for moment in ("first env step", "first update")
        ]
        rows.append(f"| {name.replace(' | ', ', ')} | {' | '.join(cells)} |")
    return "\n".join(rows)
