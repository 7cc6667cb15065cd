"""The queries of the saga, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from entrepot.base.event import Position, Token
from entrepot.base.ids import IdSource
from entrepot.commerce.checkout.columns import CheckoutColumns
from entrepot.commerce.checkout.held import Ended, Placing, Releasing, StoredCheckout
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__, "saga.sql")


class Outcome(Struct, frozen=True):
    """What became of one checkout of a call: ``reserved``, ``repeated``, ``reused`` or ``refused``.

    ``line`` and ``claim`` are places in the columns, from 0, of what could not be had.
    """

    outcome: str
    checkout_id: UUID | None
    line: int | None
    claim: int | None
    remaining: int


async def reserve(
    connection: Connection, cell: int, stamp: int, actor: str, at: datetime, ends: datetime, columns: CheckoutColumns
) -> list[Outcome]:
    """Reserve what these checkouts want and return what became of each, in the order of the columns."""
    rows = await connection.fetch(SQL["reserve_checkouts"], cell, stamp, actor, at, ends, *columns.arguments())
    return [
        Outcome(row["outcome"], row["checkout_id"], _place(row["line"]), _place(row["claim"]), row["remaining"] or 0)
        for row in sorted(rows, key=lambda row: int(row["place"]))
    ]


async def place(
    connection: Connection, cell: int, stamp: int, actor: str, at: datetime, asked: Sequence[Placing], ids: IdSource
) -> list[Ended | None]:
    """Place these checkouts with their payments and return how each stands; None where there is none."""
    paid = [one.authorized for one in asked]
    rows = await connection.fetch(
        SQL["place_checkouts"], cell, stamp, actor, at, [one.checkout_id for one in asked], [one.gateway for one in asked],
        [one.payment_id if one else "" for one in paid], [one.label if one else "" for one in paid],
        [one.captured_minor if one else 0 for one in paid], *[[ids.fresh() for _ in asked] for _ in range(3)],
    )  # fmt: skip
    return _ended(cell, rows)


async def release(
    connection: Connection, cell: int, stamp: int, actor: str, at: datetime, asked: Sequence[Releasing], spare: Sequence[UUID]
) -> list[Ended | None]:
    """End these checkouts without an order and return how each stands; ``spare`` are ids for events of levels."""
    rows = await connection.fetch(
        SQL["release_checkouts"], cell, stamp, actor, at, [one.checkout_id for one in asked], [one.state for one in asked],
        [one.reason for one in asked], spare,
    )  # fmt: skip
    return _ended(cell, rows)


async def checkout(connection: Connection, cell: int, checkout_id: UUID) -> StoredCheckout | None:
    """Return a checkout as it stands."""
    row = await connection.fetchrow(SQL["checkout"], cell, checkout_id)
    if row is None:
        return None
    told = Token(cell, Position(row["txid"], row["seq"])) if row["txid"] else None
    return StoredCheckout(
        id=row["id"],
        state=row["state"],
        total_minor=row["total_minor"],
        currency=row["currency"],
        expires_at=row["expires_at"],
        stepped_at=row["stepped_at"],
        challenge_url=row["challenge_url"],
        reason=row["reason"],
        held=row["held"],
        token=told,
    )


async def checkout_of_key(connection: Connection, cell: int, key: str) -> tuple[bytes, UUID | None] | None:
    """Return for which request a key was used, and the checkout that it began."""
    row = await connection.fetchrow(SQL["checkout_of_key"], cell, key)
    return (bytes(row["fingerprint"]), row["id"]) if row else None


async def mark_challenged(connection: Connection, cell: int, checkout_id: UUID, url: str, at: datetime) -> bool:
    """Note where the buyer must go, and say whether the checkout was still open."""
    return bool(await connection.fetchval(SQL["mark_challenged"], cell, checkout_id, url, at))


async def left_behind(connection: Connection, cell: int, now: datetime, stepped_before: datetime, most: int) -> list[UUID]:
    """Return checkouts that nobody is at any more, or whose time is over, the oldest first."""
    return [row["id"] for row in await connection.fetch(SQL["left_behind"], cell, now, stepped_before, most)]


def _place(number: int | None) -> int | None:
    return None if number is None else number - 1


def _ended(cell: int, rows: Sequence[asyncpg.Record]) -> list[Ended | None]:
    return [
        Ended(
            row["state"],
            row["now_so"],
            Token(cell, Position(row["txid"], row["seq"])) if row["txid"] else None,
        )
        if row["state"]
        else None
        for row in sorted(rows, key=lambda row: int(row["place"]))
    ]
