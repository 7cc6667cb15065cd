"""The key that signs roots: closed under the key-encryption key, so that nobody signs who has the database alone."""

from entrepot.audit import store
from entrepot.audit.store import StoredKey
from entrepot.partners.keys.port import KeyProvider, Wrapped
from entrepot.record.transaction import Record
from entrepot.sealing.signing import SigningKey

PURPOSE = "audit"


class Signer:
    """Signs with the key of this database, which is made when it is first needed and opened once."""

    def __init__(self, record: Record, keys: KeyProvider) -> None:
        self._record, self._keys = record, keys
        self._opened: SigningKey | None = None

    async def sign(self, data: bytes) -> bytes:
        """Return the signature of this; the same for the same data."""
        return (await self._key()).sign(data)

    async def public(self) -> bytes:
        """Return the public key, by which anybody can check; it is proved by the keyring, not by the database."""
        return (await self._key()).public

    async def _key(self) -> SigningKey:
        if self._opened is None:
            stored = await self._stored() or await self._made()
            seed = await self._keys.unwrap(Wrapped(stored.wrapped_by, stored.wrapped), PURPOSE)
            self._opened = SigningKey.opened(seed)
        return self._opened

    async def _stored(self) -> StoredKey | None:
        async with self._record.committing() as connection:
            return next(iter(await store.signing_keys(connection)), None)

    async def _made(self) -> StoredKey:
        await self._keys.prepare()
        key = SigningKey.made()
        wrapped = await self._keys.wrap(key.seed, PURPOSE)
        async with self._record.transaction(0) as tx:  # of no cell: one key signs for all of a database
            await store.put_signing_key(tx.connection, StoredKey(key.public, wrapped.by, wrapped.data))
        stored = await self._stored()
        assert stored is not None
        return stored
