"""Windows: one line where there is none to draw in."""

import gymnasium as gym
import pytest
from builders import is_one_line, point_expert, point_policy

from headstart.cli.main import main
from headstart.demos.record import collect_demos
from headstart.demos.storage import save_demos
from headstart.envs.toy import PointReach
from headstart.errors import InputError, RunError
from headstart.viz.gl import open_window


class Screen(PointReach):
    """PointReach that draws itself, on a screen that breaks."""

    metadata = {"render_modes": ["human"], "render_fps": 10}  # noqa: RUF012

    def __init__(self, render_mode=None):
        super().__init__()
        self.render_mode = render_mode

    def render(self):
        raise OSError("the screen went dark")


gym.register("Screen-v0", entry_point=Screen, max_episode_steps=30)


@pytest.mark.parametrize("command", ["play policy.safetensors", "demos play demos.npz"])
def test_a_screen_that_does_not_answer_is_one_line(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":4711")
    save_demos("demos.npz", collect_demos("PointReach-v0", point_expert, episodes=1))
    point_policy().save("policy.safetensors")
    with pytest.raises(SystemExit) as stopped:
        main(command.split())
    assert stopped.value.code == 2
    said = capsys.readouterr().err.strip()
    assert is_one_line(said)
    assert said.startswith("headstart: the screen does not open a window; write a video: --video ")


def test_what_breaks_in_a_window_is_one_line():
    with pytest.raises(InputError) as caught, open_window("Screen-v0", "play.mp4") as env:
        env.unwrapped.render()
    assert is_one_line(str(caught.value))
    assert str(caught.value).startswith("Screen-v0 cannot be shown in a window, OSError: the scr")
    assert str(caught.value).endswith("write a video: --video play.mp4")


def test_what_is_meant_for_the_user_already_is_left_as_it_is():
    for error in (InputError("a bad seed"), RunError("not finite")):
        with pytest.raises(type(error), match=f"^{error}$"), open_window("Screen-v0", "play.mp4"):
            raise error
