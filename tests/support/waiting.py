"""Waiting for other processes, on a machine of any speed."""

import time

TIMEOUTS = (3.0, 12.0, 48.0, 192.0)
"""Seconds to try one after the other where something must take longer, and all else less."""


def wait_until(true):
    """Wait until something is true; that it never is takes as long as a test may."""
    while not true():
        time.sleep(0.01)
