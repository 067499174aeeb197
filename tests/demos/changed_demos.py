"""Real demonstrations with something changed."""

from dataclasses import replace

import numpy as np

from headstart.demos.storage import DemoSet


def change_episode(demos, index=0, **arrays) -> DemoSet:
    """The set with some arrays of one episode replaced."""
    episodes = list(demos.episodes)
    episodes[index] = replace(episodes[index], **arrays)
    return replace(demos, episodes=tuple(episodes))


def all_of(demos, **functions) -> DemoSet:
    """The set with some arrays of every episode computed from the episode."""
    return replace(
        demos,
        episodes=tuple(
            replace(episode, **{name: new(episode) for name, new in functions.items()})
            for episode in demos.episodes
        ),
    )


def failing(demos, count) -> DemoSet:
    """The set whose first episodes never succeed."""
    for index in range(count):
        demos = change_episode(demos, index, is_success=np.zeros(len(demos.episodes[index]), bool))
    return demos


def bound_actions(demos, bounds) -> DemoSet:
    """The set with these action bounds; ``None`` for a file that lacks them."""
    return replace(demos, header={**demos.header, "action_bounds": bounds})
