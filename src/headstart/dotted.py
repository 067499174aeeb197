"""Trees of settings: walked over, and changed by their dotted names, e.g. ``agent.actor_lr``."""

import ast
import dataclasses
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from headstart.errors import InputError
from headstart.settings import ANY_VALUE, Rule, type_hints
from headstart.text import did_you_mean

T = TypeVar("T")


class Setting(NamedTuple):
    """One setting of a tree of dataclasses."""

    name: str
    """With those of its sections before it, and dots between."""
    kind: Any
    """Its type, as it is annotated."""
    value: Any
    rule: Rule
    section: type
    """The dataclass that it is a field of."""

    @property
    def help(self) -> str:
        """Its docstring, in one line."""
        docstrings = _docstrings(self.section.__module__)
        return docstrings.get((self.section.__name__, self.name.rpartition(".")[2]), "")


def walk(settings: Any, section: str = "") -> Iterator[Setting]:
    """Yield every setting, those of sections under their dotted names."""
    kind: Any = type(settings)
    hints = type_hints(kind)
    for field in dataclasses.fields(settings):
        name, value = section + field.name, getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            yield from walk(value, f"{name}.")
        else:
            rule = field.metadata.get("rule", ANY_VALUE)
            yield Setting(name, hints[field.name], value, rule, kind)


@cache
def _docstrings(module: str) -> dict[tuple[str, str], str]:
    """Return what stands below the fields of a module's classes; nothing without its source."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except OSError:
        return {}
    return {
        (kind.name, ast.unparse(field.target)): " ".join(ast.literal_eval(below.value).split())
        for kind in tree.body
        if isinstance(kind, ast.ClassDef)
        for field, below in pairwise(kind.body)
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr)
    }


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
    names = [it.name for it in walk(settings)]
    sections = dict.fromkeys(name.rpartition(".")[0] for name in names if "." in name)
    changed: T = _change(settings, changes, [*names, *sections])
    return changed


def _change(settings: Any, changes: Mapping[str, Any], known: list[str], section: str = "") -> Any:
    fields = {field.name for field in dataclasses.fields(settings)}
    own: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    for name, value in changes.items():
        head, _, rest = str(name).partition(".")
        is_section = head in fields and dataclasses.is_dataclass(getattr(settings, head))
        if head not in fields or (rest and not is_section):
            whole = f"{section}{name}"
            raise InputError(f"there is no setting {whole!r}{did_you_mean(whole, known)}")
        if rest:
            inner.setdefault(head, {})[rest] = value
        elif is_section and isinstance(value, Mapping):
            inner.setdefault(head, {}).update(value)
        elif is_section and type(value) is not type(getattr(settings, head)):
            kind = type(getattr(settings, head)).__name__
            raise InputError(
                f"{section}{head} must be an object of settings (in Python a {kind} or a dict), "
                f"got {value!r}"
            )
        else:
            own[head] = value
    for head, values in inner.items():
        begin = own.get(head, getattr(settings, head))
        own[head] = _change(begin, values, known, f"{section}{head}.")
    return dataclasses.replace(settings, **own)
