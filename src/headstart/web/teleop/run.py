"""Teleoperation from its beginning to its end: environment, pictures, page, and the pace."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import env_source
from headstart.envs.source import EnvLike
from headstart.envs.task import TaskConfig
from headstart.rollout.job import Behaviour
from headstart.web.screen import Screen
from headstart.web.server import PageServer
from headstart.web.teleop.desk import Desk
from headstart.web.teleop.pace import paced
from headstart.web.teleop.session import STEPS_PER_SECOND, Session
from headstart.web.teleop.takes import Takes
from headstart.web.views import drawable_env, open_views

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
    with contextlib.closing(drawable_env(patient, draw=plan.draw)) as env:
        task = plan.task or TaskConfig(unexplained_reward="ignore")
        spec = GoalSpec.from_env(env, task, name=source.name)
        takes = Takes(plan.out, spec, plan.seed, plan.ghost_name)
        session = Session(env, spec, seed=plan.seed, ghost=plan.ghost)
        views = open_views(env, spec, plan.size, draw=plan.draw)
        with contextlib.closing(views):
            screen = Screen(server, views)
            desk = Desk(server, session, screen, takes, _facts(plan, spec, session))
            period, news = 1.0 / STEPS_PER_SECOND, desk.hear
            for _ in paced(period, time.monotonic, server.wait, news):
                desk.tick(time.monotonic())
                enough = plan.episodes is not None and len(takes.kept) >= plan.episodes
                if is_stopped() or desk.is_over or enough:
                    break
    return takes.demos() if takes.kept else None


def _facts(plan: TeleopPlan, spec: GoalSpec, session: Session) -> dict[str, Any]:
    return {
        "kind": "teleop",
        "env": spec.env_id,
        "file": plan.out.name,
        **session.drive.describe(),
        "can_undo": session.can_undo,
        "ghost": plan.ghost_name,
        "episodes": plan.episodes,
    }
