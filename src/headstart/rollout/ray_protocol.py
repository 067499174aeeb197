"""What a ``RayExecutor`` and the process that speaks with Ray tell each other."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

RAY = "ray"
"""The cluster that ``RAY_ADDRESS`` names, or else a Ray of this machine's own."""
LOCAL = "local"
"""In place of an address: a Ray on this machine, which is started and ended."""
_PACKAGES = ("headstart", "numpy", "gymnasium", "gymnasium-robotics", "mujoco")


def is_ray(collectors: object) -> bool:
    """Return whether collectors are those of a Ray cluster, and not a number of processes."""
    return isinstance(collectors, str) and (collectors == RAY or collectors.startswith("ray://"))


@dataclass(frozen=True)
class Setup:
    """What all collectors of a run need."""

    name: str
    """Of the environment, for messages."""
    environment: bytes
    """As ``pickle_source`` returned it."""
    timeout: float
    """Seconds that an episode may take."""
    path: tuple[str, ...]
    """Where the learner's process finds modules."""
    versions: tuple[tuple[str, str], ...]
    """Of the packages that an episode depends on, where the learner is."""


@dataclass(frozen=True)
class Opened:
    """A connected cluster."""

    slots: int
    """How many episodes it can run at once."""
    has_token: bool
    """Whether it takes orders only from who has its token."""


@dataclass(frozen=True)
class Asked:
    """Jobs that share a policy."""

    policy: bytes
    jobs: list[tuple[int, bytes]]
    """Their numbers, and each without its policy, as ``pickle_bare_job`` returned it."""


def installed_versions() -> tuple[tuple[str, str], ...]:
    """Return the versions, here, of the packages that an episode depends on."""
    return tuple((name, _version(name)) for name in _PACKAGES)


def other_version(versions: tuple[tuple[str, str], ...], machine: str) -> str | None:
    """Return a line about the first package that has another version here, if there is one.

    Args:
        versions: where the learner is, as ``installed_versions`` returned them.
        machine: the name of this one.
    """
    for (name, here), (_, there) in zip(installed_versions(), versions, strict=True):
        if here != there:
            return f"node {machine} has {name} {here} and the learner {there}: install the same one"
    return None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
