"""What the audit answers: who saw this customer's data, when, from where and why; and where the chain stands."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from entrepot.audit import store
from entrepot.audit.rules import Class, mark
from entrepot.audit.store import LAST, Entry, Told, Wanted
from entrepot.base import limits
from entrepot.base.ids import lowest_at
from entrepot.base.time import millis_of, stamp_millis, utc
from entrepot.record.transaction import Connection, Record

# A UUIDv7 begins with its milliseconds.
RANDOM_BITS = 80


class Asked(Struct, frozen=True, kw_only=True):
    """Which entries are asked for; nothing means all. ``before`` is the id after which a page goes on, newest first.

    ``action`` is a part of it, such as ``export`` or ``POST``.
    """

    request: UUID | None = None
    subject: UUID | None = None
    actor: str | None = None
    action: str | None = None
    object: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: UUID | None = None


class Noted(Struct, frozen=True, kw_only=True):
    """An entry as it is shown. ``id`` is the request's, which the events that it caused carry as their cause."""

    id: UUID
    at: datetime
    kind: Class
    actor: str
    action: str
    object: str
    subject: UUID | None
    others: list[UUID]
    network: str
    agent: str
    why: str
    status: int
    problem: str


class Caused(Struct, frozen=True, kw_only=True):
    """An event that a request caused."""

    id: UUID
    kind: str
    key: str
    at: datetime


class State(Struct, frozen=True, kw_only=True):
    """Where the chain stands. ``waiting`` rows are not linked yet, ``unpublished`` links not vouched for from outside.

    ``locked`` says whether object storage promises to keep the last root.
    """

    links: int
    linked_at: datetime | None
    waiting: int
    root: int | None
    published_at: datetime | None
    unpublished: int
    locked: bool | None


class Archived(Protocol):
    """Entries and events that have left their tables."""

    async def entries(self, wanted: Wanted, most: int) -> list[Entry]:
        """Return those that are asked for, newest first."""
        ...

    async def events_of(self, request: UUID, before: UUID, most: int) -> list[Told]:
        """Return the events that a request caused, and that have left the log, in the order of commits."""
        ...


async def entries(record: Record, cell: int, asked: Asked, most: int, archived: Archived) -> list[Noted]:
    """Return entries, newest first, wherever they lie: those of long ago are in object storage.

    An object that opens what it names (a cart) is found by its name, and shown as a mark.
    """
    wanted = _wanted(asked)
    async with record.reading() as connection:
        found = {one.id: one for one in await store.entries(connection, cell, wanted, most)}
    if len(found) < most:
        found = {one.id: one for one in await archived.entries(wanted, most - len(found))} | found
    return [_noted(found[id_]) for id_ in sorted(found, reverse=True)[:most]]


def _wanted(asked: Asked) -> Wanted:
    ends = [asked.before or LAST, lowest_at(millis_of(asked.until)) if asked.until else LAST]
    return Wanted(
        request=asked.request,
        subject=asked.subject,
        actor=asked.actor,
        action=asked.action,
        object=asked.object,
        marked=mark(asked.object) if asked.object is not None else None,
        **({"first": lowest_at(millis_of(asked.since))} if asked.since else {}),
        before=min(ends),
    )


async def events_of(record: Record, cell: int, request: UUID, archived: Archived) -> list[Caused]:
    """Return the events that a request caused, in the order of commits, wherever they lie."""
    began = request.int >> RANDOM_BITS
    before = lowest_at(began + round(limits.CAUSED_SECONDS_MAX * 1_000))
    async with record.reading() as connection:
        there = await store.events_of(connection, cell, request, before, limits.PAGE_ITEMS_MAX)
    gone = await archived.events_of(request, before, limits.PAGE_ITEMS_MAX)
    found = {one.id: one for one in [*gone, *there]}.values()  # a day that leaves meanwhile lies in both for a moment
    return [Caused(id=one.id, kind=one.kind, key=one.key, at=utc(stamp_millis(one.at))) for one in found][
        : limits.PAGE_ITEMS_MAX
    ]


async def state(connection: Connection, cell: int) -> State:
    """Return where the chain of a cell stands."""
    chain = await store.state(connection, cell)
    return State(
        links=chain.place,
        linked_at=_moment(chain.linked_at),
        waiting=chain.waiting_entries + chain.waiting_events,
        root=chain.root,
        published_at=_moment(chain.root_at),
        unpublished=chain.place - (chain.root_place or 0),
        locked=chain.locked,
    )


def _noted(entry: Entry) -> Noted:
    moment = utc(stamp_millis(entry.at))
    return Noted(at=moment, **{name: getattr(entry, name) for name in Noted.__struct_fields__ if name != "at"})


def _moment(stamp: int | None) -> datetime | None:
    return None if stamp is None else utc(stamp_millis(stamp))
