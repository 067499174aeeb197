"""panda-gym: its ids without an import, the end of its episodes, and simulators that remember."""

import importlib
import re
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from headstart.envs.interface import layers
from headstart.errors import InputError
from headstart.standard_streams import silent_stdout

_MODULE = "panda_gym"
_ID = re.compile(r"Panda(Reach|Slide|Push|PickAndPlace|Stack|Flip)(Joints)?(Dense)?-v3")


def register(env_id: str) -> None:
    """Register the tasks of panda-gym if an id, without arguments, is one of them.

    Raises:
        InputError: if panda-gym is not installed.
    """
    if not _ID.fullmatch(env_id) or env_id in gym.registry:
        return
    try:
        with silent_stdout():
            importlib.import_module(_MODULE)
    except ImportError as error:
        raise InputError(
            f"environment {env_id!r} needs panda-gym: run `pip install 'headstart[panda]'`"
        ) from error


def is_own(env_id: str) -> bool:
    """Return whether an id is one of panda-gym's, and still what panda-gym registers."""
    spec = gym.registry.get(env_id)
    return bool(_ID.fullmatch(env_id)) and (
        spec is None or str(spec.entry_point).startswith(f"{_MODULE}.")
    )


def end_at_goals(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """Return a task of panda-gym with what it lacks; any other environment as it is."""
    is_panda = type(env.unwrapped).__module__.partition(".")[0] == _MODULE
    is_done = any(isinstance(layer, EndsAtGoals) for layer in layers(env))
    return EndsAtGoals(env) if is_panda and not is_done else env


class EndsAtGoals(gym.Wrapper[Any, Any, Any, Any]):
    """Says where goals end episodes of panda-gym, and that no simulator may run two of them.

    Upstream (3.0.7) a success ends an episode and nothing says so of another goal. PyBullet keeps
    contacts that ``reset`` does not set back, so an episode depends on those before it
    (panda-gym issue 94); states that PyBullet saves keep them too.
    """

    rebuild_each_episode = True

    @property
    def spec(self) -> EnvSpec | None:  # type: ignore[override]
        """That of the task, which is built with this wrapper wherever it is built."""
        return self.env.spec

    def compute_terminated(self, achieved_goal: Any, desired_goal: Any, info: Any) -> Any:
        """Return whether goals are reached, for one or for many."""
        task: Any = self.env.unwrapped
        return task.task.is_success(achieved_goal, desired_goal)
