"""The queries of shipping, typed; nothing else."""

from datetime import datetime

import msgspec

from entrepot.commerce.shipping.events import MethodSaved, ZoneSaved
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


async def put_zone(connection: Connection, wanted: ZoneSaved) -> int:
    """Write a zone and return its version."""
    version: int = await connection.fetchval(SQL["put_zone"], wanted.code, msgspec.json.encode(wanted).decode())
    return version


async def zones(connection: Connection) -> dict[str, ZoneSaved]:
    """Return every zone by its code."""
    found = [msgspec.json.decode(row["definition"], type=ZoneSaved) for row in await connection.fetch(SQL["zones"])]
    return {one.code: one for one in found}


async def put_method(connection: Connection, wanted: MethodSaved, since: datetime) -> int:
    """Write a method and return its version."""
    definition = msgspec.json.encode(wanted).decode()
    version: int = await connection.fetchval(SQL["put_method"], wanted.code, definition, wanted.active, since)
    return version


async def methods(connection: Connection) -> dict[str, MethodSaved]:
    """Return every method by its code."""
    found = [msgspec.json.decode(row["definition"], type=MethodSaved) for row in await connection.fetch(SQL["methods"])]
    return {one.code: one for one in found}
