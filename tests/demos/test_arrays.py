"""Demonstrations as plain arrays, laid out and spelled as others do."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from demo_files import array_each, her_buffer, lengths_of, one_row, row_each
from hypothesis import given, settings
from hypothesis import strategies as st
from legacy_files import SPEC, refusal, some_episodes

from headstart.demos.foreign.arrays import load_array_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.interface import GOAL_KEYS
from headstart.envs.make import make_env

EQUAL, RAGGED = some_episodes([4, 4]), some_episodes([5, 1, 3])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "theirs.npz"


def load_file(path, arrays, spec=SPEC, reward=None, **more):
    np.savez(path, **{**arrays, **more})
    return load_array_demos(path, spec, reward)


def flags(episodes):
    """True at the last step of each episode."""
    ends = np.cumsum(lengths_of(episodes)) - 1
    return np.isin(np.arange(ends[-1] + 1), ends)


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    form=st.sampled_from(["one row", "row each", "array each", "her buffer"]),
    wide=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_every_layout_reads_as_what_was_written(tmp_path_factory, lengths, form, wide, seed):
    spec = SPEC if wide else replace(SPEC, observation_dim=1, goal_dim=1, action_low=(-1.0,),
                                     action_high=(1.0,))  # fmt: skip
    episodes = some_episodes(lengths, spec, seed)
    arrays = {
        "one row": one_row,
        "row each": row_each,
        "array each": array_each,
        "her buffer": her_buffer,
    }[form](episodes)
    if form != "array each":
        arrays["episode_lengths"] = lengths_of(episodes)
    path = tmp_path_factory.mktemp("arrays") / "theirs.npz"
    assert list(load_file(path, arrays, spec).episodes) == episodes


@pytest.mark.parametrize("form", [one_row, row_each])
def test_without_their_last_states_episodes_lack_their_last_step(path, form):
    demos = load_file(path, form(RAGGED, last=False), episode_lengths=lengths_of(RAGGED))
    assert [len(episode) for episode in demos.episodes] == [4, 2]
    for found, episode in zip(demos.episodes, (RAGGED[0], RAGGED[2]), strict=True):
        np.testing.assert_array_equal(found.achieved_goals, episode.achieved_goals[:-1])
        np.testing.assert_array_equal(found.actions, episode.actions[:-1])
        np.testing.assert_array_equal(found.is_success, episode.is_success[:-1])
    remarks = demos.header["remarks"]
    short = "3 of 3 episodes lack the state after their last action, which is left out."
    assert short in remarks
    assert "1 of 3 episodes have no step and are left out." in remarks


def test_last_states_may_lie_in_the_next_ones(path):
    whole = one_row(RAGGED)
    stops = np.cumsum(lengths_of(RAGGED) + 1)
    after = np.setdiff1d(np.arange(stops[-1]), stops - lengths_of(RAGGED) - 1)
    demos = load_file(
        path,
        one_row(RAGGED, last=False),
        next_observations=whole["observations"][after],
        next_achieved_goals=whole["achieved_goals"][after],
        timeouts=flags(RAGGED),
    )
    assert list(demos.episodes) == RAGGED


STOPS = np.cumsum(lengths_of(RAGGED))
ENDS = {
    "lengths": {"episode_lengths": lengths_of(RAGGED)},
    "steps, as floats": {"episode_steps": lengths_of(RAGGED).astype(float)[:, None]},
    "stops": {"episode_ends": STOPS},
    "last steps": {"episode_ends": STOPS - 1},
    "starts": {"episode_starts": STOPS - lengths_of(RAGGED)},
    "flags of starts": {"episode_starts": np.roll(flags(RAGGED), 1)},
    "flags of ends": {"ends": flags(RAGGED).astype(int)},
    "timeouts": {"timeouts": flags(RAGGED)},
    "dones": {"dones": flags(RAGGED).astype(np.float32)[:, None]},
    "terminals and timeouts": {
        "terminals": flags(RAGGED) & (np.arange(STOPS[-1]) < 5),
        "timeouts": flags(RAGGED) & (np.arange(STOPS[-1]) >= 5),
    },
    "an episode that the file breaks off": {"dones": np.isin(np.arange(STOPS[-1]), [4, 5])},
}


@pytest.mark.parametrize("ends", ENDS.values(), ids=ENDS)
def test_ends_of_episodes_may_be_written_in_many_ways(path, ends):
    episodes = list(load_file(path, one_row(RAGGED), **ends).episodes)
    if "terminals" in ends:
        assert episodes[0].terminated.tolist() == [False] * 4 + [True]
        episodes[0] = replace(episodes[0], terminated=np.zeros(5, bool))
    assert episodes == RAGGED


def test_a_row_ends_at_its_first_end(path):
    ended = np.zeros((3, 5))
    for row, episode in zip(ended, RAGGED, strict=True):
        row[len(episode) - 1 :] = 1.0
    assert list(load_file(path, row_each(RAGGED), dones=ended).episodes) == RAGGED
    assert list(load_file(path, row_each(RAGGED), terminated=ended[:, :, None]).episodes) != RAGGED


def test_one_goal_and_one_success_may_stand_for_a_whole_episode(path):
    goals = np.stack([episode.desired_goals[0] for episode in RAGGED])
    arrays = {**one_row(RAGGED), "desired_goals": goals, "is_success": np.array([1, 0, 1])}
    demos = load_file(path, arrays, episode_lengths=lengths_of(RAGGED))
    for found, episode in zip(demos.episodes, RAGGED, strict=True):
        np.testing.assert_array_equal(found.desired_goals, episode.desired_goals)
    assert [episode.success for episode in demos.episodes] == [True, False, True]
    equal = {**row_each(EQUAL), "desired_goals": np.stack([ep.desired_goals[0] for ep in EQUAL])}
    assert list(load_file(path, equal).episodes) == EQUAL


def test_a_single_episode_needs_no_end(path):
    assert list(load_file(path, one_row(RAGGED[:1])).episodes) == RAGGED[:1]


@pytest.mark.parametrize(
    "names",
    [
        ("obs", "ag", "g", "actions"),
        ("Observation", "achieved_goal", "desired_goal", "action"),
        ("observations/observation", "observations/achieved_goal", "observations/desired_goal",
         "acts"),
        ("obs.observation", "obs.achieved_goal", "obs.desired_goal", "u"),
        ("state", "achieved", "goal", "a"),
    ],
)  # fmt: skip
def test_arrays_go_by_many_names(path, names):
    arrays = row_each(EQUAL)
    plain = ("observations", "achieved_goals", "desired_goals", "actions")
    renamed = {name: arrays[key] for name, key in zip(names, plain, strict=True)}
    printed = arrays["is_success"]
    demos = load_file(path, renamed, **{"infos/is_success": printed, "qpos": np.zeros(3)})
    assert list(demos.episodes) == EQUAL
    assert demos.header["format"] == "arrays"
    assert "Arrays that were not read: qpos." in demos.header["remarks"]


def test_a_dict_of_arrays_may_be_saved_as_such(path):
    """By ``numpy.save`` or as a pickle; of the whole, or one for each episode."""
    arrays = row_each(RAGGED)
    nested = {"obs": {name: arrays[f"{name}s"] for name in GOAL_KEYS}, "u": arrays["actions"]}
    lengths = {"episode_lengths": lengths_of(RAGGED)}
    nested["info"] = {"is_success": arrays["is_success"]}
    for content in (
        {**arrays, **lengths},
        {**nested, **lengths},
        [one_row([episode]) for episode in RAGGED],
        [{**one_row([ep]), "actions": ep.actions.tolist()} for ep in RAGGED],
        {name: array.tolist() for name, array in {**one_row(RAGGED), **lengths}.items()},
    ):
        path.write_bytes(pickle.dumps(content))
        assert list(load_array_demos(path, SPEC).episodes) == RAGGED
        with path.open("wb") as file:
            np.save(file, content if isinstance(content, dict) else np.array(content, object))
        assert list(load_array_demos(path, SPEC).episodes) == RAGGED


PICKLED = {
    "no dict": ([1.0, 2.0], "it is a pickle, which can run code, and not one of a dict of arrays"),
    "a class": (RAGGED[0], "it is a pickle, which can run code, and not one of arrays: its pickle"),
    "no goals": ([{"observations": RAGGED[0].observations}], "it has no actions and no achieved_g"),
    "an episode that lacks some": (
        [one_row(RAGGED[:1]), {"actions": RAGGED[1].actions}],
        "an episode of it lacks observations",
    ),
    "a dict for an array": ({**one_row(RAGGED[:1]), "actions": {"u": {}}}, "actions is not a list"),
    "one episode again and again": ([one_row(RAGGED[:1])] * 50_000, "has more than 200000 rows"),
    "very many arrays": ({str(number): 0 for number in range(2000)}, "more than 1000 arrays"),
}


@pytest.mark.parametrize(("content", "expected"), PICKLED.values(), ids=PICKLED)
def test_other_pickles_are_refused_in_one_line(path, content, expected):
    path.write_bytes(pickle.dumps(content))
    assert expected in refusal(path, read=load_array_demos)


def test_a_buffer_that_was_never_full_ends_in_zeros(path):
    buffers = {
        name: np.concatenate([array, np.zeros((3, *array.shape[1:]))])
        for name, array in her_buffer(EQUAL).items()
    }
    demos = load_file(path, buffers)
    assert list(demos.episodes) == EQUAL
    assert "3 episodes hold nothing but zeros and are left out." in demos.header["remarks"]


@pytest.mark.parametrize("filler", [0.0, np.nan])
def test_what_fills_up_the_rows_of_a_buffer_is_left_out(path, filler):
    buffers = {name: array.astype(float) for name, array in her_buffer(RAGGED).items()}
    for name, array in buffers.items():
        for row, length in zip(array, lengths_of(RAGGED), strict=True):
            row[length + (name in ("o", "ag")) :] = filler
    demos = load_file(path, buffers)
    assert list(demos.episodes) == RAGGED
    printed = "2 of 3 episodes are filled up with zeros or NaN, which are left out."
    assert printed in demos.header["remarks"]


def test_a_goal_for_each_episode_does_not_hide_that_its_row_is_filled_up(path):
    goals = np.stack([episode.desired_goals[0] for episode in RAGGED])
    assert list(load_file(path, {**row_each(RAGGED), "desired_goals": goals}).episodes) == RAGGED


def test_an_episode_that_rests_at_zeros_that_are_its_goal_is_left_whole(path):
    (episode,) = some_episodes([4])
    arrays = {name: array[None].copy() for name, array in one_row([episode]).items()}
    arrays["desired_goals"][:] = 0.0
    for name in ("observations", "achieved_goals", "actions"):
        arrays[name][:, 2:] = 0.0
    assert len(load_file(path, arrays).episodes[0]) == 4


def test_what_the_reward_reads_is_read(path):
    spec = replace(SPEC, reward_info_keys=("force", "Slip"))
    for names in (("force", "Slip"), ("info_force", "infos/slip")):
        numbers = {name: np.arange(8.0).reshape(2, 4) for name in names}
        demos = load_file(path, row_each(EQUAL), spec, **numbers)
        assert demos.episodes[1].reward_infos.tolist() == [[float(n)] * 2 for n in range(4, 8)]
        demos.check_fits(spec)


def test_what_lies_beyond_bounds_and_limit_is_cut(path):
    episodes = some_episodes([52])
    arrays = one_row(episodes)
    arrays["actions"] = arrays["actions"] * 100
    demos = load_file(path, arrays, episode_lengths=[52])
    assert len(demos.episodes[0]) == 50
    assert np.abs(demos.episodes[0].actions).max() == 1.0
    assert "1 of 1 episodes were longer than 50 steps and are cut." in demos.header["remarks"]


def change_arrays(**changes):
    """Arrays in one row, with the ends of the episodes, of which some are others."""
    arrays = {**one_row(RAGGED), "episode_lengths": lengths_of(RAGGED), **changes}
    return {name: array for name, array in arrays.items() if array is not None}


REFUSED = {
    "no goals": (
        change_arrays(achieved_goals=None, desired_goals=None),
        "it has no achieved_goals and no desired_goals, which demonstrations of "
        "FetchPickAndPlace-v4 need; it has actions, episode_lengths, is_success, observations",
    ),
    "no ends": (
        {name: np.concatenate([array] * 9) for name, array in one_row(RAGGED).items()},
        "it does not say where its episodes end: add an array episode_lengths",
    ),
    "lengths that do not add up": (
        change_arrays(episode_lengths=[5, 1, 2]),
        "must follow one another and add up to the 9 steps of actions; 3 episodes are of 8",
    ),
    "lengths beyond all": (
        change_arrays(episode_lengths=[2**62, 2**62, 9]),
        "episode_lengths must be whole numbers from 0 to 9",
    ),
    "lengths that are not whole": (
        change_arrays(episode_lengths=[4.5, 4.5]),
        "must be whole numbers",
    ),
    "negative lengths": (change_arrays(episode_lengths=[10, -1]), "must be whole numbers from 0"),
    "no lengths": (change_arrays(episode_lengths=np.zeros(0)), "add up to the 9 steps"),
    "too few flags": (
        change_arrays(episode_lengths=None, dones=np.ones(8, bool)),
        "an array of ends must have 9 entries",
    ),
    "starts that do not start": (
        change_arrays(episode_lengths=None, episode_starts=np.array([1, 5])),
        "episode_starts must begin with 0, got 1",
    ),
    "too few rows": (
        change_arrays(achieved_goals=np.zeros((8, 3))),
        "episode 0: achieved_goals has 8 rows; 9 steps in 3 episodes need 9, or 12 with",
    ),
    "another width": (
        change_arrays(observations=np.zeros((12, 6))),
        "episode 0: its observations have shape (6, 6), FetchPickAndPlace-v4 has width 5",
    ),
    "pictures": (
        {**row_each(EQUAL), "observations": np.zeros((2, 5, 8, 8, 3), np.uint8)},
        "its observations have shape (5, 8, 8, 3)",
    ),
    "NaN": (change_arrays(actions=np.full((9, 4), np.nan)), "its actions hold NaN or infinity"),
    "beyond float32": (
        change_arrays(observations=np.full((12, 5), 1e300)),
        "holds NaN or infinity",
    ),
    "text": (
        change_arrays(actions=np.full((9, 4), "a")),
        "actions holds something else than numbers",
    ),
    "a number": (change_arrays(actions=np.float64(3.0)), "actions is a single number"),
    "fewer episodes": (
        {**row_each(EQUAL), "desired_goals": np.zeros((3, 4, 3))},
        "desired_goals has 3 episodes, actions has 2",
    ),
    "success of another length": (
        {**row_each(EQUAL), "is_success": np.zeros((2, 7))},
        "episode 0: success has shape (7, 1) instead of (4, 1)",
    ),
    "nothing": (
        {name: array[:0] for name, array in row_each(EQUAL).items()},
        "it holds no episode",
    ),
    "lists of other widths": (
        {**array_each(RAGGED), "actions": np.array([[[1.0] * 3] * 5] * 3 + [[]], object)[:3]},
        "actions: row 0 of episode 0 has width 3, FetchPickAndPlace-v4 has 4",
    ),
}


@pytest.mark.parametrize(("arrays", "expected"), REFUSED.values(), ids=REFUSED)
def test_arrays_that_do_not_go_together_are_refused_in_one_line(path, arrays, expected):
    np.savez(path, **arrays)
    assert expected in refusal(path, read=load_array_demos)


def test_success_that_no_file_holds_comes_from_the_reward(path):
    env = make_env("PointReach-v0")
    spec = GoalSpec.from_env(env)
    (episode,) = some_episodes([3], spec)
    arrays = one_row([episode])
    del arrays["is_success"]
    arrays["desired_goals"] = arrays["achieved_goals"][[2, 2, 2]]
    demos = load_file(path, arrays, spec, GoalReward(env, spec))
    assert demos.episodes[0].is_success.tolist() == [False, True, False]
    unknown = "3 of 3 steps do not say whether they succeed and are judged by the reward."
    assert unknown in demos.header["remarks"]
