"""What can be asked of whoever carries letters: take this one, under a name of ours, so that one sent twice can be told."""

from typing import Protocol

from msgspec import Struct


class Letter(Struct, frozen=True, kw_only=True):
    """A letter. ``reference`` is our name for it: sent again, it is the same letter."""

    reference: str
    to: str
    subject: str
    text: str
    language: str = "en"


class Mail(Protocol):
    """Carries letters. ``EngineAwayError`` when it is not known whether one was taken: it is then given again."""

    async def send(self, letter: Letter) -> None:
        """Take a letter."""
        ...
