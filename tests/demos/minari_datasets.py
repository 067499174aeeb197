"""Datasets in the manner of Minari, for its tests."""

import json
from contextlib import contextmanager

import h5py
import numpy as np
import pytest
from builders import is_one_line, point_expert
from minari import DataCollector, StepDataCallback, create_dataset_from_buffers
from minari.data_collector import EpisodeBuffer

from headstart.data.episode import Episode
from headstart.demos.foreign.minari import load_minari_demos, save_minari_demos
from headstart.demos.record import collect_demos
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward
from headstart.envs.make import make_env
from headstart.errors import InputError

MARKS = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("store")]
ID = "test/point-v0"
REWARD = GoalReward(make_env("PointReach-v0"))
SPEC = REWARD.spec


def drop_snapshots(demos):
    """Demonstrations with all that a dataset keeps of them: no snapshots of the simulator."""
    names = ("observations", "achieved_goals", "desired_goals", "actions")
    names += ("terminated", "is_success", "reward_infos")
    episodes = [
        Episode(**{name: getattr(episode, name) for name in names}) for episode in demos.episodes
    ]
    return DemoSet(demos.env_id, tuple(episodes), demos.header)


DEMOS = drop_snapshots(collect_demos("PointReach-v0", point_expert, episodes=3, seed=1))


def export(demos=DEMOS, dataset_id=ID, env_id="PointReach-v0"):
    return save_minari_demos(demos, dataset_id, make_env(env_id))


def buffer(steps=5, *, infos=None, **changes):
    """An episode of PointReach as the minari library takes it, which moves along x to its goal."""
    states = np.zeros((steps + 1, 2))
    states[:, 0] = 0.1 * np.arange(steps + 1)
    arrays = {
        "observation": states,
        "achieved_goal": states,
        "desired_goal": np.repeat(states[-1:], steps + 1, axis=0),
        "actions": np.repeat([[1.0, 0.0]], steps, axis=0).astype(np.float32),
        "rewards": np.where(np.arange(steps) == steps - 1, 0.0, -1.0),
        "terminations": np.zeros(steps, bool),
        "truncations": np.arange(steps) == steps - 1,
        **changes,
    }
    observations = {
        key: arrays.pop(key) for key in ("observation", "achieved_goal", "desired_goal")
    }
    return EpisodeBuffer(observations=observations, infos=infos, **arrays)


@pytest.mark.filterwarnings("ignore")
def write(*buffers, dataset_id=ID, env_id="PointReach-v0"):
    """Let the minari library write a dataset."""
    create_dataset_from_buffers(dataset_id, list(buffers), env=make_env(env_id))


@contextmanager
def episode_of(directory, number=0):
    """The group of one episode, to be changed."""
    with h5py.File(directory / "data" / "main_data.hdf5", "a") as file:
        yield file[f"episode_{number}"]


def replace_array(group, name, array):
    del group[name]
    group[name] = array


def edit_metadata(directory, **changes):
    path = directory / "data" / "metadata.json"
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def remarks_of(source=ID, spec=SPEC, reward=None):
    return load_minari_demos(source, spec, reward).header["remarks"]


def refusal(source, spec=SPEC, reward=None):
    with pytest.raises(InputError) as caught:
        load_minari_demos(source, spec, reward)
    message = str(caught.value)
    assert is_one_line(message)
    assert message.startswith(f"{source}: ")
    return message


class Reported(StepDataCallback):
    """Reports success after reset too, without which Minari cannot record the infos of Fetch."""

    def __call__(self, env, **data):
        data["info"] = {"is_success": 0.0, **data["info"]}
        return super().__call__(env, **data)


class CutAtSuccess(StepDataCallback):
    """Ends an episode at the goal, as the collector of Minari's own maze datasets does."""

    def __call__(self, env, **data):
        step = super().__call__(env, **data)
        step["truncated"] = step["truncated"] or bool(step["info"]["success"])
        return step


@contextmanager
def collector(env_id, **arguments):
    """An environment that Minari's collector records, and in the end the finished dataset."""
    env = DataCollector(make_env(env_id), **arguments)
    env.action_space.seed(0)
    yield env
    env.create_dataset(ID)
    env.close()


def tree_map(function, tree, *others):
    """What Minari's collector uses of jax, for the nested dicts that it uses it on."""
    if not isinstance(tree, dict):
        return function(tree, *others)
    assert all(tree.keys() == other.keys() for other in others)
    return {key: tree_map(function, tree[key], *(o[key] for o in others)) for key in tree}
