"""A goal environment that breaks its process as often as it is asked to.

``envs.faulty:Faulty-v0,kind=KIND,tokens=DIR`` takes one file of the directory each time it
misbehaves, and behaves once there is none; whichever process it runs in. With the kind ``any``, the
first word of the name of each file is the kind.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

import gymnasium as gym

from headstart.envs.toy import PointReach

KINDS = ("kill", "exit", "hang", "memory", "step", "reset")


class Faulty(PointReach):
    def __init__(self, kind, tokens):
        super().__init__()
        self.kind, self.tokens, self.steps = kind, Path(tokens), 0

    def reset(self, **options):
        self.steps = 0
        if self.due("reset"):
            raise OSError("the sensor does not answer")
        return super().reset(**options)

    def step(self, action):
        self.steps += 1
        for kind in KINDS[:-1] if self.steps == 7 else ():
            if self.due(kind):
                misbehave(kind)
        return super().step(action)

    def due(self, kind):
        """Take a file of a kind, and return whether there was one."""
        if self.kind not in (kind, "any"):
            return False
        for token in self.tokens.glob(f"{kind} *" if self.kind == "any" else "*"):
            # Of two processes that see it, one takes it.
            with contextlib.suppress(FileNotFoundError):
                token.unlink()
                return True
        return False


def misbehave(kind):
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "exit":
        os._exit(0)
    if kind == "hang":
        time.sleep(3600.0)
    if kind == "memory":
        raise MemoryError
    raise ZeroDivisionError("a wheel came off")


def tokens(directory, count):
    """Make a directory with so many tokens."""
    directory.mkdir()
    for number in range(count):
        (directory / str(number)).touch()
    return directory


gym.register("Faulty-v0", entry_point=Faulty, max_episode_steps=30)
