"""Which views a page is sent, over a real socket."""

import numpy as np
from page import join, say

from headstart.data.layout import StateLayout
from headstart.viz.diagram import Diagram
from headstart.web.screen import Screen
from headstart.web.server import File, PageServer

OBSERVATION = {name: np.zeros(3) for name in ("observation", "achieved_goal", "desired_goal")}


def test_a_second_view_comes_at_every_other_step_and_when_the_scene_rests():
    page = File(b"<!doctype html>", "text/html")
    steps = (True, [0]), (True, [0, 1]), (True, [0]), (False, [0, 1]), (False, [0, 1])
    with PageServer({"/": page}) as server, join(server) as client:
        server.wait(60)
        screen = Screen(server, Diagram(StateLayout(dim=3), 100))
        for is_moving, views in steps:
            screen.show(OBSERVATION, 0, is_moving=is_moving)
            shown = [client.recv(timeout=60) for _ in views]
            say(client, seen=int.from_bytes(shown[-1][:4], "little"))
            assert [picture[4] for picture in shown] == views
        server.say({"anything else": False})
        assert client.recv(timeout=60) == '{"anything else": false}'
