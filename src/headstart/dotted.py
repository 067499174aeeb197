"""Settings changed by their dotted names, e.g. ``agent.actor_lr``."""

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from headstart.errors import InputError

T = TypeVar("T")


def change_settings(settings: T, changes: Mapping[str, Any]) -> T:
    """Return settings with some values changed; what is checked on construction is checked again.

    Args:
        settings: a dataclass, its sections dataclasses too.
        changes: new values by dotted name. A section takes a dataclass of its own kind, or a dict
            of the values to change in it.

    Raises:
        InputError: if there is no such setting, or its value is refused.
    """
    if not isinstance(changes, Mapping):
        raise InputError(f"settings are changed by a dict of them, got {type(changes).__name__}")
    changed: T = _change(settings, changes, list(setting_names(settings)))
    return changed


def setting_names(settings: Any, section: str = "") -> dict[str, Any]:
    """Return all settings, those of sections under their dotted names, with their values."""
    names: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        name, value = section + field.name, getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            names |= setting_names(value, f"{name}.")
        else:
            names[name] = value
    return names


def _change(settings: Any, changes: Mapping[str, Any], known: list[str], section: str = "") -> Any:
    fields = {field.name for field in dataclasses.fields(settings)}
    own: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        head, _, rest = str(name).partition(".")
        is_section = head in fields and dataclasses.is_dataclass(getattr(settings, head))
        if head not in fields or (rest and not is_section):
            raise InputError(_describe_unknown(f"{section}{name}", known))
        if rest:
            inner.setdefault(head, {})[rest] = value
        elif is_section and isinstance(value, Mapping):
            inner.setdefault(head, {}).update(value)
        elif is_section and type(value) is not type(getattr(settings, head)):
            kind = type(getattr(settings, head)).__name__
            raise InputError(f"{section}{head} must be a {kind} or a dict, got {value!r}")
        else:
            own[head] = value
    for head, values in inner.items():
        begin = own.get(head, getattr(settings, head))
        own[head] = _change(begin, values, known, f"{section}{head}.")
    return dataclasses.replace(settings, **own)


def _describe_unknown(name: str, known: list[str]) -> str:
    # A name without its section first: `actor_lr` is agent.actor_lr and nothing else.
    last = name.rpartition(".")[2]
    same = [each for each in known if each.rpartition(".")[2] == last]
    close = same or difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return f"there is no setting {name!r}{hint}"
