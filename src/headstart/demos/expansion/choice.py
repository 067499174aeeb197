"""Which source demonstration the next attempts are made from."""

from collections.abc import Sequence
from dataclasses import dataclass

_GOOD = 0.85
"""Least share of successes of a good source, two successes added."""


@dataclass
class Tally:
    """How often a source was tried, and how often that succeeded."""

    attempts: int = 0
    successes: int = 0


def choose_sources(tallies: Sequence[Tally], count: int) -> list[int]:
    """Return the number of a source for each of ``count`` attempts that are made at once.

    The one with the highest share of successes comes next, a success and a failure added to each;
    what is not known yet counts as failed, so that sources that are equally good take turns.
    """
    asked = [0] * len(tallies)
    chosen = []
    for _ in range(count):
        shares = [
            (tally.successes + 1) / (tally.attempts + more + 2)
            for tally, more in zip(tallies, asked, strict=True)
        ]
        number = shares.index(max(shares))
        asked[number] += 1
        chosen.append(number)
    return chosen


def stick_to_good(tallies: Sequence[Tally], count: int) -> list[int]:
    """Return the number of the first source that is good, or may be, ``count`` times.

    Demonstrations made from one source resemble one another, and are easier to clone.
    """
    chances = [(tally.successes + 2) / (tally.attempts + 2) for tally in tallies]
    good = (number for number, chance in enumerate(chances) if chance >= _GOOD)
    return [next(good, chances.index(max(chances)))] * count
