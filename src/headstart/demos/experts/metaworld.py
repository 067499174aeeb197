"""Meta-World's own scripted experts."""

import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.envs.adapted import METAWORLD_IDS
from headstart.errors import InputError


class MetaWorldExpert:
    """The expert of one task, without memory.

    Args:
        task: its name at Meta-World, such as ``"pick-place-v3"``.
    """

    def __init__(self, task: str) -> None:
        self._task = task

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Return the action, ``(4,)``."""
        whole = np.concatenate([observation["observation"], observation["desired_goal"]])
        # It warns of what is clipped here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            action = np.asarray(self._policy.get_action(whole), np.float32)
        return action.clip(-1.0, 1.0)

    @cached_property
    def _policy(self) -> Any:
        try:
            from metaworld.policies import ENV_POLICY_MAP
        except ImportError as error:
            raise InputError(
                "the experts of Meta-World need it: run `pip install 'headstart[metaworld]'`"
            ) from error
        return ENV_POLICY_MAP[self._task]()


def metaworld_expert(env_id: str) -> MetaWorldExpert | None:
    """Return the expert of a task of Meta-World, if that is what an id names."""
    task = METAWORLD_IDS.get(env_id.partition(",")[0].rpartition(":")[2])
    return None if task is None else MetaWorldExpert(task)
