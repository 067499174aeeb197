"""Commands in several processes, started as torchrun starts them, but forked."""

import socket


def start_together(
    warm, size, *arguments, log, differently=None, moments=None, places=None, restarts=0
):
    """Start a command in so many processes.

    Args:
        warm: who starts them.
        size: how many.
        arguments: what follows ``headstart``.
        log: the file that the output of the first is appended to; others have a number behind.
        differently: more arguments of some, by number.
        places: where some are started, by number.
        moments: when some signal themselves, by number.
        restarts: how often torchrun would have started them before.

    Returns:
        Their process ids, each to be waited for.
    """
    port = str(free_port())
    return [
        warm.start(
            *arguments,
            *(differently or {}).get(rank, ()),
            log=log_of(log, rank),
            moments=(moments or {}).get(rank, ()),
            directory=(places or {}).get(rank),
            environment={
                **{"TORCHELASTIC_RUN_ID": "test", "TORCHELASTIC_RESTART_COUNT": str(restarts)},
                **{"RANK": str(rank), "LOCAL_RANK": str(rank)},
                **{"WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size)},
                **{"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port},
            },
        )
        for rank in range(size)
    ]


def together(warm, *arguments, **options):
    """Run a command in several processes, and return their exit codes."""
    return [warm.wait(process) for process in start_together(warm, *arguments, **options)]


def log_of(log, rank):
    """Return the file that holds the output of one process."""
    return log.with_name(f"{log.name}.{rank}") if rank else log


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
