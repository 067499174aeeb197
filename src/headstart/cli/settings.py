"""An option for every setting, made by one walk over them, and what is given by options."""

import argparse
import inspect
import os
from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from pathlib import Path
from textwrap import fill
from typing import Any, TypeVar, get_args, get_origin

from headstart.cli.parser import SettingsHelp, help_width, reader
from headstart.dotted import Setting, change_settings, walk
from headstart.envs.task import LAYOUT, TaskConfig, UnexplainedReward
from headstart.errors import InputError
from headstart.files.run_files import read_config
from headstart.files.strict_json import build
from headstart.settings import without_none
from headstart.text import printable

T = TypeVar("T")
_WORDS: dict[Any, str] = {int: "INT", float: "FLOAT", str: "TEXT"}


def default_of(setting: Setting) -> str:
    """Return the note on a setting that its value is its default."""
    return f"(default: {_shown(setting.value)})"


def add_settings(
    parser: ArgumentParser,
    settings: Iterable[Setting],
    note: Callable[[Setting], str] = default_of,
) -> None:
    """Let the user give settings by their dotted names; ``changes`` holds those that are given.

    Args:
        parser: of the verb.
        settings: in the order in which the help shows their sections.
        note: returns what follows the help of a setting.
    """
    parser.set_defaults(changes={})
    parser.formatter_class = SettingsHelp
    groups: dict[str, Any] = {}
    for setting in settings:
        title = setting.name.rpartition(".")[0] or "settings"
        if title not in groups:
            about = " ".join((inspect.getdoc(setting.section) or "").split())
            groups[title] = parser.add_argument_group(_dashed(title), fill(about, help_width() - 2))
        _add_option(groups[title], setting, note(setting))


def change_by_file(settings: T, path: Path) -> T:
    """Return settings with those changed that a file gives.

    Args:
        settings: what to change.
        path: an object of JSON, as ``config.json`` of a run or its part ``config``: settings by
            dotted name or nested, as many as the user likes.

    Raises:
        InputError: if it cannot be read, or names no setting or a value that is refused.
    """
    # Of os.path, which answers where pathlib raises: for a name that is too long.
    if os.path.isdir(path):
        raise InputError(
            f"{path}: is a directory, give a file (config.json of a run, for instance)"
        )
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such file of settings (config.json of a run, for instance)")
    try:
        content = read_config(path)
        if not isinstance(content, dict):
            raise InputError('must be an object of settings, {"seed": 1} for instance')
        if not isinstance(content.get("config"), dict):
            return change_settings(settings, content)
        # What that run decided of its own demonstrations is not for others.
        left_open = dict.fromkeys(build(list[str], content.get("decided", []), "decided"))
        return change_settings(change_settings(settings, content["config"]), left_open)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {printable(error)}") from error


def read_value(kind: Any, word: str) -> Any:
    """Return the value of a setting that is written as one word; those of a tuple have spaces.

    Args:
        kind: the type of the setting.
        word: what is written.

    Raises:
        argparse.ArgumentTypeError: if it is not of the type.
    """
    taken, optional = without_none(kind)
    if get_origin(taken) is not tuple or (optional and word == "None"):
        return reader(kind)(word)
    return tuple(map(reader(get_args(taken)[0]), word.split()))


class _Note(argparse.Action):
    """Notes the value of a setting among ``changes``."""

    def __call__(
        self, parser: object, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if self.nargs == 0:
            values = option == self.option_strings[0]
        elif isinstance(values, list):
            values = None if {*values} == {None} else tuple(values)
        namespace.changes[self.dest] = values


def _add_option(group: Any, setting: Setting, note: str) -> None:
    section, dot, name = setting.name.rpartition(".")
    names = [setting.name] + [f"{section}{dot}no_{name}"] * (setting.kind is bool)
    limits = setting.rule.range and f"{setting.rule.range}.".capitalize()
    text = " ".join(filter(None, (setting.help, limits, note))).replace("%", "%%")
    group.add_argument(
        *(f"--{_dashed(each)}" for each in names),
        dest=setting.name,
        action=_Note,
        default=argparse.SUPPRESS,
        help=text,
        **_form(setting.kind),
    )


def _form(kind: Any) -> dict[str, Any]:
    """Return how many words the option of a setting takes, how they are read, and shown."""
    if kind is bool:
        return {"nargs": 0}
    taken, optional = without_none(kind)
    if get_origin(taken) is tuple:
        inner, *others = get_args(taken)
        count = "*" if others == [...] else 1 + len(others)
        item = inner | None if optional else inner
        return {"nargs": count, "type": reader(item), "metavar": _WORDS[inner]}
    choices = (True, False) if taken is bool else get_args(taken)
    shown = f"{{{','.join(map(str, choices))}}}" if choices else _WORDS[taken]
    return {"type": reader(kind), "metavar": "|".join([shown] + ["None"] * optional)}


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _shown(value: Any) -> str:
    return (" ".join(map(str, value)) or "none") if isinstance(value, tuple) else str(value)


def add_task(
    parser: argparse.ArgumentParser,
    unexplained: UnexplainedReward = "refuse",
    *,
    layout: bool = True,
) -> None:
    """Let the user declare what the environment does not say of itself.

    Args:
        parser: of the verb.
        unexplained: what is done with a reward that is not explained unless the user says so.
        layout: whether what the entries of states and actions mean can be declared too.
    """
    declared = TaskConfig(unexplained_reward=unexplained)
    left_out = () if layout else (*LAYOUT, "state_mirror")
    settings = walk(declared, "task.")
    add_settings(parser, (it for it in settings if it.name.split(".")[1] not in left_out))
    parser.set_defaults(declared=declared)


def task_of(arguments: argparse.Namespace) -> TaskConfig:
    """Return what the options declare.

    Raises:
        InputError: if a value is refused.
    """
    given = {name.removeprefix("task."): value for name, value in arguments.changes.items()}
    declared: TaskConfig = change_settings(arguments.declared, given)
    return declared
