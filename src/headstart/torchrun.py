"""The environment variables that torchrun sets for the processes that it starts."""

import os


def is_used() -> bool:
    """Return whether torchrun has started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def rank() -> int:
    """Return the number of this process among those of the run, from 0 on."""
    return _number("RANK", 0)


def local_rank() -> int:
    """Return its number among those on this machine."""
    return _number("LOCAL_RANK", 0)


def local_size() -> int:
    """Return how many processes of the run there are on this machine."""
    return _number("LOCAL_WORLD_SIZE", 1)


def restarts() -> int:
    """Return how often torchrun has started the run again after a process of it had died."""
    return _number("TORCHELASTIC_RESTART_COUNT", 0)


def _number(name: str, otherwise: int) -> int:
    return int(os.environ.get(name, otherwise)) if is_used() else otherwise
