"""Seals and opens fields: the one object that rooms are given. What it returns sealed may lie anywhere; what it opens, nowhere.

A field is named as the data map names it (``ordering.contact.sealed``). Values are text; a struct is sealed as its JSON.
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self
from uuid import UUID

from entrepot.partners.keys.port import KeyProvider
from entrepot.record.transaction import Connection
from entrepot.sealing import envelope, store
from entrepot.sealing.envelope import HOUSE, SubjectKey
from entrepot.sealing.errors import SubjectForgottenError
from entrepot.sealing.person_keys import PersonKeys

Fields = Mapping[str, str]
Sealed = Mapping[str, bytes]
Opened = dict[str, str | None]


class Sealing:
    """Seals what is personal under the key of its subject: a person's id, or the id made for a guest's cart or checkout.

    Needs no transaction: a key is made and kept on a connection of its own, before anything is sealed under it.
    """

    def __init__(self, keys: PersonKeys, house: SubjectKey) -> None:
        self._keys = keys
        self._house = house

    async def seal(self, subject: UUID, fields: Fields) -> dict[str, bytes]:
        """Seal fields of one subject, whose key is made when there is none; a forgotten one is refused."""
        return (await self.seal_many([(subject, fields)]))[0]

    async def unseal(self, subject: UUID, fields: Sealed) -> Opened:
        """Open fields of one subject; each is None when the subject was forgotten."""
        return (await self.unseal_many([(subject, fields)]))[0]

    async def seal_many(self, many: Sequence[tuple[UUID, Fields]]) -> list[dict[str, bytes]]:
        """Seal fields of many subjects, in the order given, with one question to the database at most."""
        keys = await self._of([subject for subject, _ in many], make=True)
        sealed = []
        for key, (subject, fields) in zip(keys, many, strict=True):
            if key is None:
                raise SubjectForgottenError(subject)
            sealed.append({field: key.seal(field, text) for field, text in fields.items()})
        return sealed

    async def unseal_many(self, many: Sequence[tuple[UUID, Sealed]]) -> list[Opened]:
        """Open fields of many subjects, in the order given, with one question to the database at most."""
        keys = await self._of([subject for subject, _ in many], make=False)
        opened: list[Opened] = []
        for key, (_, fields) in zip(keys, many, strict=True):
            opened.append({field: key.open(field, sealed) if key else None for field, sealed in fields.items()})
        return opened

    async def _of(self, subjects: Sequence[UUID], *, make: bool) -> Sequence[SubjectKey | None]:
        """Return the keys of these subjects in their order; where all are in memory, which is most of the time, at once."""
        held = [self._keys.held(subject) for subject in subjects]
        if all(held):
            return held
        keys = await self._keys.of(set(subjects), make=make)
        return [keys[subject] for subject in subjects]

    def seal_secret(self, name: str, secret: str) -> bytes:
        """Seal a secret of the house's own, such as what webhooks are signed with; ``name`` says which, and binds it."""
        return self._house.seal(name, secret)

    def unseal_secret(self, name: str, sealed: bytes) -> str:
        """Open a secret of the house's own."""
        return self._house.open(name, sealed)

    def blind(self, field: str, normal: str) -> bytes:
        """Return the 32 bytes that a value is looked up by (``blind.email_normal``, ``blind.phone_normal`` make it normal)."""
        return envelope.blind(self._keys.ring.blind, field, normal)

    async def pseudonym(self, subject: UUID, field: str) -> bytes | None:
        """Return the 32 bytes that stand for a subject in a field, by its own key; None when it was forgotten or is unknown."""
        key = (await self._keys.of({subject}, make=False))[subject]
        return key.pseudonym(field) if key else None

    async def destroy(self, connection: Connection, subject: UUID) -> bool:
        """Destroy a subject's key, in the caller's transaction; every process forgets it when that commits.

        Says whether it was still there to be destroyed. Nothing can be sealed for the subject any more.
        """
        assert subject != HOUSE, "the house is not forgotten"
        return await store.destroy(connection, subject)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Forget every key."""
        await self._keys.close()


async def open_sealing(url: str, provider: KeyProvider) -> Sealing:
    """Open the ring of the database at ``url`` and make it ready; a key-encryption key that does not fit is refused."""
    keys = PersonKeys(url, provider)
    await keys.open()
    house = (await keys.of([HOUSE], make=True))[HOUSE]
    assert house is not None
    return Sealing(keys, house)
