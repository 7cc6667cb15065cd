"""What it takes to tell a subscriber of an event."""

from typing import Protocol

from msgspec import Struct


class Message(Struct, frozen=True):
    """One event on its way out: its id (the same at every try), the moment of this try (seconds since 1970), its JSON text."""

    id: str
    at: int
    body: bytes


class Answer(Struct, frozen=True):
    """What came back: the HTTP status, or None and why there was none."""

    status: int | None
    why: str = ""


class Sender(Protocol):
    """Tells subscribers."""

    async def send(self, url: str, secret: str, message: Message) -> Answer:
        """Send a signed message and return what came back; never raises for what the other side does."""
        ...
