"""What a disk can do to a run: refuse, fill up, vanish."""

import contextlib
import os

from kill_at import Moment


def refuse(number):
    """Refuse a system call as the system does."""
    raise OSError(number, os.strerror(number))


def refusals(place, number, first, last, when="before"):
    """The moments at which the calls of a function from the first to the last are refused."""
    deed = ("refusals:refuse", [number])
    return [Moment(place=place, when=when, count=first, until=last, deed=deed)]


def fill(path):
    """Fill the disk to the last byte."""
    with open(path, "wb", buffering=0) as file:
        for size in (65536, 512, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
