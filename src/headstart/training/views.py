"""What the actor sees of a state, by settings and the description of the task."""

from collections.abc import Sequence

from headstart.data.component_inputs import ComponentInputs
from headstart.data.episode import Episode
from headstart.data.inputs import InputMap
from headstart.data.layout import choose_inputs
from headstart.envs.components import component_inputs
from headstart.envs.goal_env import GoalSpec
from headstart.training.adaptation import sees_component
from headstart.training.config import ActorInputs, TrainConfig


def views(
    config: TrainConfig, spec: GoalSpec, demos: Sequence[Episode] | None
) -> list[ActorInputs]:
    """Return what the actor may see of a state, less before more: episodes decide."""
    if sees_component(config, spec):
        return ["component"]
    if config.actor_inputs != "auto":
        return [config.actor_inputs]
    warm_start = config.warm_start
    tried = demos is not None and warm_start.bc_updates and warm_start.episodes
    if not tried:
        return ["all"]
    names: tuple[ActorInputs, ...] = ("all", "neither", "no-absolute")
    different: dict[InputMap | ComponentInputs | None, ActorInputs] = {}
    for name in names:
        different.setdefault(actor_inputs(config, spec, name), name)
    everything, *less = different.values()
    return [*less, everything]


def actor_inputs(
    config: TrainConfig, spec: GoalSpec, seen: ActorInputs
) -> InputMap | ComponentInputs | None:
    """Return what the actor sees, if that is not everything.

    Raises:
        InputError: if it is one component at a time, and the environment does not declare them so.
    """
    if seen == "component":
        return component_inputs(spec, config.fine_scales)
    everything = InputMap.of(spec.observation_dim, spec.goal_dim, config.agent.goal_input)
    chosen = choose_inputs(
        spec.layout,
        everything,
        velocities=seen in ("all", "no-absolute"),
        absolute=seen in ("all", "no-velocities"),
        fine_scales=config.fine_scales,
    )
    return None if chosen == everything else chosen
