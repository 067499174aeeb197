"""Environment ids, and the arguments that may follow them: ``Id,name=value``."""

import ast
import contextlib
import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from headstart.errors import InputError
from headstart.files.strict_json import parse_json

_JSON_WORDS = {"True": "true", "False": "false", "None": "null"}
_CLOSING = {"[": "]", "{": "}", "(": ")"}
_QUOTES = ('"', "'")
_LONGEST_LITERAL = 100_000


def split_id(env_id: str) -> tuple[str, dict[str, Any]]:
    """Split an id from the arguments that follow it, at commas outside of brackets and quotes.

    Values are JSON, Python literals, or text where they are neither.

    Raises:
        InputError: if what follows the id is not ``name=value``, or a bracket or quote is open at
            the end.
    """
    name, comma, rest = env_id.partition(",")
    options: dict[str, Any] = {}
    for argument in _arguments(env_id, rest) if comma else ():
        key, equals, value = argument.partition("=")
        if not equals or not key.isidentifier():
            raise InputError(
                f"environment {env_id!r}: {argument!r} is not an argument, which is name=value"
            )
        options[key] = _value(env_id, value)
    return name, options


def join_id(name: str, options: Mapping[str, Any]) -> str | None:
    """Return what ``split_id`` splits into these; ``None`` if a value cannot be written as text."""
    texts = {key: _text(name, value) for key, value in options.items()}
    if None in texts.values() or not all(map(str.isidentifier, texts)):
        return None
    return ",".join([name, *(f"{key}={text}" for key, text in texts.items())])


def close_ids(env_id: str) -> list[str]:
    """Return registered ids that look like one that is not, the newest version of each."""
    name = unversioned(env_id).casefold()
    newest = {unversioned(spec.id).casefold(): spec.id for spec in _newest(gym.registry.values())}
    return [newest[match] for match in difflib.get_close_matches(name, newest, n=3, cutoff=0.6)]


def newest_version(env_id: str) -> str | None:
    """Return the registered id of the newest version of an environment, if there is one."""
    name = unversioned(env_id)
    same = [spec for spec in gym.registry.values() if unversioned(spec.id) == name]
    return next((spec.id for spec in _newest(same)), None)


def _newest(specs: Iterable[EnvSpec]) -> Iterator[EnvSpec]:
    """Yield the newest version of each environment."""
    newest: dict[str, EnvSpec] = {}
    for spec in specs:
        name = unversioned(spec.id)
        if name not in newest or (spec.version or 0) > (newest[name].version or 0):
            newest[name] = spec
    yield from newest.values()


def unversioned(env_id: str) -> str:
    """Return an id without its version."""
    name, _, version = env_id.rpartition("-v")
    return name if name and version.isdecimal() else env_id


def _arguments(env_id: str, text: str) -> Iterator[str]:
    """Yield what lies between the commas that are outside of brackets and quotes."""
    start, quote, open_brackets = 0, "", ""
    previous = ""
    for place, sign in enumerate(text):
        if quote:
            if sign == quote and previous != "\\":
                quote = ""
        elif sign in _QUOTES and (open_brackets or previous == "="):
            # Elsewhere it is an apostrophe.
            quote = sign
        elif sign in _CLOSING:
            open_brackets += _CLOSING[sign]
        elif open_brackets and sign == open_brackets[-1]:
            open_brackets = open_brackets[:-1]
        elif sign == "," and not open_brackets:
            yield text[start:place]
            start = place + 1
        # An escaped backslash does not escape what follows it.
        previous = "" if sign == previous == "\\" else sign
    if quote or open_brackets:
        missing = quote or open_brackets[-1]
        raise InputError(f"environment {env_id!r}: a closing {missing} is missing")
    yield text[start:]


def _text(env_id: str, value: Any) -> str | None:
    """Return the text of a value, JSON or a Python literal, if it is read as the same value."""
    for write in (lambda it: json.dumps(it, separators=(",", ":")), repr):
        # Of objects of any kind: comparing arrays, for instance, raises.
        with contextlib.suppress(Exception):
            text: str = write(value)
            (read,) = split_id(f"{env_id},value={text}")[1].values()
            if type(read) is type(value) and bool(read == value):
                return text
    return None


def _value(env_id: str, text: str) -> Any:
    try:
        # Python's spelling too: the text "False" would count as true.
        return parse_json(_JSON_WORDS.get(text, text))
    except ValueError:
        pass
    if not text.startswith((*_CLOSING, *_QUOTES)) or len(text) > _LONGEST_LITERAL:
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise InputError(
            f"environment {env_id!r}: {text!r} is neither JSON nor a Python literal"
        ) from error
