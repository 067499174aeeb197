"""Teleoperation from its beginning to its end: environment, pictures, page, and the pace."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym

from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import env_source, make_env
from headstart.envs.source import EnvLike, EnvSource
from headstart.envs.task import TaskConfig
from headstart.errors import InputError
from headstart.rollout.job import Behaviour
from headstart.viz.diagram import Diagram
from headstart.viz.gl import select_backend
from headstart.viz.live import MujocoViews, Rendered, side_of
from headstart.web.server import PageServer
from headstart.web.teleop.desk import Desk, Views
from headstart.web.teleop.session import STEPS_PER_SECOND, Session
from headstart.web.teleop.takes import Takes

_log = logging.getLogger("headstart")

PAGE = ("teleop.html", "teleop.css", "teleop.js", "link.js", "inputs.js", "headset.js")
LONGEST = 5000
"""Steps of an episode: 200 seconds. The tasks' own limits are not made for people."""


@dataclass(frozen=True, kw_only=True)
class TeleopPlan:
    """What is to be recorded."""

    env: EnvLike
    out: Path
    episodes: int | None = None
    """End after so many are kept; ``None`` lets the pilot say when."""
    seed: int = 0
    size: int = 480
    """Width and height of the first picture; the second one is half as wide."""
    ghost: Behaviour | None = None
    ghost_name: str | None = None
    task: TaskConfig | None = None
    draw: bool = True
    """Whether to render; if not, a diagram of the places in the observation is shown."""


def teleoperate(
    plan: TeleopPlan, server: PageServer, is_stopped: Callable[[], bool]
) -> DemoSet | None:
    """Record demonstrations until the pilot ends it, enough are kept, or it is stopped.

    Args:
        plan: what is to be recorded.
        server: serves the files ``PAGE`` and reads ``read_message``.
        is_stopped: asked 25 times a second.

    Returns:
        What the file holds; ``None`` if nothing was kept, and there is no file.

    Raises:
        InputError: if the environment cannot be built or drawn, or the file not be written.
    """
    source = env_source(plan.env)
    patient = source if "max_episode_steps" in source.options else None
    patient = patient or source.with_options({"max_episode_steps": LONGEST})
    with contextlib.closing(_drawable(patient, plan)) as env:
        task = plan.task or TaskConfig(unexplained_reward="ignore")
        spec = GoalSpec.from_env(env, task, name=source.name)
        takes = Takes(plan.out, spec, plan.seed, plan.ghost_name)
        session = Session(env, spec, seed=plan.seed, ghost=plan.ghost)
        with contextlib.closing(_views(plan, env, spec, session)) as views:
            desk = Desk(server, session, views, takes, _facts(plan, spec, session))
            for _ in _ticks():
                desk.tick(time.monotonic())
                enough = plan.episodes is not None and len(takes.kept) >= plan.episodes
                if is_stopped() or desk.is_over or enough:
                    break
    return takes.demos() if takes.kept else None


def _ticks() -> Iterator[None]:
    """Yield 25 times a second, or as often as there is time for: steps wait, none is dropped."""
    period = 1.0 / STEPS_PER_SECOND
    following = time.monotonic()
    while True:
        yield
        following = max(following + period, time.monotonic() - period)
        time.sleep(max(following - time.monotonic(), 0.0))


def _drawable(source: EnvSource, plan: TeleopPlan) -> gym.Env[Any, Any]:
    """Build an environment so that it can be drawn."""
    env = make_env(source)
    if not plan.draw or _is_mujoco(env) or "rgb_array" not in env.metadata.get("render_modes", ()):
        return env
    env.close()
    return make_env(source, render_mode="rgb_array")


def _is_mujoco(env: gym.Env[Any, Any]) -> bool:
    return hasattr(env.unwrapped, "model") and hasattr(env.unwrapped, "data")


def _views(plan: TeleopPlan, env: gym.Env[Any, Any], spec: GoalSpec, session: Session) -> Views:
    """Return what draws an environment: MuJoCo's renderer, its own ``render``, or a diagram."""
    if plan.draw and _is_mujoco(env):
        try:
            select_backend()
        except InputError as error:
            _log.warning("%s; a diagram of places is shown instead", error)
        else:
            camera, simulator = spec.camera or {}, session.simulator
            sizes = plan.size, plan.size // 2
            return MujocoViews(env, simulator, (camera, side_of(camera)), sizes)
    return Rendered(env) if env.render_mode == "rgb_array" else Diagram(spec.layout, plan.size)


def _facts(plan: TeleopPlan, spec: GoalSpec, session: Session) -> dict[str, Any]:
    drive = session.drive
    return {
        "env": spec.env_id,
        "file": plan.out.name,
        "dim": drive.dim,
        "has_gripper": drive.has_gripper,
        "sliders": list(drive.sliders),
        "axes": drive.axes.tolist(),
        "can_undo": session.can_undo,
        "ghost": plan.ghost_name,
        "episodes": plan.episodes,
        "size": plan.size,
    }
