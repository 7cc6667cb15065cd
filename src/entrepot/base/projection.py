"""The contract between the log and the engines: what a projection is, and what a store of projected data can do.

A projection is a pure function from events to versioned items; a store applies a batch of items together with the
position reached, so that a crash between any two steps changes nothing. Neither knows the other's words: the store sees
ids, versions and JSON-like bodies, the projection sees no engine.

Exactly-once effect rests on three rules that every store keeps (``tests/conformance`` runs them on each):

1. An item is written only over an older version of the same id; an equal or older one is dropped silently.
2. A deletion is an item without a body and keeps its version (a tombstone), so that a late older write cannot raise the dead.
3. ``position`` never runs ahead of the items: it is stored in the same transaction, or after them.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from entrepot.base.event import Event, Position

Body = Mapping[str, object]


class Item(Struct, frozen=True, gc=False):
    """One versioned thing in a projection; ``body`` None says it is gone (a tombstone). Ids order by their UTF-8 bytes."""

    id: str
    version: int
    body: Body | None


class Shape(Struct, frozen=True):
    """What a store must prepare for a projection, in the engine's own language (``shape.sql``, ``shape.json``)."""

    text: str = ""


class Target(Struct, frozen=True):
    """One generation of one projection: what is created, filled, switched to and dropped as a whole.

    ``engine`` is the id of the engine that it lies in, where a move has named one; else its role's own.
    """

    projection: str
    generation: int
    shape: Shape = Shape()
    engine: str = ""

    @property
    def name(self) -> str:
        """The name of its table, index, collection, label or key prefix: lower case, ``[a-z0-9_]`` only."""
        return f"{self.projection}_g{self.generation}"


class Slot(Struct, frozen=True):
    """Which part of the log a position belongs to: one cell, one of ``shards`` parts of its keys."""

    cell: int
    shard: int = 0
    shards: int = 1


class Refusal(Struct, frozen=True):
    """One item that this engine can never take (too large, a value that does not fit); its neighbours were applied."""

    id: str
    reason: str


class Store(Protocol):
    """A place that holds projected items. One writer per slot at a time (the projector's lease); any number of readers.

    Failures: ``EngineAwayError`` when the engine does not answer (the projector waits and tries the batch again);
    an item the engine can never take comes back as a ``Refusal``; everything else is a bug and propagates.
    """

    async def create(self, target: Target) -> None:
        """Make an empty home for this generation; does nothing if it is there."""
        ...

    async def drop(self, target: Target) -> None:
        """Delete the generation and its positions; does nothing if it is gone."""
        ...

    async def position(self, target: Target, slot: Slot) -> Position:
        """Return how far this generation has read this slot (``START`` at first)."""
        ...

    async def read(self, target: Target, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items with these ids as the writer sees them, tombstones included; absent ids are left out."""
        ...

    async def apply(self, target: Target, slot: Slot, items: Sequence[Item], position: Position) -> Sequence[Refusal]:
        """Write the items under the three rules above and move the position; safe to repeat, whole or cut anywhere."""
        ...

    async def scan(self, target: Target, low: str, high: str | None) -> Sequence[Item]:
        """Return the live items (no tombstones) with ``low <= id < high`` (None: no bound), by id, as stored."""
        ...

    async def put(self, target: Target, items: Sequence[Item]) -> None:
        """Repair: make each id exactly this, whatever is there; a body of None removes the item and leaves no trace."""
        ...


class Projection(Protocol):
    """A question the platform answers from an engine, as a pure function of the log.

    ``version`` is raised when ``shape`` or ``project`` changes meaning; the projector then builds a new generation.
    ``aggregates`` name the key prefixes (``product``, ``order``) whose truth it mirrors; every item id starts with the
    key of the event it came from, so that a range of keys is a range of items.
    """

    @property
    def name(self) -> str:
        """Return its name: lower case, also the room it lives in."""
        ...

    @property
    def version(self) -> int:
        """Return the version of its shape and meaning."""
        ...

    @property
    def role(self) -> str:
        """Return the role of the engine it needs."""
        ...

    @property
    def kinds(self) -> frozenset[str]:
        """Return the kinds of events it reads."""
        ...

    @property
    def aggregates(self) -> tuple[str, ...]:
        """Return the key prefixes whose truth it mirrors."""
        ...

    @property
    def shape(self) -> Shape:
        """Return what its store must prepare."""
        ...

    def reads(self, event: Event) -> Sequence[str]:
        """Return the ids whose present items ``project`` must see for this event (none for a plain mapping)."""
        ...

    def project(self, event: Event, state: Mapping[str, Item]) -> Sequence[Item]:
        """Return the items this event makes; pure, and by version only: repeated or late events change nothing."""
        ...
