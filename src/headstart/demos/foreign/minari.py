"""Demonstrations as datasets of Minari (https://minari.farama.org), in and out."""

import copy
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec

from headstart.demos.foreign.importer import EpisodeImporter
from headstart.demos.foreign.minari_episodes import episode_buffers, import_arrays
from headstart.demos.foreign.minari_files import (
    DATASET_ID,
    find_dataset,
    read_arrays,
    read_metadata,
    store,
)
from headstart.demos.foreign.reader_process import need
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.interface import GOAL_KEYS
from headstart.errors import InputError
from headstart.text import counted


def load_minari_demos(
    source: str | Path, spec: GoalSpec, reward: GoalReward | None = None
) -> DemoSet:
    """Read a dataset of a goal environment from the local Minari store; nothing is downloaded.

    An untrusted dataset is safe to read: nothing that it names is run, and no environment built.
    Actions beyond the bounds are clipped, episodes are cut to the time limit of ``spec``, and what
    was changed is in the ``remarks`` of the header.

    Args:
        source: id of a dataset, such as ``"fetch/reach-v0"``, or the path of its directory.
        spec: the environment that the demonstrations are for.
        reward: says which steps succeed where the dataset does not; without it they count as
            failures.

    Returns:
        The demonstrations, of the environment that the dataset names, or else of ``spec``.

    Raises:
        InputError: if there is no such dataset, its files are damaged, or its widths are not those
            of the environment.
    """
    need("h5py", f"{source}: reading a Minari dataset", "minari")
    directory = find_dataset(source)
    try:
        metadata = read_metadata(directory)
        arrays = read_arrays(directory, spec)
        if metadata.num_episodes not in (None, len(arrays["steps"])):
            raise ValueError(
                f"data/metadata.json says {metadata.num_episodes} episodes, "
                f"data/main_data.hdf5 holds {len(arrays['steps'])}"
            )
        importer = EpisodeImporter(spec, reward)
        remarks = import_arrays(arrays, spec, importer)
        if metadata.env_id is None:
            remarks.append("The dataset does not name its environment.")
        demos = importer.demos(_name(directory), "minari", remarks)
    except (OSError, ValueError) as error:
        # What a file holds may be quoted: any text, of any length.
        raise InputError(f"{source}: {' '.join(str(error).split())[:500]}") from error
    return replace(demos, env_id=metadata.env_id or spec.env_id)


def _name(directory: Path) -> str:
    """Return the id of a dataset in the store; of another one the last part of its path."""
    directory = directory.absolute()
    within = directory.is_relative_to(store().absolute())
    return directory.relative_to(store().absolute()).as_posix() if within else directory.name


def save_minari_demos(demos: DemoSet, dataset_id: str, env: gym.Env[Any, Any]) -> Path:
    """Write demonstrations into the local Minari store as a new dataset, whole or not at all.

    Args:
        demos: what to write, simulator snapshots aside. Rewards are those that ``env`` computes.
        dataset_id: name in the store, such as ``"fetch/reach-v0"``.
        env: the environment that the demonstrations are of. Some steps are taken in it. The dataset
            describes it, unless it was built with arguments that JSON cannot hold.

    Returns:
        The directory of the dataset.

    Raises:
        InputError: if the id is malformed or taken, the demonstrations are not of the environment,
            or the store cannot be written.
    """
    for module in ("minari", "h5py"):
        need(module, f"{dataset_id}: writing a Minari dataset", "minari")
    directory = _new_directory(dataset_id)
    reward = GoalReward(env)
    demos.check_fits(reward.spec)
    try:
        store().mkdir(parents=True, exist_ok=True)
        # Hidden, and so no dataset to Minari, until it is moved as a whole.
        with tempfile.TemporaryDirectory(prefix=".headstart-", dir=store()) as staged:
            data = Path(staged) / "dataset" / "data"
            _write(data, dataset_id, demos, env, reward)
            _make_namespace(dataset_id)
            data.parent.rename(directory)
    except OSError as error:
        reason = " ".join((error.strerror or str(error)).split())
        raise InputError(f"{dataset_id}: cannot be written to {directory} ({reason})") from error
    return directory


def _new_directory(dataset_id: str) -> Path:
    """Return where a new dataset belongs.

    Raises:
        InputError: if the id is malformed, or something lies there.
    """
    from minari.dataset.minari_dataset import parse_dataset_id

    try:
        parse_dataset_id(dataset_id)
        well_formed = DATASET_ID.fullmatch(dataset_id) is not None
    except (ValueError, TypeError):
        well_formed = False
    if not well_formed:
        raise InputError(
            f"{dataset_id!r} is not the id of a Minari dataset, which is name-v0 or "
            f"namespace/name-v0 in letters, digits, - and _, the namespace of two or more"
        )
    directory = store() / dataset_id
    if directory.exists():
        raise InputError(
            f"{dataset_id}: already in the local Minari store {store()}; take another version, "
            f"or delete that one with `minari delete {dataset_id}`"
        )
    for parent in directory.parents[: dataset_id.count("/")]:
        if (parent / "data").exists():
            raise InputError(f"{dataset_id}: lies within another dataset, {parent}")
    return directory


def _make_namespace(dataset_id: str) -> None:
    from minari.namespace import create_namespace, list_local_namespaces

    namespace = dataset_id.rpartition("/")[0]
    if namespace and namespace not in list_local_namespaces():
        create_namespace(namespace)


def _write(
    data: Path, dataset_id: str, demos: DemoSet, env: gym.Env[Any, Any], reward: GoalReward
) -> None:
    """Write the files of a dataset into the new directory ``data``."""
    import minari
    from minari.dataset.minari_storage import MinariStorage

    assert isinstance(env.observation_space, spaces.Dict)
    data.mkdir(parents=True)
    observation_space = spaces.Dict({key: env.observation_space[key] for key in GOAL_KEYS})
    # Not create_dataset_from_buffers: what it has written when it fails, it leaves behind.
    storage = MinariStorage.new(data, observation_space, env.action_space, _describe(env))
    description = (
        f"{counted(len(demos.episodes), 'demonstration')} of {demos.env_id}, written by headstart; "
        f"{demos.success_rate:.0%} succeed at the last step."
    )
    about = {
        "dataset_id": dataset_id,
        "minari_version": minari.__version__,
        "description": description,
    }
    if "expert" in demos.header:
        about["algorithm_name"] = str(demos.header["expert"])
    storage.update_metadata(about)
    storage.update_episodes(episode_buffers(demos, observation_space, env.action_space, reward))


def _describe(env: gym.Env[Any, Any]) -> EnvSpec | None:
    """Return the spec of an env with classes and functions by name, or ``None`` if not JSON."""
    assert env.spec is not None
    spec = copy.copy(env.spec)
    for name in ("entry_point", "vector_entry_point"):
        point = getattr(spec, name)
        if callable(point):
            setattr(spec, name, f"{point.__module__}:{getattr(point, '__qualname__', '')}")
    try:
        spec.to_json()
    except (TypeError, ValueError):
        return None
    return spec
