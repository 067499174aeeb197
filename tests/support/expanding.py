"""Demonstrations of blocks that are carried, and what is made of them."""

from dataclasses import replace

from carrying import Carrying, Demonstrator

from headstart import collect_demos, expand_demos
from headstart.demos.storage import DemoSet

STEPS = {"max_episode_steps": 60}


def demonstrate(demonstrator=None, episodes=1, seed=1, **kwargs):
    options = {"env_kwargs": {**STEPS, **kwargs}, "seed": seed, "snapshots": False}
    return collect_demos(Carrying, demonstrator or Demonstrator(), episodes=episodes, **options)


def expand(source, env=Carrying, *, episodes=8, **options):
    kwargs = {**STEPS, **options.pop("env_kwargs", {})}
    if isinstance(source, DemoSet):
        # The same task, whatever else its class changes.
        source = replace(source, env_id=f"{env.__module__}:{env.__qualname__}")
    return expand_demos(source, env, env_kwargs=kwargs, episodes=episodes, **options)
