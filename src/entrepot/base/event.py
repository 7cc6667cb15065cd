"""The event envelope: what every fact in the log carries, whichever business area wrote it.

Event bodies are frozen structs declared in ``commerce/<area>/events.py``, each tagged ``area.thing.v1``; for ever: a field is
only added, with a default; a changed meaning is a v2 beside v1. Bodies carry the whole state that a reader needs (not a
delta), and ``version`` counts up by one per key, so that a reader who sees an older one late can tell and drop it.
"""

import re
from typing import Self, TypeVar
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from entrepot.base.errors import BadInputError

T = TypeVar("T", bound=Struct)


class Position(Struct, frozen=True, order=True):
    """A place in one cell's log: events are read in the order ``(txid, seq)``.

    Both numbers are given by the database that holds the log and mean nothing in another.
    """

    txid: int
    seq: int


START = Position(0, 0)

_TOKEN = re.compile(r"[0-9]{1,5}(\.[0-9]{1,20}){2}")


class Token(Struct, frozen=True):
    """A position as a client holds it (header ``Entrepot-Position``): ``<cell>.<txid>.<seq>``."""

    cell: int
    position: Position

    def __str__(self) -> str:
        return f"{self.cell}.{self.position.txid}.{self.position.seq}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a token back, or say what a token looks like."""
        if not _TOKEN.fullmatch(text):
            raise BadInputError(f"{text!r} is no position: send back an Entrepot-Position as it was given.")
        cell, txid, seq = (int(part) for part in text.split("."))
        return cls(cell, Position(txid, seq))


class Event(Struct, frozen=True):
    """One fact as read from the log.

    ``at`` is a hybrid logical stamp (``base.time``); ``key`` is ``<aggregate>/<id>`` and decides shard and order; ``version``
    counts the key's events from 1; ``body`` is JSON without personal data; ``subject`` whose person it is about.
    """

    cell: int
    id: UUID
    position: Position
    at: int
    kind: str
    key: str
    version: int
    body: Raw
    subject: UUID | None = None
    actor: str = "system"
    cause: UUID | None = None

    def decode(self, as_type: type[T]) -> T:
        """Return the body as its struct; a body that does not fit raises ``msgspec.ValidationError`` (a poison event)."""
        return msgspec.json.decode(self.body, type=as_type)
