"""Words for people: counts, and untrusted text that a terminal may show."""

import difflib
import traceback
from collections.abc import Iterable
from pathlib import Path


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return the number with its noun, in the plural unless there is one."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def printable(value: object, longest: int | None = 200) -> str:
    """Return text of a file as one line that a terminal shows and does not obey.

    Args:
        value: what to show; of an error of the system its reason, without number and path.
        longest: number of characters from which on it is cut; ``None`` shows all.
    """
    shown = getattr(value, "strerror", None) or value
    line = " ".join(str(shown).splitlines())
    text = "".join(sign if sign.isprintable() else "?" for sign in line)
    return text if longest is None or len(text) <= longest else f"{text[: longest - 3]}..."


def ranges(numbers: Iterable[int]) -> str:
    """Return ascending numbers as text, neighbours as one range: ``0, 3-5``."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join("-".join(map(str, span)) for span in spans)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message on an unknown name: what may be meant, if anything may."""
    # A name without its section first: `actor_lr` is agent.actor_lr and nothing else.
    known, last = list(known), _last(name)
    same = [each for each in known if _last(each) == last]
    close = same or difflib.get_close_matches(name, known, n=2, cutoff=0.8)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _last(name: str) -> str:
    return name.lstrip("-").rpartition(".")[2]


def describe_error(error: BaseException) -> str:
    """Return one line that names an exception, its first line and where it was raised."""
    first_line = (str(error).splitlines() or ["no message"])[0].strip()
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {first_line}{place}"
