"""Environments whose goals have components to finish one after the other, and policies for them."""

from headstart.data.component_inputs import ComponentInputs
from headstart.data.layout import see_components
from headstart.envs.goal_env import GoalSpec
from headstart.errors import InputError


def component_inputs(spec: GoalSpec, scales: tuple[float, ...] = ()) -> ComponentInputs:
    """Return what an actor sees that looks at one component at a time.

    Args:
        spec: the environment.
        scales: see ``ComponentInputs``; by default two that resolve the distances it declares.

    Raises:
        InputError: if the environment does not declare its components so.
    """
    parts, components, layout = spec.component_layout, spec.components, spec.layout
    if parts is None or len(components) < 2:
        raise InputError(
            f"{spec.env_id} declares no component_layout of two or more components of its goals, "
            f"so an actor cannot see one at a time (--actor-inputs component)"
        )
    for it in components:
        if it.start not in layout.goal_positions or it.stop - it.start != layout.dim:
            raise InputError(
                f"{spec.env_id}: each component of its goals must be one of goal_positions of its "
                f"state_layout, {layout.dim} entries wide; {it.name} is not"
            )
    sizes = spec.observation_dim, spec.goal_dim
    return see_components(layout, parts, components, sizes, scales)
