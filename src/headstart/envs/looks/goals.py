"""Whether goals are made of the components, and lie in the regions, that are declared."""

from collections.abc import Iterator

import numpy as np

from headstart.envs import probe
from headstart.envs.goal_env import GoalSpec
from headstart.envs.trial import Trial

_FAR = 1e3


def advise(trial: Trial, spec: GoalSpec) -> Iterator[str]:
    """Yield components that the reward does not look at, and regions without goals."""
    goals, infos = trial.steps.desired_goals, trial.steps.infos
    for component in spec.components:
        away = goals.astype(np.float64)
        away[:, component.entries] += _FAR
        if np.array_equal(probe.rewards_of(trial.env, away, goals, infos), trial.at_goals):
            yield (
                f"the reward is the same wherever the component {component.name!r} of a goal is: "
                f"correct goal_components, or compute_reward"
            )
    if spec.regions is None:
        return
    starts = np.stack([episode.states[0]["desired_goal"] for episode in trial.episodes])
    names = spec.regions.names(starts)
    for name in (spec.regions.above, spec.regions.below):
        if name not in names:
            yield (
                f"none of the goals of {len(names)} episodes lies in the region {name!r}: correct "
                f"goal_regions"
            )
