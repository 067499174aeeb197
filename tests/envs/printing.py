"""A goal environment that prints on all occasions, in Python, past Python, and as C code does."""

import atexit
import ctypes
import os
import sys

import gymnasium as gym

from headstart.envs.toy import PointReach

print("simulator 1.0 imported")
if "pytest" not in sys.modules:  # The end of the tests is to be quiet.
    atexit.register(print, "simulator 1.0 ends")


class Printing(PointReach):
    def __init__(self):
        super().__init__()
        print("simulator 1.0 ready")
        # Buffered by the C library where the output is not a terminal, as PyBullet's banner is.
        ctypes.CDLL(None).printf(b"simulator 1.0: built for CPU\n")

    def reset(self, **options):
        os.write(1, b"simulator 1.0 reset\n")
        return super().reset(**options)

    def step(self, action):
        print("simulator 1.0 steps")
        return super().step(action)

    def close(self):
        print("simulator 1.0 closed")


gym.register("Printing-v0", entry_point=Printing, max_episode_steps=5)
