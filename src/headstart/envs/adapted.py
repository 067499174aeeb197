"""Ids of environments of others that an adapter makes goal environments of.

Registering them imports neither the adapter nor the other library.
"""

import gymnasium as gym

METAWORLD: dict[str, tuple[str, float, int]] = {
    # Task of Meta-World: what achieves the goal, how near it must come (m), env steps.
    "reach-v3": ("hand", 0.05, 100),
    "reach-wall-v3": ("hand", 0.05, 100),
    "push-v3": ("object", 0.05, 150),
    "push-wall-v3": ("object", 0.07, 150),
    "push-back-v3": ("object", 0.07, 150),
    "pick-place-v3": ("object", 0.07, 150),
    "pick-place-wall-v3": ("object", 0.07, 200),
    "pick-out-of-hole-v3": ("object", 0.07, 150),
    "shelf-place-v3": ("object", 0.07, 200),
    "hand-insert-v3": ("object", 0.05, 150),
    "coffee-push-v3": ("object", 0.07, 150),
    "coffee-pull-v3": ("object", 0.07, 150),
    "plate-slide-v3": ("object", 0.07, 150),
    "plate-slide-side-v3": ("object", 0.07, 150),
    "plate-slide-back-v3": ("object", 0.07, 150),
    "plate-slide-back-side-v3": ("object", 0.07, 150),
    "soccer-v3": ("object", 0.07, 150),
    "peg-unplug-side-v3": ("object", 0.07, 200),
    "drawer-open-v3": ("object", 0.03, 150),
    "drawer-close-v3": ("object", 0.065, 150),
    "door-close-v3": ("object", 0.08, 150),
    "handle-pull-side-v3": ("object", 0.08, 150),
}
"""Tasks whose success is that the hand, or the object at entries 4:7, is at a place. Distances are
Meta-World's own, measured where its success begins."""
OGBENCH = {
    # Environment of OGBench: env steps.
    "pointmaze-medium-v0": 300,
    "pointmaze-large-v0": 500,
    "cube-single-v0": 200,
    "cube-double-v0": 400,
}


def camel(name: str) -> str:
    """Return ``pick-place-v3`` as ``PickPlace-v3``."""
    *words, version = name.split("-")
    return f"{''.join(word.capitalize() for word in words)}-{version}"


METAWORLD_IDS = {f"MetaWorld{camel(task)}": task for task in METAWORLD}
OGBENCH_IDS = {f"OGBench{camel(name)}": name for name in OGBENCH}

for _id, _task in METAWORLD_IDS.items():
    gym.register(
        _id,
        entry_point="headstart.integrations.metaworld:GoalMetaWorld",
        max_episode_steps=METAWORLD[_task][2],
        kwargs={"task": _task},
    )
for _id, _name in OGBENCH_IDS.items():
    gym.register(
        _id,
        entry_point="headstart.integrations.ogbench:GoalOGBench",
        max_episode_steps=OGBENCH[_name],
        kwargs={"name": _name},
    )
