"""What is handed out as proof: a mark that says what it is, an id to look it up by, and a secret that is kept as a hash alone.

``ses_...`` a session, ``ent_...`` an API key, ``lnk_...`` a link that is good once, ``dev_...`` a device, ``ask_...`` who asked
for a link. Base 32, because a longer run of digits could look like a card number, which the edge refuses. Pure.
"""

import base64
import hashlib
import hmac
from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import TokenRefusedError

SESSION, KEY, LINK, DEVICE, ASKED = "ses", "ent", "lnk", "dev", "ask"

_ID_CHARS, _SECRET_CHARS = 26, 52
_PREFIX_CHARS = 12


class Proof(Struct, frozen=True):
    """A token as it was handed out, taken apart."""

    mark: str
    id: UUID
    secret: bytes

    def __str__(self) -> str:
        """Return the text that is handed out, once."""
        return f"{self.mark}_{_text(self.id.bytes)}{_text(self.secret)}"

    def __repr__(self) -> str:
        """Return what may be shown: not the secret."""
        return f"Proof({self.prefix}...)"

    @property
    def prefix(self) -> str:
        """The part by which a person recognises it."""
        return str(self)[:_PREFIX_CHARS]

    @property
    def hash(self) -> bytes:
        """What is kept of the secret: as it is 256 bits of chance, one round of SHA-256 is enough."""
        return hashlib.sha256(self.secret).digest()

    def matches(self, kept: bytes) -> bool:
        """Say whether this is what was kept, in the same time whatever differs."""
        return hmac.compare_digest(self.hash, kept)


def read(text: str, *marks: str, what: str = "session or key") -> Proof:
    """Return a token of one of these marks, or refuse what is none."""
    mark, _, rest = text.partition("_")
    if mark in marks and len(rest) == _ID_CHARS + _SECRET_CHARS and rest.isascii():
        try:
            proof = Proof(mark, UUID(bytes=_bytes(rest[:_ID_CHARS])), _bytes(rest[_ID_CHARS:]))
        except ValueError:
            raise TokenRefusedError(what) from None
        if str(proof) == text:  # of several texts that mean the same bytes, only ours
            return proof
    raise TokenRefusedError(what)


def was_asked_by(asked: str, kept: bytes | None) -> bool:
    """Say whether this was given to who asked for a link; one that was handed over is good for everybody."""
    if kept is None:
        return True
    try:
        return read(asked, ASKED).matches(kept)
    except TokenRefusedError:
        return False


def _text(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _bytes(text: str) -> bytes:
    return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
