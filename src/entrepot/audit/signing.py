"""The key that signs roots: Ed25519, closed under the key-encryption key, so that nobody signs who has the database alone."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from entrepot.audit import store
from entrepot.audit.store import StoredKey
from entrepot.partners.keys.port import KeyProvider, Wrapped
from entrepot.record.transaction import Record

PURPOSE = "audit"


class Signer:
    """Signs with the key of this database, which is made when it is first needed and opened once."""

    def __init__(self, record: Record, keys: KeyProvider) -> None:
        self._record, self._keys = record, keys
        self._opened: Ed25519PrivateKey | None = None

    async def sign(self, data: bytes) -> bytes:
        """Return the signature of this; the same for the same data."""
        return (await self._key()).sign(data)

    async def public(self) -> bytes:
        """Return the public key, by which anybody can check; it is proved by the keyring, not by the database."""
        return (await self._key()).public_key().public_bytes_raw()

    async def _key(self) -> Ed25519PrivateKey:
        if self._opened is None:
            stored = await self._stored() or await self._made()
            seed = await self._keys.unwrap(Wrapped(stored.wrapped_by, stored.wrapped), PURPOSE)
            self._opened = Ed25519PrivateKey.from_private_bytes(seed)
        return self._opened

    async def _stored(self) -> StoredKey | None:
        async with self._record.committing() as connection:
            return next(iter(await store.signing_keys(connection)), None)

    async def _made(self) -> StoredKey:
        await self._keys.prepare()
        key = Ed25519PrivateKey.generate()
        wrapped = await self._keys.wrap(key.private_bytes_raw(), PURPOSE)
        async with self._record.transaction(0) as tx:  # of no cell: one key signs for all of a database
            await store.put_signing_key(tx.connection, StoredKey(key.public_key().public_bytes_raw(), wrapped.by, wrapped.data))
        stored = await self._stored()
        assert stored is not None
        return stored


def is_signed(public: bytes, signature: bytes, data: bytes) -> bool:
    """Say whether this key has signed this data."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
