"""Towers of one to eight blocks, built by the arm of Fetch: ``FetchStack1-v0`` to ``8``.

Importing this registers them with Gymnasium, without a simulator: ``FetchStack3-v0`` is paid for
the whole tower alone, ``FetchStack3Step-v0`` for every block.
"""

import gymnasium as gym

MOST_BLOCKS = 8
STEPS_PER_BLOCK = 50

for _count in range(1, MOST_BLOCKS + 1):
    for _name, _reward_type in (("", "sparse"), ("Step", "step")):
        gym.register(
            f"FetchStack{_count}{_name}-v0",
            entry_point="headstart.envs.stack.env:FetchStack",
            max_episode_steps=STEPS_PER_BLOCK * _count,
            kwargs={"num_blocks": _count, "reward_type": _reward_type},
        )
