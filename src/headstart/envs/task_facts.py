"""What is declared of a task, else known of it: parts of goals, symmetry, camera."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal, TypeVar

import gymnasium as gym
import numpy as np

from headstart.data.goals import GoalComponent, GoalRegions
from headstart.data.layout import ComponentLayout
from headstart.data.symmetry import Mirror, Reflection
from headstart.envs.interface import declared, env_name, widths
from headstart.envs.known import known
from headstart.envs.task import TaskConfig
from headstart.errors import InputError
from headstart.text import counted

T = TypeVar("T")
Origin = Literal["declared", "known", "detected"]
"""Where a fact comes from: the user or the environment, the table of known ones, or some steps."""
Found = tuple[T | None, Origin | None]
Facts = dict[str, Found[Any]]
"""Facts by the names of their fields in a description."""
Camera = dict[str, float | tuple[float, ...]]
"""A free camera of MuJoCo: ``distance``, ``azimuth``, ``elevation`` and ``lookat``, ``(3,)``."""

CAMERA = "default_camera_config"
"""The attribute that declares it, and the argument of Gymnasium's environments that sets it."""


def find_facts(env: gym.Env[Any, Any], task: TaskConfig) -> Facts:
    """Return what is declared of a task from outside or by its environment, else known of it.

    Raises:
        InputError: if what is declared does not fit the environment.
    """
    return {
        "components": find_components(env, task),
        "component_layout": find_component_layout(env, task),
        "regions": find_regions(env, task),
        "mirror": find_mirror(env, task),
        "camera": find_camera(env),
    }


def first_of(declared: T | None, known: T | None) -> Found[T]:
    """Return the first fact that is there, and where it comes from."""
    if declared is not None:
        return declared, "declared"
    return known, None if known is None else "known"


def attribute(env: gym.Env[Any, Any], name: str, *kinds: Any) -> Any:
    """Return what an environment declares in an attribute; ``None`` for nothing.

    Raises:
        InputError: if it is of another type.
    """
    value = declared(env, name)
    if value is not None and not isinstance(value, kinds):
        wanted = " or ".join(f"a {kind.__name__}" for kind in kinds)
        shown = " ".join(repr(value).split())[:60]
        raise InputError(f"{env_name(env)}: the attribute {name} must be {wanted}, got {shown}")
    return value


def find_components(env: gym.Env[Any, Any], task: TaskConfig) -> Found[tuple[GoalComponent, ...]]:
    """Return the components that a goal is made of.

    Raises:
        InputError: if they overlap, have no name of their own, or do not fit the goal.
    """
    given = task.goal_components
    own = attribute(env, "goal_components", Mapping)
    if given is not None:
        ends = np.cumsum(given).tolist()
        names = task.goal_component_names or tuple(map(str, range(len(given))))
        if len(names) != len(given) or ends[-1:] != [widths(env)["goal"]]:
            raise InputError(
                f"{env_name(env)}: goal_components must be as many widths as there are names, "
                f"{widths(env)['goal']} together, got {' '.join(map(str, given))}"
            )
        starts = [end - width for end, width in zip(ends, given, strict=True)]
        own = dict(zip(names, map(slice, starts, ends), strict=True))
    if own is None:
        return (), None
    components = [_component(env, name, entries) for name, entries in own.items()]
    ordered = sorted(components, key=lambda each: each.start)
    for one, other in pairwise(ordered):
        if other.start < one.stop:
            raise InputError(
                f"{env_name(env)}: the components {one.name} and {other.name} of its goals overlap"
            )
    return tuple(components), "declared"


def find_component_layout(env: gym.Env[Any, Any], task: TaskConfig) -> Found[ComponentLayout]:
    """Return what says which component of a goal is to be finished next.

    Raises:
        InputError: if it names no entries of the observation, or is of fewer or more components.
    """
    given = task.component_layout if task.component_layout != ComponentLayout() else None
    parts = given or attribute(env, "component_layout", ComponentLayout)
    if parts is None:
        return None, None
    name, width = env_name(env), widths(env)["observation"]
    count = len(find_components(env, task)[0] or ())
    if len(parts.firsts) != count:
        raise InputError(
            f"{name}: firsts of its component_layout must name one entry of the observation for "
            f"each of {counted(count, 'component')} of a goal, got {len(parts.firsts)}"
        )
    if not all(first + parts.width <= width for first in parts.firsts):
        raise InputError(
            f"{name}: its component_layout names {parts.width} entries from {max(parts.firsts)} "
            f"on, and its observation has {width}"
        )
    if len(parts.distances) not in (1, 2) or parts.distances[0] > parts.distances[-1]:
        raise InputError(
            f"{name}: distances of its component_layout must be one number, or a second one that "
            f"is no smaller, got {' '.join(map(str, parts.distances)) or 'none'}"
        )
    return parts, "declared"


def find_regions(env: gym.Env[Any, Any], task: TaskConfig | None = None) -> Found[GoalRegions]:
    """Return the regions of the goal space that successes are counted in.

    Raises:
        InputError: if they are distinguished by a number that goals do not have.
    """
    given = None if task is None else task.goal_regions
    if given is None or given.coordinate is None:
        given = attribute(env, "goal_regions", GoalRegions)
    regions, origin = first_of(given, known(env).regions)
    width = widths(env)["goal"]
    if regions is not None and (regions.coordinate is None or not 0 <= regions.coordinate < width):
        raise InputError(
            f"{env_name(env)}: the coordinate of its goal_regions must lie in [0, {width - 1}], "
            f"got {regions.coordinate}"
        )
    return regions, origin


def find_mirror(env: gym.Env[Any, Any], task: TaskConfig) -> Found[Mirror]:
    """Return the symmetry of a task; whether it moves so, ``mirror_defect`` tries.

    Raises:
        InputError: if what is declared names an entry that does not exist.
    """
    given = task.state_mirror if task.state_mirror != Reflection() else None
    own: Any = given or attribute(env, "state_mirror", Mirror, Reflection)
    sizes = widths(env)
    wanted = sizes["observation"], sizes["goal"], sizes["action"]
    if isinstance(own, Reflection):
        try:
            own = own.mirror(*wanted)
        except InputError as error:
            raise InputError(f"{env_name(env)}: its state_mirror: {error}") from error
    if own is not None:
        found = tuple(len(each.sign) for each in (own.observation, own.goal, own.action))
        if found != wanted:
            raise InputError(
                f"{env_name(env)}: its state_mirror is of {found} numbers, its observation, goal "
                f"and action of {wanted}"
            )
    return first_of(own, known(env).mirror)


def find_camera(env: gym.Env[Any, Any]) -> Found[Camera]:
    """Return the camera that shows what matters.

    Raises:
        InputError: if what is declared is not a camera of MuJoCo.
    """
    given = None if env.spec is None else env.spec.kwargs.get(CAMERA)
    own = attribute(env, CAMERA, Mapping) if given is None else given
    camera, origin = first_of(own, known(env).camera)
    if camera is None:
        return None, None
    return {name: _plain(value) for name, value in camera.items()}, origin


def _plain(value: Any) -> Any:
    return np.asarray(value).tolist() if np.ndim(value) == 0 else tuple(np.asarray(value).tolist())


def _component(env: gym.Env[Any, Any], name: object, entries: object) -> GoalComponent:
    width = widths(env)["goal"]
    if isinstance(entries, slice) and entries.step in (None, 1) and isinstance(name, str):
        start, stop = entries.start or 0, width if entries.stop is None else entries.stop
        if 0 <= start < stop <= width:
            return GoalComponent(name, start, stop)
    raise InputError(
        f"{env_name(env)}: goal_components must be a dict of slices by name, within "
        f"{counted(width, 'entry', 'entries')}, got {name!r}: {entries!r}"
    )
