"""Training configurations by name."""

import difflib

from headstart.agents.config import DDPGConfig
from headstart.errors import InputError
from headstart.rollout.exploration import Exploration
from headstart.training.config import (
    CycleConfig,
    DemosConfig,
    EvaluationConfig,
    HindsightConfig,
    TrainConfig,
    WarmStartConfig,
)

_PUBLISHED_AGENT = DDPGConfig(
    hidden_sizes=(256, 256, 256),
    critic_layer_norm=False,
    num_critics=1,
    target_combination="min",
    discount=0.98,
    actor_lr=1e-3,
    actor_decay=0.0,
    critic_lr=1e-3,
    tau=0.05,
    target_update="cycle",
    action_l2=1.0,
    goal_input="absolute",
    q_weight=0.001,
    bc_weight=1.0,
    bc_error="squared",
    q_filter=True,
    q_filter_margin=0.0,
    q_filter_from=0,
    deploy="online",
)
_PUBLISHED_HINDSIGHT = HindsightConfig(relabel_fraction=0.8)
_NO_WARM_START = WarmStartConfig(bc_updates=0, episodes=0, episodes_in_doubt=0, critic_updates=0)

FAST = TrainConfig()
"""The modern recipe: warm start by cloning, twin critics with layer norm, averaged actor."""

NAIR2018 = TrainConfig(
    env_steps=1_000_000,
    batch_size=1024,
    symmetry=False,
    scale_rewards=False,
    actor_inputs="all",
    agent=_PUBLISHED_AGENT,
    demos=DemosConfig(
        fraction=128 / 1024,
        num_episodes=100,
        relabel_fraction=0.8,
        expand=0,
        find=0,
        other_goals=False,
    ),
    hindsight=_PUBLISHED_HINDSIGHT,
    warm_start=_NO_WARM_START,
    cycle=CycleConfig(episodes=2, updates=40, ahead=False),
    exploration=Exploration(noise=0.1, random_action=0.1, greedy_episodes=0.0),
    # An epoch is 20 cycles of 2 rollouts of 50 steps.
    evaluation=EvaluationConfig(every=2000, episodes=20),
)
"""DDPG + HER + demonstrations as published (Nair et al. 2018, in the code of OpenAI Baselines)."""

HER = TrainConfig(
    env_steps=2_000_000,
    batch_size=256,
    symmetry=False,
    demos=DemosConfig(relabel_fraction=0.8, expand=0, find=0, other_goals=False),
    scale_rewards=False,
    actor_inputs="all",
    agent=_PUBLISHED_AGENT,
    hindsight=_PUBLISHED_HINDSIGHT,
    warm_start=_NO_WARM_START,
    cycle=CycleConfig(episodes=2, updates=40, ahead=False),
    exploration=Exploration(noise=0.2, random_action=0.3, greedy_episodes=0.0),
    # An epoch is 50 cycles of 2 rollouts of 50 steps.
    evaluation=EvaluationConfig(every=5000, episodes=20),
)
"""DDPG + HER without demonstrations as published (Plappert et al. 2018)."""

STACK = FAST.with_(
    {
        "agent.hidden_sizes": (256, 256, 256),
        "agent.actor_decay": 0.0,
        "agent.discount": 0.99,
        "agent.target_combination": "min",
        "agent.q_filter": False,
        "demos.expand_noise": 0.05,
        "demos.expand_speed": 1.5,
        "hindsight.relabel_fraction": 0.8,
        "warm_start.bc_updates": 24_000,
        "exploration.random_action": 0.0,
        "exploration.greedy_episodes": 0.0,
    }
)
"""``fast`` for goals of several components, reached one after another in hundreds of steps.

Such demonstrations take wider networks and longer cloning, their horizon a longer discount. Critics
take tens of thousands of updates to value so many steps, and a Q-filter that asked them before
would leave out most demonstrations. A random action may knock over what has been built.
Demonstrations that are made of others take a quicker hand, and some noise, so that they show how to
recover.
"""

PRESETS: dict[str, TrainConfig] = {
    "fast": FAST,
    "nair2018": NAIR2018,
    "her": HER,
    "stack": STACK,
}


def find_preset(name: str) -> TrainConfig:
    """Return the preset of this name.

    Raises:
        InputError: if there is none.
    """
    if name not in PRESETS:
        close = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(PRESETS)}"
        raise InputError(f"unknown preset {name!r}; {hint}")
    return PRESETS[name]
