"""Publishes the chain's root where nobody can take it back: signed, in locked object storage, and in a file of this machine.

A publisher may be killed between any two steps: a root that lies there already is noted as it is, never written again.
"""

import asyncio
import base64
from datetime import timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from entrepot.audit import rules, store
from entrepot.audit.signing import Signer
from entrepot.audit.store import Root
from entrepot.base import limits
from entrepot.base.time import stamp_millis, utc
from entrepot.engines.objects.port import LockedObjects
from entrepot.record.transaction import Record

DAYS_PER_YEAR = 365.25


class RootDocument(Struct, frozen=True, kw_only=True):
    """A root as it is published. ``head`` is the hash of its last link, ``root`` the Merkle root of its links' hashes.

    ``previous`` is the hash of the root before it, so that none of them can be missing; ``at`` is the stamp of the last link.
    """

    cell: int
    number: int
    first_place: int
    last_place: int
    at: int
    head: str
    root: str
    previous: str
    key: str
    signature: str = ""

    def signed(self) -> bytes:
        """Return what the signature is of."""
        return msgspec.json.encode(msgspec.structs.replace(self, signature=""))

    def hash(self) -> str:
        """Return what the next root names this one by."""
        return rules.row_hash([msgspec.json.encode(self).decode()]).hex()


def key_of(cell: int, number: int) -> str:
    """Return the key of a root's object; keys are in the order of numbers."""
    return f"{prefix_of(cell)}{number:012d}.json"


def prefix_of(cell: int) -> str:
    """Return how the keys of a cell's roots begin."""
    return f"roots/cell={cell}/"


class Publisher:
    """Publishes the roots of one cell."""

    def __init__(self, record: Record, cell: int, signer: Signer, objects: LockedObjects, file: Path) -> None:
        self._record, self._cell, self._signer = record, cell, signer
        self._objects, self._file = objects, file

    async def publish(self) -> int:
        """Publish what is linked and not published yet; returns how many roots that made."""
        published = 0
        while document := await self._next():
            key = key_of(self._cell, document.number)
            if there := [one for one in await self._objects.versions(key) if not one.removed]:
                text, locked = there[0].data, there[0].locked
                document = msgspec.json.decode(text, type=RootDocument)
            else:
                text = msgspec.json.encode(document)
                until = utc(stamp_millis(document.at)) + timedelta(days=DAYS_PER_YEAR * limits.AUDIT_PROOFS_YEARS)
                locked = await self._objects.put(key, text, until)
            await asyncio.to_thread(_append, self._file, text)
            async with self._record.committing() as connection:
                await store.put_root(connection, self._cell, _noted(document, text, locked=locked))
            published += 1
        return published

    async def _next(self) -> RootDocument | None:
        async with self._record.reading() as connection:
            last = await store.last_root(connection, self._cell)
            place = last.last_place if last else 0
            links = await store.hashes_after(connection, self._cell, place, limits.AUDIT_ROOT_LINKS_MAX)
        if not links:
            return None
        before = msgspec.json.decode(last.document, type=RootDocument) if last else None
        document = RootDocument(
            cell=self._cell,
            number=before.number + 1 if before else 1,
            first_place=place + 1,
            last_place=links[-1][0],
            at=links[-1][2],
            head=links[-1][1].hex(),
            root=rules.merkle_root([hash_ for _, hash_, _ in links]).hex(),
            previous=before.hash() if before else "",
            key=base64.b64encode(await self._signer.public()).decode(),
        )
        signature = await self._signer.sign(document.signed())
        return msgspec.structs.replace(document, signature=base64.b64encode(signature).decode())


def _noted(document: RootDocument, text: bytes, *, locked: bool) -> Root:
    return Root(
        number=document.number,
        last_place=document.last_place,
        at=document.at,
        object=key_of(document.cell, document.number),
        document=text.decode(),
        locked=locked,
    )


def _append(file: Path, text: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as lines:
        lines.write(text + b"\n")
