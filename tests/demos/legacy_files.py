"""Writers of Baselines demonstration files, of every kind that is about.

None of them uses the reader's code.
"""

import io
import pickle
import struct
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from builders import is_one_line, random_episode, unpaid
from python2_pickle import Python2Pickle

from headstart.demos.foreign.legacy import load_legacy_demos
from headstart.envs.goal_env import GoalSpec
from headstart.errors import InputError

SPEC = GoalSpec(
    env_id="FetchPickAndPlace-v4",
    observation_dim=5,
    goal_dim=3,
    action_low=(-1.0, -1.0, -1.0, -1.0),
    action_high=(1.0, 1.0, 1.0, 1.0),
    max_episode_steps=50,
    reward_range=(-1.0, 0.0),
    terminates=False,
)


def some_episodes(lengths, spec=SPEC, seed=0):
    """Episodes of numbers that mean nothing, with actions within the bounds."""
    rng = np.random.default_rng(seed)
    episodes = []
    for steps in lengths:
        episode = random_episode(
            rng,
            steps,
            observation_dim=spec.observation_dim,
            goal_dim=spec.goal_dim,
            action_dim=spec.action_dim,
        )
        actions = rng.uniform(spec.action_low, spec.action_high, episode.actions.shape)
        ends = np.zeros(steps, bool)
        episodes.append(unpaid(replace(episode, actions=actions, terminated=ends)))
    return episodes


def parts_of(episodes):
    """``acs``, ``obs`` and ``info`` as the scripts collect them: lists with one list an episode."""
    acs, obs, info = [], [], []
    for episode in episodes:
        goal = episode.desired_goals[0].astype(float)
        acs.append(episode.actions.astype(float).tolist())
        obs.append(
            [
                {
                    "observation": observation.astype(float),
                    "achieved_goal": achieved.astype(float),
                    "desired_goal": goal.copy(),
                }
                for observation, achieved in zip(
                    episode.observations, episode.achieved_goals, strict=True
                )
            ]
        )
        info.append([{"is_success": np.float32(success)} for success in episode.is_success])
        info[-1][-1]["TimeLimit.truncated"] = True
    return acs, obs, info


def object_array(value, depth):
    """An array of objects, of whose lists in lists the first ``depth`` become dimensions."""
    shape = []
    row = value
    for _ in range(depth):
        shape.append(len(row))
        row = row[0]
    array = np.empty(shape, object)
    for index in np.ndindex(*shape):
        entry = value
        for number in index:
            entry = entry[number]
        array[index] = entry
    return array


def equal(parts):
    """The arrays of episodes of one length: plain actions, objects with an axis for the steps."""
    acs, obs, info = parts
    return np.array(acs), object_array(obs, 2), object_array(info, 2)


def ragged(parts):
    """The arrays of episodes of several lengths: objects, one list an episode."""
    return tuple(object_array(part, 1) for part in parts)


def write_today(path, arrays, keys=("acs", "obs", "info")):
    """As numpy of today writes it."""
    np.savez_compressed(path, **dict(zip(keys, arrays, strict=True)))


def write_numpy1(path, arrays, protocol):
    """As Python 3 with numpy 1 wrote it, of protocol 2 or 3: the globals stand under numpy.core."""

    def pickled(array):
        return pickle.dumps(array, protocol).replace(b"numpy._core", b"numpy.core")

    write_members(path, arrays, pickled)


def write_protocol5(path, arrays):
    """As nobody writes it by default; arrays of numbers come by another global."""
    write_members(path, arrays, lambda array: pickle.dumps(array, 5))


def write_python2(path, arrays, long_shapes=False):
    """As Python 2 wrote it; on Windows the shapes have an L behind their numbers."""
    write_members(path, arrays, lambda array: Python2Pickle().dumps(array), long_shapes=long_shapes)


def write_members(path, arrays, pickled, *, keys=("acs", "obs", "info"), long_shapes=False):
    """Write arrays with another pickler than numpy's."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, array in zip(keys, arrays, strict=True):
            if array.dtype == object:
                shape = "".join(f"{size}{'L' * long_shapes}, " for size in array.shape)
                content = npy(pickled(array), f"({shape})")
            else:
                stream = io.BytesIO()
                np.save(stream, array)
                content = stream.getvalue()
            archive.writestr(f"{key}.npy", content)


def npy(content, shape="(1,)", descr="|O"):
    """An ``.npy`` file with a header of its own."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header = header.ljust((len(header) + 10 + 16) // 16 * 16 - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


def members(**changes):
    """The members of a good file, with other content for some keys."""
    stream = io.BytesIO()
    write_today(stream, equal(parts_of(some_episodes([3, 3]))))
    with zipfile.ZipFile(stream) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    return contents | {f"{key}.npy": content for key, content in changes.items()}


def write(path, contents, compression=zipfile.ZIP_DEFLATED):
    """An archive of these members."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def refusal(path, spec=SPEC, reward=None, read=load_legacy_demos):
    """The message with which a file is refused."""
    with pytest.raises(InputError) as caught:
        read(path, spec, reward)
    message = str(caught.value)
    assert is_one_line(message)
    assert message.isprintable()
    assert message.startswith(f"{path}: ")
    assert len(message) < len(str(path)) + 300
    return message


def refusal_of(path, pickled, member="obs"):
    """The message with which a file is refused that has this pickle in it."""
    write(path, members(**{member: npy(pickled)}))
    return refusal(path)
