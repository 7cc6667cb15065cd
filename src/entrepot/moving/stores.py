"""A client of each engine that holds projections or files, each in the place where its role is now."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from msgspec import Struct

from entrepot.base.projection import Projection, Store, Target
from entrepot.engines.columns.port import ColumnStore
from entrepot.engines.documents.port import DocumentStore
from entrepot.engines.graph.port import GraphStore
from entrepot.engines.memory.port import MemoryStore
from entrepot.engines.objects.s3 import S3Objects
from entrepot.engines.products import Driver, driver
from entrepot.engines.search.port import SearchStore
from entrepot.engines.switchboard import Switchboard
from entrepot.moving.places import MOVABLE, Places, find_places
from entrepot.record.transaction import Record
from entrepot.sealing.sealing import Sealing
from entrepot.settings import Settings


class Stores(Struct, frozen=True, kw_only=True):
    """A client of each engine that holds projections or files, and where those are that may be moved."""

    documents: DocumentStore
    search: SearchStore
    columns: ColumnStore
    memory: MemoryStore
    graph: GraphStore
    objects: S3Objects
    places: Places
    shards_max: int = 1

    def of(self, projection: Projection) -> Store:
        """Return the store of a projection's role."""
        store: Store = getattr(self, projection.role)
        return store

    def shards(self, projection: Projection) -> int:
        """Return in how many slots a projection is cut: where one process writes, it is one however many the others are."""
        return 1 if self.places.has_one_writer(projection.role) else self.shards_max

    async def ready(self, projection: Projection, target: Target) -> None:
        """Connect to the engine of a projection's target, before anybody waits for it."""
        store = getattr(self, projection.role)
        if isinstance(store, Switchboard):
            await store.ready(target)


@asynccontextmanager
async def open_stores(settings: Settings, record: Record, sealing: Sealing) -> AsyncIterator[Stores]:
    """Open a client of each engine; those of roles that were moved where the record says they are."""
    places, engines = await find_places(settings, record, sealing), settings.engines
    made: dict[str, Any] = {role: Switchboard(role, places.url, places.own(role)) for role in MOVABLE}
    made |= {role: driver(role, getattr(engines, role)) for role in ("columns", "memory")}
    async with AsyncExitStack() as stack:
        opened: Driver
        for opened in made.values():
            stack.push_async_callback(opened.close)
            await opened.open()
        objects = S3Objects(engines.objects)  # opens by itself: only the archive needs it, and that can wait
        stack.push_async_callback(objects.close)
        yield Stores(objects=objects, places=places, shards_max=settings.shards, **made)
