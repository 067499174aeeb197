"""Which source demonstration the next attempts are made from."""

from collections.abc import Sequence
from dataclasses import dataclass


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
