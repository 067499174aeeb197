"""Tables of ``docs/reliability.md``: what was killed, what saving costs, what was damaged."""

from report_demos import load


def reliability_table() -> str:
    """The figures behind the promises, each with the command that made it."""
    rows = ["| | measured | by |", "|---|--:|---|"]
    chaos, checkpoint = load("chaos"), load("checkpoint")
    if chaos is not None:
        same, runs = chaos["runs_with_the_same_bytes"], chaos["runs"]
        by = f"`{chaos['command']}`"
        rows += [
            f"| kills with SIGKILL at random moments | {chaos['kills']} | {by} |",
            f"| of them during the writing of a file | {chaos['kills_amid_a_write']} | |",
            f"| damaged files after a kill | {chaos['damaged_files']} | |",
            f"| killed runs that ended with the bytes of one never killed | {same} of {runs} | |",
        ]
        videos = chaos.get("videos")
        if videos is not None:
            kills = f"{videos['kills']} kills of `headstart play`"
            rows.append(f"| damaged videos after {kills} | {videos['damaged']} | |")
    if checkpoint is not None:
        full, overhead = checkpoint["full"], checkpoint["overhead"]
        by = f"`{checkpoint['command']}`"
        stored = f"with {full['transitions']:,} transitions stored"
        share, interval = overhead["share_of_wall_time"], overhead["interval_seconds"]
        rows += [
            f"| saving a run {stored} | {full['later_save_seconds']:.2f} s | {by} |",
            f"| the same if none of them was saved before | {full['first_save_seconds']:.1f} s | |",
            f"| resuming it, imports aside | {full['resume_seconds']:.1f} s | |",
            f"| a checkpoint every {interval:.0f} s, share of a run's time | {share:.2%} | |",
        ]
    return "\n".join(rows) if len(rows) > 2 else ""


def fuzz_table() -> str:
    """What became of the damaged files, for each reader."""
    result = load("fuzz")
    if result is None:
        return ""
    rows = [
        "| damaged | files | refused | the previous one | read | slowest | memory |",
        "|---|" + "--:|" * 6,
    ]
    for reader, found in result["readers"].items():
        counts = found["outcomes"]
        # Bytes that nothing depends on may change: names, unused bits, what compression leaves.
        read = counts.get("read", 0) + counts.get("as it was", 0)
        refused, before = counts.get("refused", 0), counts.get("the one before", 0)
        rows.append(
            f"| {reader} | {found['files']:,} | {refused:,} | {before:,} | {read:,} "
            f"| {found['slowest_seconds']:.2f} s | {found['memory_mib']} MiB |"
        )
    return "\n".join([*rows, "", f"`{result['command']}`"])
