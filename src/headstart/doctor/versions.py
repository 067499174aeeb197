"""Which packages headstart asks for in which versions, as its installation says."""

import importlib.metadata
import operator
import re

_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)\s*(?P<wanted>[^;]*)")
_EXTRA = re.compile(r";.*\bextra\s*==")
_CLAUSE = re.compile(r"\s*(?P<sign>[<>=!]=|<|>)\s*(?P<version>[\d.]+)\s*")
_SIGNS = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


# All others are imported by their own name.
_MODULES = {"pillow": "PIL"}


def required_python() -> str:
    """Return the versions of Python that headstart asks for; nothing if it is not installed."""
    try:
        return importlib.metadata.metadata("headstart")["Requires-Python"]
    except importlib.metadata.PackageNotFoundError:
        return ""


def requirements() -> dict[str, str]:
    """Return the packages that headstart asks for, extras left out, with their versions.

    Nothing if it is not installed.
    """
    try:
        texts = importlib.metadata.requires("headstart") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    found = [_REQUIREMENT.match(text) for text in texts if not _EXTRA.search(text)]
    return dict(sorted((match["name"], match["wanted"].strip()) for match in found if match))


def required_modules() -> dict[str, str]:
    """Return by what name each package that headstart asks for is imported."""
    return {name: _MODULES.get(name, name.replace("-", "_")) for name in requirements()}


def fits(version: str, wanted: str) -> bool:
    """Return whether a version is among those that are wanted.

    Pre-releases and local builds count as what they are called before their suffix. This is written
    out here because packaging, which knows all of the rules, may be what is missing.

    Args:
        version: such as ``2.13.0+cpu``.
        wanted: such as ``>=3.8.1,<3.12``; nothing wants any.

    Raises:
        ValueError: if one of them cannot be read.
    """
    numbers = _numbers(version)
    for clause in wanted.split(",") if wanted else ():
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise ValueError(f"cannot compare versions with {clause!r}")
        if not _SIGNS[match["sign"]](numbers, _numbers(match["version"])):
            return False
    return True


def _numbers(version: str) -> list[int]:
    """Return the numbers that a version starts with, without zeros at their end."""
    match = re.match(r"\d+(\.\d+)*", version)
    if match is None:
        raise ValueError(f"cannot read the version {version!r}")
    numbers = [int(part) for part in match[0].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return numbers
