"""Whether seed and actions decide an episode, and nothing else does."""

from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from headstart.envs import probe
from headstart.envs.interface import refusal_of_seed, refused_seed
from headstart.envs.rebuilding import REBUILD
from headstart.envs.trial import Recording, Trial, difference, record

_SEED = 1
_OTHER = 2
_LARGEST_SEEDS = (2**32 - 1, 2**31 - 1)
_DIFFER = "two episodes with the same seed and actions differ"
_SEED_ALL = "draw everything from self.np_random, and let reset set back all that step changes"


def find_moving_goals(trial: Trial) -> Iterator[str]:
    """Yield goals that change within an episode."""
    moves = [(step, episode) for episode in trial.episodes for step in episode.moved_goals[:1]]
    if not moves:
        return
    if all(episode.shows_next for _, episode in moves):
        yield (
            "the goal changes with the step that ends an episode, as if it had been reset there: "
            "return the state that the episode ended in"
        )
    else:
        yield (
            f"the goal changes within an episode, at step {moves[0][0]}: hindsight needs one goal "
            f"an episode; set a new goal in reset alone"
        )


def find_irreproducible(trial: Trial) -> Iterator[str]:
    """Yield what decides episodes besides their seed and actions."""
    env = trial.env
    first, again = record(env, _SEED), record(env, _SEED)
    record(env, _SEED, actions=_OTHER)
    after_another = record(env, _SEED)
    differs = difference(first, again) or difference(first, after_another)
    try:
        fresh = trial.build()
    except Exception as error:
        yield (
            f"it cannot be built a second time while the first is open, as training does "
            f"({type(error).__name__}: {error})"
        )
        return
    if fresh.unwrapped is env.unwrapped:
        # An object that can be neither built again nor copied.
        if differs is not None:
            yield f"{_DIFFER}: {differs}; {_SEED_ALL}"
        return
    try:
        elsewhere = record(fresh, _SEED)
        if differs is None and difference(first, elsewhere) is None:
            yield from _disturbances(env, fresh, first)
            return
    finally:
        fresh.close()
    yield _cause(trial, first, elsewhere, differs)


def _cause(trial: Trial, used: Recording, fresh: Recording, differs: str | None) -> str:
    """Say why episodes differ: for no reason, with the environment, or with what ran before.

    Args:
        trial: the environment.
        used: an episode in one that has run others.
        fresh: the same in one that was built for it.
        differs: how the first differs from its repetitions, if it does.
    """
    third = trial.build()
    try:
        by_chance = difference(fresh, record(third, _SEED))
    finally:
        third.close()
    if by_chance is None:
        how = differs or difference(used, fresh)
        return (
            f"an episode depends on what ran before it: with the same seed and actions, {how}; let "
            f"reset set back all that step changes, or append {REBUILD}=true to the id, which "
            f"builds it again for each episode"
        )
    if differs is None:
        return (
            f"an environment that is built again goes another way with the same seed and actions: "
            f"{by_chance}; draw in reset, from self.np_random, and nothing where it is built"
        )
    return f"{_DIFFER}: {differs}; {_SEED_ALL}"


def _disturbances(
    env: gym.Env[Any, Any], fresh: gym.Env[Any, Any], plain: Recording
) -> Iterator[str]:
    """Yield what changes an episode while it runs."""

    def ask(state: Mapping[str, Any], info: Mapping[str, Any]) -> None:
        goal = state["desired_goal"]
        for method in ("compute_reward", "compute_terminated"):
            probe.call(env, method, goal.copy(), goal.copy(), info)

    def run_the_other(state: Mapping[str, Any], info: Mapping[str, Any]) -> None:
        record(fresh, _OTHER, 1)

    if difference(plain, record(env, _SEED, between=ask)) is not None:
        yield (
            "compute_reward or compute_terminated changes the environment: asking for a reward "
            "between steps makes the episode continue differently"
        )
    if difference(plain, record(env, _SEED, between=run_the_other)) is not None:
        yield (
            "two environments in one process disturb each other, and training has two: keep all "
            "state in self, random numbers in self.np_random (with PyBullet, pass physicsClientId "
            "to each call)"
        )


def find_deaf(trial: Trial) -> Iterator[str]:
    """Yield episodes that do not depend on their actions."""
    first, other = record(trial.env, _SEED), record(trial.env, _SEED, actions=_OTHER)
    if difference(first, other) is None:
        yield (
            f"actions change nothing: two episodes with the same seed and different actions are "
            f"the same for {len(first)} steps"
        )


def find_refused_seeds(trial: Trial) -> Iterator[str]:
    """Yield seeds below ``2**31`` that ``reset`` does not take."""
    seed = _LARGEST_SEEDS[1]
    error = refusal_of_seed(trial.env, seed)
    if error is not None:
        yield refused_seed(seed, error)


def advise_on_seeds(trial: Trial) -> Iterator[str]:
    """Yield what is unusual about seeds and does no harm."""
    error = refusal_of_seed(trial.env, _LARGEST_SEEDS[0])
    if error is not None:
        yield (
            f"reset takes no seeds from 2**31 on ({type(error).__name__}: {error}): they are taken "
            f"modulo 2**31 here; take them all, with seed % 2**31"
        )
    starts = [episode.states[0] for episode in trial.episodes]
    if all(map(np.array_equal, map(_flat, starts), [_flat(starts[0])] * len(starts))):
        yield (
            f"all of {len(starts)} resets with different seeds begin in the same state with the "
            f"same goal, so any number of episodes tries one task: let reset draw from "
            f"self.np_random if there are more"
        )


def _flat(state: Mapping[str, Any]) -> Any:
    return np.concatenate([np.ravel(part) for part in state.values()])
