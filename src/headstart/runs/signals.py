"""SIGINT and SIGTERM ask a run to stop where it can be resumed; a second one ends it at once.

Under torchrun more signals change nothing: it passes on those that processes get anyway, and kills
what has not ended after 30 seconds.
"""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

from headstart import torchrun


class StopRequest:
    """Whether somebody has asked the run to stop."""

    def __init__(self) -> None:
        self.made = False


@contextlib.contextmanager
def stop_signals() -> Iterator[StopRequest]:
    """Turn the first signal into a request, and the second into ``KeyboardInterrupt``.

    Outside of the main thread, where Python receives no signals, nothing changes.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # A shell script that starts a command with & has it ignore SIGINT: it means that.
    before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:
        if request.made and torchrun.is_used():
            return
        if request.made:
            restore()
            # Also for SIGTERM, whose default ends the process before its collectors are ended.
            raise KeyboardInterrupt
        request.made = True
        if torchrun.rank() > 0:
            return
        again = "" if torchrun.is_used() else "; again to quit at once"
        # Standard error may be closed, or within a line of its own: no reason not to stop in order.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            print(f"stopping as soon as it can be resumed{again}", file=sys.stderr)

    for number in before:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        restore()
