"""What is asked about webhooks, from the truth; reads only."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.commerce.webhook.events import State
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


class Endpoint(Struct, frozen=True):
    """A subscriber, how many events of whatever kind it is behind, and how many of its own wait or are dead."""

    id: UUID
    url: str
    kinds: list[str]
    state: State
    why: str
    txid: int
    seq: int
    delivered: int
    delivered_at: datetime | None
    failures: int
    failing_since: datetime | None
    resting_until: datetime | None
    created_at: datetime
    behind: int
    waiting: int
    dead: int


class ParkedDelivery(Struct, frozen=True):
    """An event that could not be delivered yet (``waiting``), or was given up (``dead``)."""

    event_id: UUID
    key: str
    kind: str
    state: str
    tries: int
    error: str
    first_at: datetime
    next_at: datetime
    txid: int
    seq: int


async def endpoints(connection: Connection, cell: int) -> list[Endpoint]:
    """Return every subscriber."""
    return [Endpoint(*row) for row in await connection.fetch(SQL["endpoints"], cell)]


async def parked(connection: Connection, cell: int, endpoint_id: UUID, state: str, limit: int) -> list[ParkedDelivery]:
    """Return what is parked for a subscriber, in the log's order."""
    return [ParkedDelivery(*row) for row in await connection.fetch(SQL["parked"], cell, endpoint_id, state, limit)]
