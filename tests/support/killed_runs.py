"""A small run with all that a run can have, and how it is killed and resumed until it is done."""

import signal

from outcomes import find_damage
from small_runs import POINT

# A cycle is two episodes of 30 steps. The replay holds eight episodes of the twelve; from this seed
# the best policy is none of the last two.
# fmt: off
SETTINGS = [
    "--seed", "10", "--env-steps", "360", "--batch-size", "32", "--replay-capacity", "250",
    "--policy-every", "100", "--evaluation.every", "90", "--evaluation.episodes", "4",
    "--agent.hidden-sizes", "32", "32", "--agent.actor-lr", "0.01", "--agent.tau", "0.1",
    "--agent.actor-delay", "2", "--agent.q-filter-from", "20", "--resets.probability", "0.3",
    "--hindsight.moved-share", "0.5", "--warm-start.bc-updates", "100", "--warm-start.episodes",
    "2", "--warm-start.critic-updates", "60", "--cycle.updates", "4", "--checkpoint.seconds", "0",
]
# fmt: on


def command_for(directory, demo_file, collectors=0, settings=SETTINGS):
    """What follows ``headstart`` to begin a run, or to continue it."""
    here = ["--collectors", collectors]
    if directory.exists():
        return ["resume", directory, *here]
    return ["train", POINT, "--demos", demo_file, "--out", directory, *here, *settings]


def kill_again_and_again(warm, directory, demo_file, disturbances):
    """Kill each start of a run as planned, and let the last one run to its end.

    Args:
        warm: who starts them.
        directory: the run directory.
        demo_file: the demonstrations.
        disturbances: for each start its moments, the call that kills it, its number of collectors.

    Returns:
        How many starts were killed.
    """
    log, kills = directory.with_suffix(".log"), 0
    for disturbance in [*disturbances, {}]:
        options = dict(disturbance)
        command = command_for(directory, demo_file, options.pop("collectors", 0))
        code = warm(*command, log=log, **options)
        assert find_damage(directory) == []
        if code == 0:
            break
        assert code == -signal.SIGKILL, log.read_text()
        kills += 1
    printed = output_of(log)
    assert "not whole" not in printed, printed
    return kills


def output_of(log):
    """What a command has printed, which may be no traceback."""
    printed = log.read_text()
    assert "Traceback" not in printed, printed
    return printed
