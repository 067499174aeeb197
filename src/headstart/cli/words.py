"""Mistakes in the words of a command line that argparse finds late or explains in its own terms."""

import argparse
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from headstart.text import did_you_mean

_MANY = ("*", "+")
_TRUTHS = ("true", "false")
Action = argparse.Action


class _Value(NamedTuple):
    word: str
    option: Action | None
    """What takes it; ``None`` for those that no option takes."""
    is_attached: bool
    """Whether it follows its option and an equals sign."""


def explain(
    words: Sequence[str], actions: Sequence[Action], negative_number: re.Pattern[str]
) -> str | None:
    """Return what is wrong with words, if it is a mistake that is known here.

    Args:
        words: those that one parser is to read.
        actions: of this parser: its options, then what it takes besides.
        negative_number: matches what begins with a dash and is not an option.
    """
    options = {name: action for action in actions for name in action.option_strings}
    if any(word in ("-h", "--help") for word in words):
        return None
    for action in actions:
        if action.nargs == argparse.PARSER:
            return _explain_verb(words, action, options)
    if mistake := _explain_flag(words, options):
        return mistake
    values = list(_values(words, options, negative_number))
    # Whether a word that follows an unknown option is its value cannot be known.
    if any(value.option is None and value.is_attached for value in values):
        return None
    others = [action for action in actions if not action.option_strings]
    return _explain_empty(values, others) or _explain_missing(values, others)


def with_inner_no(option: str) -> str:
    """Return ``--no-agent.q-filter`` as ``--agent.no-q-filter``, which is meant."""
    section, dot, name = option.removeprefix("--no-").rpartition(".")
    return f"--{section}.no-{name}" if dot and option.startswith("--no-") else option


def _explain_verb(words: Sequence[str], verbs: Action, options: dict[str, Action]) -> str | None:
    """Return what is wrong with the first word, which should name a verb."""
    names, kind = list(verbs.choices or ()), str(verbs.metavar).lower()
    first = next(iter(words), None)
    if first is None or first in names or first.partition("=")[0] in options:
        return None
    if first.startswith("-"):
        name = next((word for word in words if word in names), None)
        return name and f"{first} stands before the {kind}; options follow it: `{name} {first}`"
    hint = did_you_mean(first, names) or f"; it is one of {', '.join(names)}"
    return f"there is no {kind} {first!r}{hint}"


def _values(
    words: Sequence[str], options: dict[str, Action], negative_number: re.Pattern[str]
) -> Iterator[_Value]:
    """Yield each value; what belongs to an unknown option is attached to ``None``."""
    option: Action | None = None
    left = 0.0
    for index, word in enumerate(words):
        if word == "--":
            yield from (_Value(rest, None, False) for rest in words[index + 1 :])
            return
        if word.startswith("-") and word != "-" and not negative_number.match(word):
            name, equals, value = word.partition("=")
            option = options.get(name)
            left = 0.0 if equals or option is None else _most_values(option)
            if equals or option is None:
                yield _Value(value, option, True)
        else:
            yield _Value(word, option if left > 0 else None, False)
            left -= 1


def _most_values(option: Action) -> float:
    if option.nargs is None:
        return 1
    return option.nargs if isinstance(option.nargs, int) else float("inf")


def _explain_flag(words: Sequence[str], options: dict[str, Action]) -> str | None:
    """Return what is wrong with a value for an option that takes none."""
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if word == "--":
            return None
        name, equals, value = word.partition("=")
        option = options.get(name)
        if option is None or option.nargs != 0:
            continue
        names = option.option_strings
        if not equals and (len(names) < 2 or following.lower() not in _TRUTHS):
            continue
        remedy = f"give {name} alone"
        if len(names) > 1:
            remedy = f"it is {names[0]} for True and {names[1]} for False"
        return f"{name} takes no value, got {value if equals else following!r}; {remedy}"
    return None


def _explain_empty(values: Sequence[_Value], others: Sequence[Action]) -> str | None:
    """Return which option or other argument is an empty text."""
    place = 0
    for word, option, _ in values:
        taker = option
        if option is None and others:
            taker = others[min(place, len(others) - 1)]
            place += 1
        if taker is not None and not word.strip():
            return f"{_name(taker)} is empty; give it a value"
    return None


def _explain_missing(values: Sequence[_Value], others: Sequence[Action]) -> str | None:
    """Return which argument is missing because an option of many values has taken it."""
    greedy = [
        it.option
        for it in values
        if it.option is not None and it.option.nargs in _MANY and not it.is_attached
    ]
    if not others or not greedy or any(it.option is None for it in values):
        return None
    missing, option = _name(others[0]), _name(greedy[-1])
    return (
        f"{missing} is missing; {option} takes all words that follow it, {missing} goes before it"
    )


def _name(action: Action) -> str:
    return str(action.option_strings[0] if action.option_strings else action.metavar)
