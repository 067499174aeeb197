"""What the words of ``headstart sweep`` mean: seeds, values of settings, and ranges of them."""

import argparse
import math
import re
from collections.abc import Sequence
from typing import Any

from headstart.cli.settings import read_value
from headstart.dotted import Setting, walk
from headstart.errors import InputError, require
from headstart.settings import without_none
from headstart.sweeps.plan import MOST_RUNS
from headstart.sweeps.tune import Range
from headstart.text import did_you_mean
from headstart.training.config import TrainConfig


def read_seeds(word: str) -> list[int]:
    """Return the seeds of a text such as ``0-4,7``.

    Raises:
        InputError: if it is none.
    """
    seeds: list[int] = []
    for part in word.split(","):
        found = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", part.strip(), re.ASCII)
        if found is None:
            raise InputError(f"--seeds must be numbers and ranges of them, 0-4 or 0,3, got {word}")
        first, last = int(found[1]), int(found[2] or found[1])
        require(first <= last, "--seeds goes up, 0-4 for instance", word)
        require(last - first < MOST_RUNS, f"--seeds has at most {MOST_RUNS} seeds", word)
        seeds += range(first, last + 1)
    return seeds


def read_grid(
    words: Sequence[str], config: TrainConfig, given: dict[str, Any]
) -> dict[str, list[Any]]:
    """Return the values of each setting of ``--grid``.

    Args:
        words: as ``agent.q-weight=0.001,0.01``.
        config: what the settings are of.
        given: settings that have options of their own.

    Raises:
        InputError: if one is none of a setting, or no value of it.
    """
    grid: dict[str, list[Any]] = {}
    for word in words:
        setting, text = _setting(word, config, {**given, **grid}, "--grid")
        grid[setting.name] = [_value(setting, each, "--grid") for each in text.split(",")]
    return grid


def read_ranges(
    words: Sequence[str], config: TrainConfig, given: dict[str, Any]
) -> dict[str, Range]:
    """Return the range of each setting of ``--tune``.

    Args:
        words: as ``agent.q-weight=log:0.0001:0.1``, ``agent.tau=0.001:0.05`` or
            ``agent.num-critics=1,2``.
        config: what the settings are of.
        given: settings that have options of their own.

    Raises:
        InputError: if one is none of a setting, or no range of it.
    """
    ranges: dict[str, Range] = {}
    for word in words:
        setting, text = _setting(word, config, {**given, **ranges}, "--tune")
        ranges[setting.name] = _range(setting, text)
    return ranges


def read_pairs(option: str, words: Sequence[str]) -> dict[str, str]:
    """Return values by name.

    Args:
        option: that they belong to.
        words: each as ``name=value``.

    Raises:
        InputError: if one is something else, or a name is given twice.
    """
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals or not value or name in pairs:
            raise InputError(f"{option} takes NAME=VALUE, each name once, got {word}")
        pairs[name] = value
    return pairs


def _setting(
    word: str, config: TrainConfig, given: dict[str, Any], option: str
) -> tuple[Setting, str]:
    name, equals, text = word.partition("=")
    known = {setting.name: setting for setting in walk(config)}
    plain = name.strip().replace("-", "_").lstrip("_")
    if not equals or not text.strip():
        raise InputError(f"{option} {word} has no values; give NAME=VALUE,VALUE")
    if plain == "seed":
        raise InputError(f"{option} {word}: seeds are given by --seeds")
    if plain not in known:
        hint = did_you_mean(plain, known).replace("_", "-")
        raise InputError(f"{option} {word}: there is no setting {name!r}{hint}")
    if plain in given:
        raise InputError(f"{option} {word}: {name} is given twice; leave one of them out")
    return known[plain], text


def _value(setting: Setting, text: str, option: str) -> Any:
    name = setting.name.replace("_", "-")
    if not text.strip() and setting.kind is not str:
        raise InputError(f"{option} {name} has an empty value between commas")
    try:
        return read_value(setting.kind, text.strip())
    except argparse.ArgumentTypeError as error:
        raise InputError(f"{option} {name} {error}") from None


def _range(setting: Setting, text: str) -> Range:
    if ":" not in text:
        return Range(values=tuple(_value(setting, each, "--tune") for each in text.split(",")))
    name, taken = setting.name.replace("_", "-"), without_none(setting.kind)[0]
    *log, low, high = text.split(":")
    if taken not in (int, float) or log not in ([], ["log"]):
        raise InputError(
            f"--tune {name}={text} is no range; give LOW:HIGH or log:LOW:HIGH for numbers, and "
            f"VALUE,VALUE for others"
        )
    ends = [float(_value(setting, each, "--tune")) for each in (low, high)]
    require(all(map(math.isfinite, ends)), f"--tune {name}: a range has finite ends", text)
    try:
        return Range(low=ends[0], high=ends[1], log=bool(log), whole=taken is int)
    except InputError as error:
        raise InputError(f"--tune {name}: {error}") from None
