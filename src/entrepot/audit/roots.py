"""Reads the roots that were published, and holds the chain against them: they tell of a chain that was written anew."""

import base64
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from entrepot.audit import rules
from entrepot.audit.publishing import RootDocument, prefix_of
from entrepot.audit.report import Finding, What
from entrepot.audit.rules import Link
from entrepot.audit.signing import Signer
from entrepot.engines.objects.port import LockedObjects, Version
from entrepot.sealing.signing import is_signed

Find = Callable[[Finding], None]


class Published:
    """The roots of a stretch of the chain, in order; links are handed in as they are read."""

    def __init__(self, documents: Sequence[RootDocument]) -> None:
        self._documents = documents
        self._hashes: list[bytes] = []
        self._from = 0
        self.checked = 0

    @property
    def last_place(self) -> int:
        """Up to which link the chain is vouched for."""
        return self._documents[-1].last_place if self._documents else 0

    def check(self, links: Sequence[Link], find: Find) -> None:
        """Hold links against the roots that end among them."""
        for link in links:
            if not self._hashes:
                self._from = link.place
            self._hashes.append(link.hash)
            while self.checked < len(self._documents) and self._documents[self.checked].last_place <= link.place:
                self._close(self._documents[self.checked], link, find)

    def check_end(self, last: int, find: Find, *, whole: bool) -> None:
        """Name what was published and is no longer there."""
        if whole and last < self.last_place:
            sentence = (
                f"The chain ends with link {last}, and link {self.last_place} was published: links {last + 1} to "
                f"{self.last_place} were cut off, with the rows that they vouched for."
            )
            find(Finding(what="cut off", sentence=sentence, place=last + 1, root=self._documents[-1].number))

    def _close(self, document: RootDocument, link: Link, find: Find) -> None:
        self.checked += 1
        hashes, self._hashes = self._hashes, []
        if self._from > document.first_place:  # the stretch that is verified begins within this root's
            good = link.hash.hex() == document.head
        else:
            good = link.hash.hex() == document.head and rules.merkle_root(hashes).hex() == document.root
        if not good:
            sentence = (
                f"Links {document.first_place} to {document.last_place} are not what root {document.number} was published "
                "of: the chain was written anew there, or before."
            )
            find(Finding(what="link altered", sentence=sentence, place=document.first_place, root=document.number))


class _Kept(Struct, frozen=True):
    """A root's first version, which is the one that counts."""

    key: str
    document: RootDocument


class Roots:
    """The published roots of one cell."""

    def __init__(self, objects: LockedObjects, cell: int, signer: Signer) -> None:
        self._objects, self._cell, self._signer = objects, cell, signer

    async def read(self, after_place: int, find: Find) -> Published:
        """Return the roots that reach beyond a place, each proved by its signature and by the one before it."""
        public = base64.b64encode(await self._signer.public()).decode()
        kept = await self._kept(find)
        before: RootDocument | None = None
        documents: list[RootDocument] = []
        for one in kept:
            document = one.document
            if document.key != public or not is_signed(
                base64.b64decode(document.key), base64.b64decode(document.signature), document.signed()
            ):
                _say(find, "root altered", document.number, f"Root {document.number} is not signed by the key of this keyring.")
                continue
            number = before.number + 1 if before else 1
            if document.number != number or document.previous != (before.hash() if before else ""):
                _say(find, "root missing", number, f"Root {document.number} does not follow root {number - 1}: some are gone.")
            before = document
            if document.last_place > after_place:
                documents.append(document)
        return Published(documents)

    async def _kept(self, find: Find) -> list[_Kept]:
        """Return each root as it was first written; a later version, or a deletion, is named."""
        kept: list[_Kept] = []
        after = ""
        while versions := await self._objects.versions(prefix_of(self._cell), after):
            for key in dict.fromkeys(one.key for one in versions):
                first, *later = [one for one in versions if one.key == key]
                if later:
                    _say(find, "root altered", None, f"Somebody tried to change or delete {key}; its first version is used.")
                kept += _read(first)
            after = versions[-1].key
        return kept


def _read(version: Version) -> list[_Kept]:
    return [] if version.removed else [_Kept(version.key, msgspec.json.decode(version.data, type=RootDocument))]


def _say(find: Find, what: What, number: int | None, sentence: str) -> None:
    find(Finding(what=what, sentence=sentence, root=number))
