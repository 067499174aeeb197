"""Scripted experts: closed-loop policies that solve a task from its observation alone."""

from collections.abc import Callable, Mapping

from headstart.demos.experts.fetch_pick_and_place import fetch_pick_and_place
from headstart.demos.experts.fetch_push import fetch_push
from headstart.demos.experts.fetch_reach import Array, fetch_reach
from headstart.demos.experts.fetch_slide import fetch_slide
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
}
"""Expert by environment id without version and without ``Dense``."""


def expert_for(env_id: str) -> Expert:
    """Return the expert of ``env_id``; the version and the ``Dense`` variant do not matter.

    Raises:
        InputError: If no expert is known for this environment.
    """
    # The reward is not part of the observation, so the sparse and the dense task share an expert.
    task = task_name(env_id).removesuffix("Dense")
    if task not in EXPERTS:
        known = ", ".join(sorted(EXPERTS))
        raise InputError(
            f"{env_id}: no scripted expert for this environment; there are experts for {known} "
            "(any version, sparse or Dense); a policy demonstrates with --policy DIR, any function "
            "from Python with collect_demos(env_id, function, episodes=N)"
        )
    return EXPERTS[task]
