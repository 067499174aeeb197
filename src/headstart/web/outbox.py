"""What waits to be sent to one page, which may be slow: pictures are replaced, words are not."""

import struct
from collections import deque

_MOST_WORDS = 256
_IN_FLIGHT = 3
"""Pictures on the way that the page has not drawn yet: more would only be older when they come."""


class Outbox:
    """Messages in their order, and of each picture the newest.

    A picture goes out as a message of bytes: its number (uint32), its view (uint8), the picture.
    """

    def __init__(self) -> None:
        self._words: deque[str] = deque()
        self._pictures: dict[int, bytes] = {}
        self._sent = self._seen = 0

    def say(self, text: str) -> bool:
        """Keep a message to send; return whether the page has not fallen too far behind."""
        self._words.append(text)
        return len(self._words) <= _MOST_WORDS

    def show(self, view: int, picture: bytes) -> None:
        """Keep a picture to send, in place of an older one of this view."""
        self._pictures[view] = picture

    def saw(self, number: int) -> None:
        """Note that the page has drawn a picture and all before it."""
        self._seen = max(self._seen, min(number, self._sent))

    def next(self) -> str | bytes | None:
        """Return what is to be sent next, if anything is."""
        if self._words:
            return self._words.popleft()
        if not self._pictures or self._sent - self._seen >= _IN_FLIGHT:
            return None
        view = next(iter(self._pictures))
        self._sent += 1
        return struct.pack("<IB", self._sent, view) + self._pictures.pop(view)
