"""Who sits at the pages of a session: one pilot, and those who watch."""

from headstart.web.server import Event


class Seats:
    """The first page is the pilot's; when it leaves, another one may take over.

    Attributes:
        clients: the open pages.
        pilot: the page that steers, if there is one.
    """

    def __init__(self) -> None:
        self.clients: list[int] = []
        self.pilot: int | None = None

    def join(self, event: Event) -> None:
        """Let a page in."""
        self.clients.append(event.client)
        if self.pilot is None and len(self.clients) == 1:
            self.pilot = event.client

    def leave(self, event: Event) -> bool:
        """Let a page go; return whether it was the pilot's."""
        self.clients.remove(event.client)
        was_pilot = self.pilot == event.client
        self.pilot = None if was_pilot else self.pilot
        return was_pilot

    def take(self, client: int) -> None:
        """Let a page steer, unless another one does: nothing is taken out of a hand."""
        self.pilot = client if self.pilot is None else self.pilot
