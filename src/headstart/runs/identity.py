"""Whether a function of the user is the one that a run began with: its name and its content."""

import ast
import functools
import hashlib
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from headstart.errors import InputError

_DEEPEST = 8
_TAKEN = {"goal_strategy": "its hindsight goals", "task_source": "its tasks"}


def name_of(function: object | None) -> str | None:
    """Return the name that a record knows a function by."""
    if function is None:
        return None
    kind = function if hasattr(function, "__qualname__") else type(function)
    return f"{kind.__module__}.{kind.__qualname__}"


def content_of(function: object | None) -> str | None:
    """Return a hash of all that a function or callable object consists of.

    That is its source, its defaults and what it has captured, or the fields of an object. It does
    not depend on the process, on comments, or on where the source stands.
    """
    if function is None:
        return None
    return hashlib.sha256(_describe(function, 0).encode()).hexdigest()


def check_function(
    argument: str, function: object | None, name: str | None, content: str | None
) -> None:
    """Refuse a function, or an object, that is not the one that a run began with.

    Args:
        argument: what it is given as.
        function: what is given, if anything is.
        name: of the run's.
        content: of the run's, if it is known.

    Raises:
        InputError: if either differs.
    """
    given = name_of(function)
    if given != name:
        raise InputError(
            f"the run takes {_TAKEN[argument]} from {name or 'no function'}, "
            f"not from {given or 'none'}: resume(DIR, {argument}=...) from Python"
        )
    if content is not None and content != content_of(function):
        raise InputError(
            f"{argument} {given} is not what it was when the run began: its source, its fields "
            f"or what it has captured differs; give it as it was, or train a new run"
        )


def _describe(value: Any, depth: int) -> str:
    """Return text that is the same for values of the same content, and for no others if it can."""
    if depth > _DEEPEST:
        return type(value).__qualname__

    def inner(part: Any) -> str:
        return _describe(part, depth + 1)

    if isinstance(value, functools.partial):
        return f"partial({inner(value.func)}, {inner(value.args)}, {inner(value.keywords)})"
    if isinstance(value, MethodType):
        return f"method({inner(value.__func__)}, {inner(value.__self__)})"
    if isinstance(value, FunctionType):
        captured = inspect.getclosurevars(value).nonlocals
        return f"{_source(value)}{inner((value.__defaults__, value.__kwdefaults__, captured))}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{inner(k)}: {inner(v)}' for k, v in value.items()))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(inner, value))}]"
    if isinstance(value, set | frozenset):
        return f"set{sorted(map(inner, value))}"
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"array({value.dtype}, {value.shape}, {digest})"
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}{_source(value)}"
    if isinstance(value, ModuleType):
        return value.__name__
    if is_dataclass(value):
        values = {field.name: getattr(value, field.name) for field in fields(value)}
        return f"{inner(type(value))}{inner(values)}"
    if hasattr(value, "__dict__"):
        # Not its own text, which may hold its address.
        return f"{inner(type(value))}{inner(vars(value))}"
    text = repr(value)
    return f"{type(value).__qualname__}" if " at 0x" in text else text


def _source(function: FunctionType | type) -> str:
    """Return what a function or class of the user does; the library's own go by their names."""
    if function.__module__.partition(".")[0] in ("headstart", "builtins"):
        return function.__qualname__
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return _code(function.__code__) if isinstance(function, FunctionType) else ""
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:  # The line of a lambda is often a part of a statement.
        return source


def _code(code: CodeType) -> str:
    constants = [
        _code(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts
    ]
    return f"{code.co_code.hex()}{code.co_names}{constants}"
