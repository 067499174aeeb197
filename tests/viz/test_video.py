import functools
import re
import subprocess
import sys
from dataclasses import replace

import imageio.v2 as imageio
import numpy as np
import pytest
from builders import is_one_line, point_expert, point_policy, random_policy

from headstart.cli.main import main
from headstart.demos.experts import expert_for
from headstart.demos.record import collect_demos
from headstart.demos.storage import save_demos
from headstart.envs.toy import PointReach
from headstart.errors import InputError, RunError
from headstart.viz import video
from headstart.viz.gl import select_backend
from headstart.viz.video import caption, record_demos, record_video


@pytest.fixture(scope="session")
def opengl() -> None:
    try:
        select_backend()
    except InputError as error:
        pytest.skip(str(error))


needs_opengl = pytest.mark.usefixtures("opengl")


@pytest.mark.slow
@needs_opengl
def test_a_video_shows_every_state_of_every_episode(tmp_path):
    path = tmp_path / "reach.mp4"
    env_id = "FetchReach-v4,max_episode_steps=15"
    rate = record_video(expert_for(env_id), env_id, path, episodes=2)
    assert rate == 1.0
    frames = [frame for frame in imageio.get_reader(path)]  # noqa: C416 (list asks for a length)
    assert len(frames) == 2 * (16 + 12)
    assert frames[0].shape == (480, 480, 3)
    # The arm moves, so pictures of the first and the last state differ.
    assert np.abs(frames[0].astype(int) - frames[15].astype(int)).mean() > 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["reach.mp4"]


@pytest.mark.slow
@needs_opengl
def test_an_action_that_is_not_finite_is_reported_and_leaves_no_half_video(tmp_path):
    def broken(observation):
        raise FloatingPointError("the policy returned an action that is not finite")

    with pytest.raises(RunError, match="episode 0: the policy returned an action that is not"):
        record_video(broken, "FetchReach-v4", tmp_path / "reach.mp4", episodes=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@needs_opengl
def test_a_policy_file_is_filmed_in_its_own_environment(tmp_path):
    policy = random_policy(np.random.default_rng(0), observation_dim=10, goal_dim=3, action_dim=4)
    named = replace(policy, metadata={"env_id": "FetchReach-v4,max_episode_steps=2"})
    named.save(tmp_path / "policy.safetensors")
    record_video(str(tmp_path / "policy.safetensors"), str(tmp_path / "reach.gif"), episodes=1)
    assert len(imageio.mimread(tmp_path / "reach.gif")) >= 3


def test_a_video_needs_a_path_an_episode_and_an_environment(tmp_path):
    with pytest.raises(InputError, match="needs the path of the video"):
        record_video(point_policy())
    with pytest.raises(InputError, match="episodes must be at least 1, got 0"):
        record_video(point_policy(), path=tmp_path / "point.gif", episodes=0)
    with pytest.raises(InputError, match="point_expert names no environment"):
        record_video(point_expert, path=tmp_path / "point.gif")
    assert list(tmp_path.iterdir()) == []


def test_episode_step_and_success_are_written_in_the_picture():
    blank = np.zeros((240, 320, 3), np.uint8)
    plain = caption(blank, "episode 1/2   step  7", success=False)
    successful = caption(blank, "episode 1/2   step  7", success=True)
    assert plain.shape == blank.shape
    assert plain.any()
    added = np.argwhere((successful != plain).any(axis=-1))
    assert len(added) > 50
    green = successful[tuple(added[len(added) // 2])]
    assert green[1] >= green[0]
    assert not blank.any()


def test_without_opengl_one_line_says_what_to_install():
    script = (
        "import os; os.environ['MUJOCO_GL'] = 'nothing'\n"
        "from headstart.viz.gl import select_backend\n"
        "select_backend()"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode != 0
    last = run.stderr.strip().splitlines()[-1]
    assert "no OpenGL to render with (tried nothing)" in last
    assert "apt-get install libegl1" in last


@needs_opengl
def test_an_environment_that_cannot_be_drawn_is_refused(tmp_path):
    with pytest.raises(InputError, match="'PointReach-v0' cannot be rendered"):
        record_video(expert_for("FetchReach-v4"), "PointReach-v0", tmp_path / "point.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@needs_opengl
def test_a_name_that_is_too_long_is_reported_in_one_line(tmp_path):
    env_id, path = "FetchReach-v4,max_episode_steps=2", tmp_path / f"{'x' * 300}.mp4"
    with pytest.raises(InputError, match="cannot be written") as caught:
        record_video(expert_for(env_id), env_id, path, episodes=1)
    assert is_one_line(str(caught.value))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("video.avi", "a video must be called something.mp4 or .gif"),
        ("nowhere/video.mp4", "there is no directory"),
        ("folder.gif", "is a directory; name a file"),
    ],
)
def test_a_video_that_cannot_be_written_is_refused_before_anything_is_drawn(
    tmp_path, name, expected
):
    (tmp_path / "folder.gif").mkdir()
    with pytest.raises(InputError, match=expected):
        record_video(expert_for("FetchReach-v4"), "FetchReach-v4", tmp_path / name)


def pictures(path):
    return np.array([frame for frame in imageio.get_reader(path)])  # noqa: C416


@pytest.mark.slow
@needs_opengl
def test_demonstrations_are_shown_as_they_were(tmp_path):
    env_id = "FetchReach-v4,max_episode_steps=6"
    expert = expert_for(env_id)
    demos = collect_demos(env_id, expert, episodes=2, keep_failures=True)
    record_demos(demos.episodes, env_id, tmp_path / "demos.mp4")
    save_demos(tmp_path / "demos.npz", demos)
    command = ["demos", "play", str(tmp_path / "demos.npz"), "--first", "1"]
    main([*command, "--video", str(tmp_path / "second.mp4")])
    both, second = pictures(tmp_path / "demos.mp4"), pictures(tmp_path / "second.mp4")
    assert len(both) == 2 * (7 + 12)
    assert len(second) == 7 + 12
    # Without the line at the top, which counts, and but for what the compression loses.
    differences = np.abs(both[19:, 60:].astype(int) - second[:, 60:].astype(int))
    assert differences.mean() < 1.0
    assert np.abs(both[0, 60:].astype(int) - both[6, 60:].astype(int)).mean() > 1.0


class Blank:
    """Draws nothing."""

    def render(self):
        return np.zeros((60, 80, 3), np.uint8)


class Counter:
    """Takes pictures and keeps none."""

    count = 0

    def append_data(self, frame):
        self.count += 1


def test_pictures_are_written_as_they_are_made_so_that_no_episode_is_too_long():
    counter = Counter()
    film = video.Film(Blank(), "long", counter)
    for step in range(5):
        film.draw(False)
        assert counter.count == step + 1
    film.linger()
    assert counter.count > 5


@needs_opengl
def test_demonstrations_without_snapshots_are_not_shown(tmp_path):
    demos = collect_demos("FetchReach-v4", expert_for("FetchReach-v4"), episodes=1, snapshots=False)
    with pytest.raises(InputError, match="hold no snapshots"):
        record_demos(demos.episodes, "FetchReach-v4", tmp_path / "demos.gif")
    assert list(tmp_path.iterdir()) == []


class Undrawn(PointReach):
    """Takes a render_mode and draws nothing, as most environments that are written for training."""

    def __init__(self, picture=None, render_mode=None):
        super().__init__()
        self.render_mode, self.picture = render_mode, picture
        if picture is not None:
            self.render = lambda: picture


@needs_opengl
@pytest.mark.parametrize(
    ("picture", "found"),
    [
        (None, "it has no render()"),
        (np.zeros((4, 4)), "its render() returns float64 of shape (4, 4)"),
        ("text", "its render() returns <U4 of shape ()"),
    ],
)
def test_an_environment_that_draws_no_picture_is_refused(tmp_path, picture, found):
    env = functools.partial(Undrawn, picture)
    with pytest.raises(
        InputError, match=re.escape(f"cannot be drawn: {found}; let it re")
    ) as printed:
        record_video(lambda o: np.zeros(2), env, tmp_path / "point.mp4",
                     env_kwargs={"max_episode_steps": 5})  # fmt: skip
    assert is_one_line(str(printed.value))
    assert list(tmp_path.iterdir()) == []
