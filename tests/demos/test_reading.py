"""One reader takes demonstrations of every kind, several at once, for every task they fit."""

import logging
import shlex
from dataclasses import replace

import h5py
import numpy as np
import pytest
from builders import is_one_line, point_expert
from demo_files import her_buffer, lengths_of, one_row, write_baselines
from minari_datasets import DEMOS as MINARI_DEMOS
from minari_datasets import ID, export

from headstart.demos.reading import read_demos
from headstart.demos.record import collect_demos
from headstart.demos.storage import DemoSet, load_demos, save_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.files.run_files import DEMOS

REWARD = GoalReward(make_env("PointReach-v0"))
SPEC = REWARD.spec
COLLECTED = collect_demos("PointReach-v0", point_expert, episodes=2)


def bare(demos=COLLECTED):
    """What files of others keep of demonstrations."""
    nothing = {"snapshots": np.zeros((31, 0)), "rewards": np.zeros(0)}
    return tuple(replace(episode, **nothing) for episode in demos.episodes)


def spec_of(env_id):
    return GoalSpec.from_env(make_env(env_id))


def write_kind(kind, folder):
    """Demonstrations of one kind in a folder, by what names them."""
    path = folder / "demos.npz"
    match kind:
        case "demo file" | "run directory":
            save_demos(path, COLLECTED)
            assert path.name == DEMOS
            return path if kind == "demo file" else folder
        case "baselines":
            write_baselines(path, bare())
        case "baselines without info":
            write_baselines(path, bare(), info=False)
        case "arrays":
            np.savez(path, **one_row(bare()), episode_lengths=lengths_of(bare()))
        case "her buffer":
            np.savez(path, **her_buffer(bare()))
    return path


KINDS = ("demo file", "run directory", "baselines", "baselines without info", "arrays",
         "her buffer")  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_by_its_content(tmp_path, kind):
    source = write_kind(kind, tmp_path)
    own = kind in ("demo file", "run directory")
    expected = COLLECTED.episodes if own else bare()
    for given in (source, str(source)):
        demos = read_demos(given, SPEC, REWARD)
        assert demos.env_id == "PointReach-v0"
        assert demos.episodes == expected
    np.testing.assert_array_equal(demos.action_bounds, COLLECTED.action_bounds)


@pytest.mark.slow
def test_minari_datasets_are_read_by_id_directory_and_file(store):
    directory = export()
    for source in (ID, directory, str(directory), directory / "data" / "main_data.hdf5"):
        demos = read_demos(source, SPEC, REWARD)
        assert [len(episode) for episode in demos.episodes] == [30, 30, 30]
        np.testing.assert_array_equal(demos.episodes[1].actions, MINARI_DEMOS.episodes[1].actions)


def test_several_are_joined_whatever_their_kinds(tmp_path):
    sources = []
    for kind in ("demo file", "baselines", "her buffer"):
        (tmp_path / kind).mkdir()
        sources.append(write_kind(kind, tmp_path / kind))
    demos = read_demos([*sources, COLLECTED, sources[0]], SPEC, REWARD)
    assert demos.episodes == COLLECTED.episodes + 2 * bare() + 2 * COLLECTED.episodes
    parts = demos.header["joined"]
    assert [part["file"] for part in parts] == [*map(str, sources), "demos[3]", str(sources[0])]
    assert [part.get("format") for part in parts] == [None, "baselines", "arrays", None, None]
    assert any("2 of 2 episodes succeed" in remark for remark in demos.header["remarks"])


def test_what_was_changed_is_logged_once(tmp_path, caplog):
    path = write_kind("baselines", tmp_path)
    demos = read_demos(path, SPEC, REWARD)
    (said,) = caplog.messages
    assert said.startswith(f"{path}: 2 of 2 episodes succeed at their last step. 2 of 2 ")
    save_demos(tmp_path / "own.npz", demos)
    caplog.clear()
    read_demos([tmp_path / "own.npz", demos], SPEC, REWARD)
    read_demos(path, SPEC, REWARD, log=False)
    assert caplog.messages == []


@pytest.mark.parametrize(
    "env_id",
    [
        "PointReachDense-v0",
        "envs.sound:Elsewhere/PointReach-v5",
        "PointReach-v0(...)",
        "ClipAction(RecordVideo(PointReach-v0,max_episode_steps=9))",
    ],
)
def test_demonstrations_serve_the_same_task_under_another_id(tmp_path, caplog, env_id):
    """A dense reward, another version or another namespace: rewards are computed again."""
    spec = replace(SPEC, env_id=env_id)
    path = write_kind("demo file", tmp_path)
    for source in (path, COLLECTED):
        demos = read_demos(source, spec, REWARD)
        assert demos.env_id == spec.env_id
        unpaid = [replace(episode, rewards=np.zeros(0)) for episode in COLLECTED.episodes]
        assert list(demos.episodes) == unpaid
        printed = f"Recorded with PointReach-v0, used for {spec.env_id}."
        assert demos.header["remarks"] == [printed]
        assert caplog.messages[-1].endswith(printed)
        assert caplog.records[-1].levelno == logging.WARNING
    back = read_demos(demos, SPEC, REWARD)
    assert [len(episode) for episode in back.episodes] == [30, 30]


@pytest.mark.parametrize("env_id", ["headstart:PointReach-v0", "PointReach-v0,max_episode_steps=9"])
def test_module_and_arguments_are_not_a_difference(caplog, env_id):
    demos = read_demos(COLLECTED, replace(SPEC, env_id=env_id), REWARD)
    assert demos.env_id == env_id
    assert demos.episodes == COLLECTED.episodes
    assert caplog.messages == []


def test_rewards_of_other_arguments_are_left_out():
    odd = [replace(ep, rewards=ep.rewards + 1.0) for ep in COLLECTED.episodes[:1]]
    demos = replace(COLLECTED, episodes=(*odd, *COLLECTED.episodes[1:]))
    found = read_demos(demos, SPEC, REWARD)
    assert all(len(episode.rewards) == 0 for episode in found.episodes)
    printed = "30 of 60 rewards are not those that PointReach-v0 computes, and are left out."
    assert found.header["remarks"] == [printed]
    # They say what the environment adds to compute_reward, if the user wants that.
    adding = GoalReward(make_env("PointReach-v0"), replace(SPEC, adds_unexplained=True))
    assert read_demos(demos, adding.spec, adding).episodes == demos.episodes


def test_another_task_is_refused_with_the_command_that_states_that_they_fit(tmp_path):
    path = write_kind("demo file", tmp_path)
    spec = spec_of("Wrapped-v3")
    named = replace(spec, env_id="headstart.envs.toy:Wrapped-v3,speed=2")
    with pytest.raises(InputError) as caught:
        read_demos(path, named)
    message = str(caught.value)
    assert is_one_line(message)
    assert message.startswith(f"{path}: it is of 'PointReach-v0', not of headstart.envs.toy:W")
    command = shlex.split(message.partition("say so: ")[2])
    assert command == ["headstart", "demos", "import", str(path), "--env",
                       named.env_id, "--out", "NEW.npz"]  # fmt: skip
    with pytest.raises(InputError, match=r"dataclasses.replace\(demos, env_id='Wrapped-v3'\)"):
        read_demos(COLLECTED, spec)
    # No command builds such an environment.
    unnamed = replace(spec, env_id="Wrapped-v3(...)")
    with pytest.raises(InputError, match=r"dataclasses.replace\(load_demos\('.*'\), env_id="):
        read_demos(path, unnamed)
    demos = read_demos([path, COLLECTED], spec, of_any_env=True)
    assert (demos.env_id, len(demos.episodes)) == ("Wrapped-v3", 4)


def test_a_minari_dataset_of_another_environment_is_refused(store):
    export()
    with pytest.raises(InputError, match="it is of 'PointReach-v0', not of Wrapped-v3"):
        read_demos(ID, spec_of("Wrapped-v3"))


def test_widths_are_held_against_the_environment_even_so(tmp_path):
    path = write_kind("demo file", tmp_path)
    with pytest.raises(InputError, match=f"^{path}: the demonstrations have observation width 2"):
        read_demos(path, spec_of("BitFlip-v0"), of_any_env=True)


def test_other_hdf5_files_are_named_and_not_opened(tmp_path):
    path = tmp_path / "low_dim.hdf5"
    with h5py.File(path, "w") as file:
        file["data/demo_0/actions"] = np.zeros((3, 2))
    with pytest.raises(InputError, match="an HDF5 file does not say what is observation") as caught:
        read_demos(path, SPEC)
    assert is_one_line(str(caught.value))
    assert "robomimic" in str(caught.value)


def test_an_archive_of_nothing_that_is_known_is_refused(tmp_path):
    path = tmp_path / "weights.npz"
    np.savez(path, weight=np.zeros(3), bias=np.zeros(3))
    with pytest.raises(InputError, match="it has no observations and no actions and") as caught:
        read_demos(path, SPEC)
    assert "it has bias, weight" in str(caught.value)


def test_a_file_of_others_names_the_command_that_reads_it(tmp_path):
    with pytest.raises(InputError, match="`headstart demos import` reads files of others"):
        load_demos(write_kind("baselines", tmp_path))


def test_a_set_without_an_episode_is_left_to_who_uses_it():
    empty = DemoSet("PointReach-v0", ())
    assert read_demos(empty, SPEC) is empty
    assert read_demos([empty, COLLECTED], SPEC).episodes == COLLECTED.episodes
