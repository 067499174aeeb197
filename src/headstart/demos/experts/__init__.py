"""Scripted experts: closed-loop policies that solve a task from its observation alone."""

import re
from collections.abc import Callable, Mapping

from headstart.demos.experts.fetch_pick_and_place import fetch_pick_and_place
from headstart.demos.experts.fetch_push import fetch_push
from headstart.demos.experts.fetch_reach import Array, fetch_reach
from headstart.demos.experts.fetch_slide import fetch_slide
from headstart.demos.experts.fetch_stack import fetch_stack
from headstart.demos.experts.metaworld import metaworld_expert
from headstart.demos.experts.ogbench_cube import ogbench_cube
from headstart.envs.known import task_name
from headstart.errors import InputError

__all__ = ["EXPERTS", "Expert", "expert_for"]

Expert = Callable[[Mapping[str, Array]], Array]
"""One unbatched goal observation to one action. Without state, so it can be pickled, restarted
from any state and mixed with noise."""

EXPERTS: dict[str, Expert] = {
    "FetchPickAndPlace": fetch_pick_and_place,
    "FetchPush": fetch_push,
    "FetchReach": fetch_reach,
    "FetchSlide": fetch_slide,
    "FetchStack": fetch_stack,
}
"""Expert by environment id without version, kind of reward and number of blocks."""
_OF_OTHERS: dict[str, Expert] = {"OGBenchCubeSingle": ogbench_cube}
"""Experts in environments of packages that may not be here."""
_VARIANT = re.compile(r"(?<=FetchStack)[1-8](Step)?$|Dense$")


def expert_for(env_id: str) -> Expert:
    """Return the expert of ``env_id``; version, reward and number of blocks do not matter.

    Raises:
        InputError: If no expert is known for this environment.
    """
    if (theirs := metaworld_expert(env_id)) is not None:
        return theirs
    # The reward is not part of the observation, and that says how many blocks there are.
    task = _VARIANT.sub("", task_name(env_id))
    if task in _OF_OTHERS:
        return _OF_OTHERS[task]
    if task not in EXPERTS:
        known = ", ".join(sorted(EXPERTS))
        raise InputError(
            f"{env_id}: no scripted expert for this environment; there are experts for {known} "
            "(any version, sparse or Dense), for Meta-World's tasks and OGBenchCubeSingle; a "
            "policy demonstrates with --policy DIR, any function from Python with "
            "collect_demos(env, function, episodes=N)"
        )
    return EXPERTS[task]
