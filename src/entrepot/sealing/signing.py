"""Signatures of the house: Ed25519 keys made, opened, signed with and checked. Where a key lies, and who seals it, others say.

The private half leaves here only as the seed that its keeper seals; what checks a signature needs the public half alone.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class SigningKey:
    """A key that signs; it shows nothing of itself."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def made(cls) -> "SigningKey":
        """Return a new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def opened(cls, seed: bytes) -> "SigningKey":
        """Return the key of a seed that was sealed somewhere."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def seed(self) -> bytes:
        """What is to be sealed, and nothing else."""
        return self._key.private_bytes_raw()

    @property
    def public(self) -> bytes:
        """The public half, by which anybody can check."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """Return the signature of this; the same for the same data."""
        return self._key.sign(data)


def is_signed(public: bytes, signature: bytes, data: bytes) -> bool:
    """Say whether this key has signed this data."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
