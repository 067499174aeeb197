"""One root seed, many named streams that do not disturb each other."""

import zlib

import numpy as np


def seed_sequence(seed: int, stream: str, *index: int) -> np.random.SeedSequence:
    """Return the sequence of one named stream, and within it of one indexed item.

    The name is hashed with CRC-32 and not with ``hash``, which differs from process to process.
    Adding a stream, or drawing more from one, never moves another.
    """
    return np.random.SeedSequence(seed, spawn_key=(zlib.crc32(stream.encode()), *index))


def generator(seed: int, stream: str, *index: int) -> np.random.Generator:
    """Return a fresh numpy generator for a named stream."""
    return np.random.default_rng(seed_sequence(seed, stream, *index))


def integer_seed(seed: int, stream: str, *index: int) -> int:
    """Return a seed in ``[0, 2**31)`` for what takes an integer (``env.reset``, torch)."""
    return int(seed_sequence(seed, stream, *index).generate_state(1)[0] >> 1)
