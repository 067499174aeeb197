"""One root seed, many named streams that do not disturb each other."""

import zlib
from collections.abc import Mapping
from typing import Any

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


class Streams:
    """The random streams of a run by name, so that all of them can be saved and put back.

    Args:
        seed: the run's seed.
        process: which of several processes draws, each for itself.
    """

    def __init__(self, seed: int, process: int = 0) -> None:
        self._seed, self._index = seed, (process,) if process else ()
        self._generators: dict[str, np.random.Generator] = {}

    def __getitem__(self, name: str) -> np.random.Generator:
        """Return the generator of a stream; asking again gives the same one, wherever it stands."""
        if name not in self._generators:
            self._generators[name] = generator(self._seed, name, *self._index)
        return self._generators[name]

    def state(self) -> dict[str, Any]:
        """Return where every stream stands, as plain JSON values."""
        return {name: rng.bit_generator.state for name, rng in self._generators.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put every stream back to where it stood.

        Raises:
            ValueError: if the state is not that of this run's streams; none has been moved then.
        """
        self.check(state)
        for name, rng in self._generators.items():
            rng.bit_generator.state = state[name]

    def check(self, state: Mapping[str, Any]) -> None:
        """Refuse what ``restore`` refuses, and change nothing.

        Raises:
            ValueError: if the state is not that of this run's streams.
        """
        if state.keys() != self._generators.keys():
            raise ValueError(f"streams {sorted(state)} instead of {sorted(self._generators)}")
        for name, rng in self._generators.items():
            try:
                tried = type(rng.bit_generator)()
                tried.state = state[name]
                if tried.state != state[name]:
                    raise ValueError("it was rounded")
            except (ValueError, KeyError, TypeError, OverflowError) as error:
                raise ValueError(f"stream {name} cannot stand where the state says") from error
