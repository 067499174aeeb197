"""Python and the packages that headstart asks for: which versions, and whether they import."""

import importlib.metadata
import platform
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import headstart
from headstart.doctor.check import Check
from headstart.doctor.child import ask
from headstart.doctor.machine import check_torch
from headstart.doctor.versions import fits, required_modules, required_python, requirements
from headstart.text import printable

# PyPI's torch for Linux brings gigabytes of CUDA, which headstart does not use.
_INDEXES = {"torch": " --index-url https://download.pytorch.org/whl/cpu"}
_REASONS = {
    "mujoco": "; gymnasium-robotics 1.4.2 cannot build the Fetch and hand tasks with 3.12 or "
    "newer, it stops with a bare AssertionError"
}
# MuJoCo fails on what it does not know in them as soon as it is imported; the simulator's check
# reports that once, and packages are imported without them.
GRAPHICS = ("MUJOCO_GL", "PYOPENGL_PLATFORM")
_SECONDS = 180.0


def check_python() -> Iterator[Check]:
    """Check the interpreter against what headstart asks for."""
    version = platform.python_version()
    found = f"{version} ({printable(sys.executable)})"
    wanted = required_python()
    if fits(version, wanted):
        yield Check("python", "ok", found)
    else:
        repair = "install such a Python, and headstart in a new virtual environment of it"
        yield Check("python", "problem", f"{found}; headstart needs {wanted}", repair)


def check_installation() -> Iterator[Check]:
    """Check that headstart is installed as what it is."""
    version, place = headstart.__version__, printable(Path(headstart.__file__).parent)
    repair = "run `pip install --editable .` in the directory with headstart's pyproject.toml"
    try:
        installed = importlib.metadata.version("headstart")
    except importlib.metadata.PackageNotFoundError:
        found = f"{version} ({place}) is not installed, so what it needs is not known"
        yield Check("headstart", "problem", found, repair)
        return
    if installed == version:
        yield Check("headstart", "ok", f"{version} ({place})")
    else:
        found = f"{version} ({place}), but installed as {installed}, whose needs may be others"
        yield Check("headstart", "advice", found, repair)


def check_packages() -> Iterator[Check]:
    """Check each package that headstart asks for."""
    modules = required_modules()
    imported = try_imports([*modules.values()])
    for name, wanted in requirements().items():
        fact = imported[modules[name]]
        yield _version_trouble(name, wanted) or _import(name, wanted, fact["error"])
        if "threads" in fact:
            yield from check_torch(fact["threads"], fact["gpu"], fact["bfloat16"])


def try_imports(modules: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Import modules in another process; return what the probe reports of each."""
    facts: dict[str, dict[str, Any]] = {}
    while rest := [module for module in modules if module not in facts]:
        answer = ask("imports", *rest, seconds=_SECONDS, unset=GRAPHICS)
        facts.update((fact["module"], fact) for fact in answer.facts)
        # One that ends the process is the first of which nothing was reported; the others follow.
        for culprit in rest[len(answer.facts) :][:1]:
            facts[culprit] = {"error": answer.error or "it ends the process that imports it"}
    return facts


def _version_trouble(name: str, wanted: str) -> Check | None:
    """Return what is wrong with a package as far as its installation shows."""
    repair = _install(name, wanted)
    try:
        version = importlib.metadata.version(name)
        if fits(version, wanted):
            return None
        found = f"{version}; headstart needs {wanted}{_REASONS.get(name, '')}"
    except importlib.metadata.PackageNotFoundError:
        found = f"not installed; headstart needs {wanted}"
    except Exception as error:  # Half of an installation can fail in any way.
        found = f"damaged, its version cannot be read ({printable(repr(error))})"
        repair = _reinstall(name, wanted)
    return Check(name, "problem", found, repair)


def _import(name: str, wanted: str, error: str | None) -> Check:
    """Return what a package of the right version is good for."""
    version = importlib.metadata.version(name)
    if error is None:
        return Check(name, "ok", version)
    # Of a package that is there already, pip installs what it misses.
    misses = "ModuleNotFoundError" in error
    repair = _install(name, wanted) if misses else _reinstall(name, wanted)
    return Check(name, "problem", f"{version} cannot be imported: {error}", repair)


def _install(name: str, wanted: str, options: str = "") -> str:
    return f'run `pip install{options}{_INDEXES.get(name, "")} "{name}{wanted}"`'


def _reinstall(name: str, wanted: str) -> str:
    return _install(name, wanted, " --force-reinstall --no-deps")
