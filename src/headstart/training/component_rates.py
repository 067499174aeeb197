"""How often each component of a goal is where it belongs at the end."""

from collections.abc import Sequence

import numpy as np

from headstart.data.episode import Episode
from headstart.envs.goal_env import GoalReward


def component_rates(reward: GoalReward, episodes: Sequence[Episode]) -> dict[str, float]:
    """Return the share of episodes with each component at its goal at the last step, by name.

    A component is where it belongs if the reward of a goal that asks for it alone is that of the
    goal. There are none if goals have no components, or the reward does not say so: it is dense,
    or reads more than the goals.

    Args:
        reward: of the environment.
        episodes: finished ones, at least one.
    """
    spec = reward.spec
    if not spec.components or spec.reward_info_keys:
        return {}
    achieved = np.stack([episode.achieved_goals[-1] for episode in episodes])
    desired = np.stack([episode.desired_goals[-1] for episode in episodes])
    placed = []
    for component in spec.components:
        asked = achieved.copy()
        asked[:, component.entries] = desired[:, component.entries]
        placed.append(reward.is_best(reward(achieved, asked)[0]))
    success = np.array([episode.success for episode in episodes])
    if (success & ~np.all(placed, axis=0)).any():
        return {}
    names = [component.name for component in spec.components]
    return {name: float(at.mean()) for name, at in zip(names, placed, strict=True)}
