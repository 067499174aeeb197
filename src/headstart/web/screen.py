"""What pages are shown of an environment: the first view at each step, the others half as often."""

import base64
import contextlib
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.viz.live import THUMBNAIL, Frame, encode
from headstart.web.server import PageServer
from headstart.web.views import Views


class Screen:
    """Draws views and sends them to all pages, each before the next one is drawn.

    A second view takes as long to draw as the first, during which no control is heard.

    Args:
        server: the pages.
        views: what draws.

    Attributes:
        is_behind: whether a view other than the first is older than the first.
    """

    def __init__(self, server: PageServer, views: Views) -> None:
        self._server, self._views = server, views
        self._last: Frame = np.zeros((1, 1, 3), np.uint8)
        self.is_behind = False

    def show(self, observation: Mapping[str, NDArray[Any]], heard: int, *, is_moving: bool) -> None:
        """Show the state that the environment is in.

        Args:
            observation: what is observed in it.
            heard: number of the last controls that it follows from.
            is_moving: whether another state comes soon; if not, all views are drawn.
        """
        number = struct.pack("<I", heard)
        is_whole = self.is_behind or not is_moving
        with contextlib.closing(self._views.draw(observation)) as frames:
            for view, frame in enumerate(frames):
                self._server.show(view, number + encode(frame))
                if view == 0:
                    self._last = frame
                    if not is_whole:
                        break
        self.is_behind = not is_whole

    def thumbnail(self) -> str:
        """Return the last picture of the first view, small, as a data URL."""
        picture = base64.b64encode(encode(self._last, THUMBNAIL)).decode()
        return f"data:image/jpeg;base64,{picture}"
