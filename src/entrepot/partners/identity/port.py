"""What can be asked of another provider of identities: where to send somebody, and who they are when they come back."""

from typing import Protocol

from msgspec import Struct


class Identity(Struct, frozen=True, kw_only=True):
    """Who somebody is to the provider: its own name for them, and the address that it vouches for (empty: none).

    ``proved_at``: when they proved it there, in seconds since 1970.
    """

    subject: str
    email: str = ""
    proved_at: int


class IdentityProvider(Protocol):
    """A provider. ``EngineAwayError`` when it does not answer, ``SignInRefusedError`` when what it says does not hold."""

    @property
    def name(self) -> str:
        """What it is called here."""
        ...

    async def address(self, *, back: str, state: str, nonce: str, verifier: str, anew: bool = False) -> str:
        """Return where somebody is sent to say who they are; they come back to ``back``. ``anew``: and to prove it again."""
        ...

    async def identity(self, code: str, *, back: str, nonce: str, verifier: str) -> Identity:
        """Return who came back with this code."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
