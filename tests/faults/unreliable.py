"""What a process cannot rely on: its clock, its streams, its packages."""

import itertools
import os
import time


def jump():
    """Set the clock hours forth and years back each time that somebody looks."""
    hours = itertools.cycle([0.0, 5.0, -2.0, 9000.0, -200_000.0, 1.0])
    now = time.time()
    time.time = lambda: now + 3600.0 * next(hours)


def send_to_full_disk(stream):
    """Have what a stream writes refused."""
    os.dup2(os.open("/dev/full", os.O_WRONLY), stream)
