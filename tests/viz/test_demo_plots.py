import io
import re
from dataclasses import replace

import numpy as np
import pytest
from builders import is_one_line, point_expert, random_episode
from full_disk import files_limited_to
from matplotlib.collections import LineCollection, PathCollection
from PIL import Image

from headstart.demos.record import collect_demos
from headstart.demos.storage import DemoSet
from headstart.errors import InputError
from headstart.viz.demo_plots import draw_demos, plot_demos


@pytest.fixture(scope="module")
def demos() -> DemoSet:
    """Twelve real episodes, of which four fail."""
    found = collect_demos("PointReach-v0", point_expert, episodes=12)
    never = np.zeros(30, bool)
    failed = tuple(replace(episode, is_success=never) for episode in found.episodes[:4])
    return replace(found, episodes=failed + found.episodes[4:])


def panels(demos):
    """The panels of a picture by their titles up to a bracket."""
    named = {}
    for axes in draw_demos(demos).axes:
        named.setdefault(axes.get_title().partition(" (")[0], []).append(axes)
    return named


@pytest.fixture(scope="module")
def drawn(demos):
    """The panels of the twelve episodes."""
    return panels(demos)


def demos_of(lengths, **widths):
    rng = np.random.default_rng(0)
    return DemoSet("Task-v0", tuple(random_episode(rng, steps, **widths) for steps in lengths))


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.slow
def test_a_png_can_be_decoded_and_shows_something(demos, tmp_path):
    plot_demos(demos, tmp_path / "demos.png")
    with Image.open(tmp_path / "demos.png") as image:
        pixels = np.asarray(image.convert("RGB"))
    assert min(pixels.shape[:2]) > 500
    assert 0.01 < (pixels < 250).any(axis=2).mean() < 0.5
    assert [path.name for path in tmp_path.iterdir()] == ["demos.png"]


@pytest.mark.slow
def test_other_formats_follow_the_suffix(demos, tmp_path):
    plot_demos(demos, tmp_path / "demos.svg")
    assert "<svg" in (tmp_path / "demos.svg").read_text()
    plot_demos(demos, tmp_path / "demos.PDF")
    assert (tmp_path / "demos.PDF").read_bytes().startswith(b"%PDF")


def test_every_goal_and_start_is_a_point(demos, drawn):
    (axes,) = drawn["goals and starts"]
    starts, succeeded, failed = [
        np.asarray(points.get_offsets())
        for points in axes.collections
        if isinstance(points, PathCollection)
    ]
    assert labels(axes) == ["start", "success (8)", "failure (4)"]
    goals = [episode.desired_goals[0] for episode in demos.episodes]
    assert np.allclose(starts, [episode.achieved_goals[0] for episode in demos.episodes])
    assert np.allclose(succeeded, goals[4:])
    assert np.allclose(failed, goals[:4])


def test_share_at_the_goal_and_steps_to_it(demos, drawn):
    (axes,) = drawn["share of episodes at their goal"]
    steps, share = axes.lines[0].get_data()
    assert list(steps) == list(range(1, 31))
    assert np.allclose(share, np.mean([ep.is_success for ep in demos.episodes], axis=0))
    (axes,) = drawn["steps to success"]
    assert axes.get_title().endswith("(4 of 12 never)")
    bars = {
        round(bar.get_x() + 0.5): bar.get_height() for bar in axes.patches if bar.get_height() > 0
    }
    first = [int(np.flatnonzero(ep.is_success)[0]) + 1 for ep in demos.episodes[4:]]
    assert bars == {step: first.count(step) for step in first}


def test_parts_of_the_goal_space_have_their_own_line():
    rng = np.random.default_rng(0)
    episodes = tuple(random_episode(rng, 5, goal_dim=3) for _ in range(9))
    high = sum(episode.desired_goals[0, 2] > 0.4257 for episode in episodes)
    named = panels(DemoSet("FetchPickAndPlace-v4", episodes))
    (axes,) = named["share of episodes at their goal"]
    assert labels(axes) == [f"air ({high})", f"table ({9 - high})", "all (9)"]
    lows = [ep.is_success for ep in episodes if ep.desired_goals[0, 2] <= 0.4257]
    assert np.allclose(axes.lines[1].get_ydata(), np.mean(lows, axis=0))


def test_distances_are_those_of_the_states(demos, drawn):
    (axes,) = drawn["distance to the goal"]
    (lines,) = [entry for entry in axes.collections if isinstance(entry, LineCollection)]
    expected = np.array(
        [np.hypot(*(ep.achieved_goals - ep.desired_goals[0]).T) for ep in demos.episodes]
    )
    assert np.allclose([line[:, 1] for line in lines.get_segments()], expected, atol=1e-6)
    assert np.allclose(axes.lines[0].get_ydata(), np.median(expected, axis=0), atol=1e-6)


def test_an_episode_that_has_ended_stays_where_it_is():
    short, long = demos_of([2, 6]).episodes
    episodes = replace(short, is_success=np.array([False, True])), long
    (axes,) = panels(DemoSet("Task-v0", episodes))["share of episodes at their goal"]
    ended = np.array([0, 1, 1, 1, 1, 1])
    assert np.allclose(axes.lines[0].get_ydata(), (ended + long.is_success) / 2)


def test_every_action_dimension_is_drawn_between_its_bounds(demos, drawn):
    (axes,) = drawn["actions and their range"]
    shapes, bounds = axes.collections[::2], axes.collections[1::2]
    assert len(shapes) == len(bounds) == 2
    actions = np.concatenate([episode.actions for episode in demos.episodes])
    for dimension, lines in enumerate(bounds):
        heights = [segment[0, 1] for segment in lines.get_segments()]
        assert np.allclose(heights, [actions[:, dimension].min(), actions[:, dimension].max()])


def test_trajectories_lead_from_start_to_goal(demos, drawn):
    (axes,) = drawn["8 of 12 trajectories"]
    ways, starts, goals = axes.lines[0::3], axes.lines[1::3], axes.lines[2::3]
    assert len(ways) == len(starts) == len(goals) == 8
    assert np.allclose(ways[0].get_xydata(), demos.episodes[0].achieved_goals)
    assert np.allclose(ways[-1].get_xydata(), demos.episodes[-1].achieved_goals)
    assert np.allclose(starts[-1].get_xydata()[0], demos.episodes[-1].achieved_goals[0])
    assert np.allclose(goals[-1].get_xydata()[0], demos.episodes[-1].desired_goals[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("goal_dim", "names", "lengths"),
    [
        (0, [], [1]),
        (1, [("start [0]", "goal [0]")], [3, 1, 80]),
        (2, [("goal [0]", "goal [1]")], [1]),
        (3, [("goal [0]", "goal [1]"), ("goal [0]", "goal [2]")], [1]),
        (20, [("goal [0]", "goal [1]"), ("goal [0]", "goal [2]")], [3, 1, 80]),
    ],
)
@pytest.mark.filterwarnings("error")
def test_every_width_and_length_can_be_drawn(goal_dim, names, lengths):
    figure = draw_demos(demos_of(lengths, goal_dim=goal_dim, action_dim=max(goal_dim, 1)))
    views = [axes for axes in figure.axes if axes.get_title().startswith("goals and starts")]
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in views] == names
    assert len(figure.axes) == 4 + 2 * len(names)
    assert all(axes.has_data() for axes in figure.axes)
    figure.savefig(io.BytesIO(), dpi=20)


def test_goal_dimensions_that_stay_the_same_are_left_out():
    rng = np.random.default_rng(0)
    still = np.array([0, 1, 0, 0, 1], np.float32)
    episodes = [random_episode(rng, 5, goal_dim=5) for _ in range(4)]
    flat = [
        replace(
            ep, achieved_goals=ep.achieved_goals * still, desired_goals=ep.desired_goals * still
        )
        for ep in episodes
    ]
    (axes,) = panels(DemoSet("Task-v0", tuple(flat)))["goals and starts"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("goal [1]", "goal [4]")


def test_of_many_episodes_some_are_drawn_as_lines():
    drawn = panels(demos_of([3] * 250))
    (axes,) = drawn["distance to the goal"]
    (lines,) = [entry for entry in axes.collections if isinstance(entry, LineCollection)]
    assert len(lines.get_segments()) == 100
    (axes,) = drawn["goals and starts"]
    assert sum(len(points.get_offsets()) for points in axes.collections) == 500


@pytest.mark.slow
def test_a_name_out_of_a_file_is_not_a_formula_or_markup(demos, tmp_path):
    plot_demos(replace(demos, env_id="$\\frac{<b>\x1b$"), tmp_path / "demos.svg")
    text = (tmp_path / "demos.svg").read_text()
    assert not re.search(r"<b>|\x1b", text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("demos.txt", "must be called something.png, .svg or .pdf"),
        ("demos", "must be called something.png, .svg or .pdf"),
        ("nowhere/demos.png", "there is no directory"),
        ("directory.png", "is a directory; name a file"),
        ("x" * 300 + ".png", "cannot be written"),
    ],
)
def test_a_picture_that_cannot_be_written_is_refused(demos, tmp_path, name, expected):
    (tmp_path / "directory.png").mkdir()
    with pytest.raises(InputError, match=expected) as caught:
        plot_demos(demos, tmp_path / name)
    assert is_one_line(str(caught.value))
    assert [path.name for path in tmp_path.iterdir()] == ["directory.png"]


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_picture(demos, tmp_path):
    old = tmp_path / "demos.png"
    old.write_bytes(b"old")
    with files_limited_to(1000), pytest.raises(InputError, match="File too large") as caught:
        plot_demos(demos, old)
    assert is_one_line(str(caught.value))
    assert [path.name for path in tmp_path.iterdir()] == ["demos.png"]
    assert old.read_bytes() == b"old"
