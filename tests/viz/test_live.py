import io

import numpy as np
import pytest
from PIL import Image

from headstart.data.layout import StateLayout
from headstart.envs.make import make_env
from headstart.envs.snapshot import restorable
from headstart.errors import InputError
from headstart.viz.diagram import Diagram
from headstart.viz.gl import select_backend
from headstart.viz.live import MujocoViews, encode, side_of


def test_drawing_a_task_leaves_it_to_the_bit_as_it_is_and_shows_the_goal():
    try:
        select_backend()
    except InputError as error:
        pytest.skip(str(error))
    env = make_env("FetchReach-v4")

    def states(views):
        env.reset(seed=0)
        rng = np.random.default_rng(0)
        for _ in range(10):
            env.step(rng.uniform(-1.0, 1.0, 4).astype(np.float32))
            frames = [] if views is None else list(views.draw())
            yield restorable(env).save_state(), frames

    env.reset(seed=0)
    camera = {"distance": 1.45, "azimuth": 145.0, "elevation": -20.0, "lookat": (1.32, 0.75, 0.56)}
    views = MujocoViews(env, restorable(env), (camera, side_of(camera)), (96, 64))
    without, drawn = list(states(None)), list(states(views))
    for (before, _), (after, frames) in zip(without, drawn, strict=True):
        np.testing.assert_array_equal(before, after)
        assert [frame.shape for frame in frames] == [(96, 96, 3), (64, 64, 3)]
        red, green, blue = frames[0].astype(int).transpose(2, 0, 1)
        assert ((red > 150) & (green < 60) & (blue < 60)).any()
    views.close()


def test_a_diagram_shows_goal_object_and_hand_from_above_and_the_front():
    layout = StateLayout(positions=(0,), hand=0)
    diagram = Diagram(layout, 100)
    observation = {
        "observation": np.array([0.0, 1.0, 0.0]),
        "achieved_goal": np.array([0.0, 0.0, 0.0]),
        "desired_goal": np.array([1.0, 0.0, 0.5]),
    }
    above, front = diagram.draw(observation)
    assert above.shape == front.shape == (100, 100, 3)
    assert not np.array_equal(above, front)
    red, _, blue_channel = above.astype(int).transpose(2, 0, 1)
    blue = (blue_channel > red + 80).nonzero()
    assert np.mean(blue[0]) < 20, "the hand is at the top, away"
    assert len(list(Diagram(StateLayout(dim=2), 100).draw(observation))) == 1


def test_a_picture_is_a_jpeg_of_the_size_that_is_asked_for():
    image = Image.open(io.BytesIO(encode(np.zeros((96, 96, 3), np.uint8), 40)))
    assert (image.format, image.size) == ("JPEG", (40, 40))
