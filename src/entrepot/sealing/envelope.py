"""The cipher, and nothing else: AES-256-GCM under a key per subject, and keys wrapped by keys. Only fresh keys are chance.

A sealed value is ``form (1 byte) | nonce (12) | ciphertext | tag (16)``. Subject and field are authenticated with it, so that
one that was moved to another person or another field does not open.
"""

import hmac
import os
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from entrepot.sealing.errors import SealBrokenError

FORM = b"\x01"
KEY_BYTES = 32
NONCE_BYTES = 12

# The subject of secrets that belong to nobody but the house: its key is opened at start and never destroyed.
HOUSE = UUID(int=0)

_TEXT_AT = len(FORM) + NONCE_BYTES


class SubjectKey:
    """The opened key of one subject; it lives in memory only."""

    __slots__ = ("_aead", "_bytes", "_key", "subject")

    def __init__(self, subject: UUID, key: bytes) -> None:
        self.subject = subject
        self._key = key
        self._bytes = subject.bytes
        self._aead = AESGCM(key)

    def seal(self, field: str, text: str) -> bytes:
        """Return the text, sealed; each time as other bytes."""
        nonce = os.urandom(NONCE_BYTES)
        return FORM + nonce + self._aead.encrypt(nonce, text.encode(), self._bytes + field.encode())

    def open(self, field: str, sealed: bytes) -> str:
        """Return the text of a sealed value, or refuse one that was changed or moved."""
        if sealed[: len(FORM)] != FORM:
            raise SealBrokenError(self.subject, field)
        bound = self._bytes + field.encode()
        try:
            return self._aead.decrypt(sealed[len(FORM) : _TEXT_AT], sealed[_TEXT_AT:], bound).decode()
        except (InvalidTag, ValueError) as error:
            raise SealBrokenError(self.subject, field) from error

    def pseudonym(self, field: str) -> bytes:
        """Return 32 bytes that stand for the subject in a field: always the same, and nobody's once the key is destroyed."""
        return blind(self._key, f"pseudonym {field}", str(self.subject))


def fresh_key() -> bytes:
    """Return a new key."""
    return os.urandom(KEY_BYTES)


def wrap(ring_key: bytes, subject: UUID, key: bytes) -> bytes:
    """Close a subject's key under a ring key; it opens for this subject only."""
    nonce = os.urandom(NONCE_BYTES)
    return FORM + nonce + AESGCM(ring_key).encrypt(nonce, key, subject.bytes)


def unwrap(ring_key: bytes, subject: UUID, wrapped: bytes) -> bytes:
    """Open a subject's key."""
    try:
        return AESGCM(ring_key).decrypt(wrapped[len(FORM) : _TEXT_AT], wrapped[_TEXT_AT:], subject.bytes)
    except (InvalidTag, ValueError) as error:
        raise SealBrokenError(subject, "privacy.person_key.wrapped") from error


def blind(key: bytes, field: str, normal: str) -> bytes:
    """Return what a value is looked up by: the same for equal values of a field, and no use without the key."""
    of_field = hmac.digest(key, field.encode(), sha256)
    return hmac.digest(of_field, normal.encode(), sha256)
