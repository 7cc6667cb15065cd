"""Idempotency of single commands: the answer is stored in the transaction of the command and given again to the same key.

The hot path keeps its own keys in the same table (``checkout.place_orders``).
"""

import hashlib

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, KeyReusedError, told_key
from entrepot.record.named import queries
from entrepot.record.transaction import Connection, Transaction

SQL = queries("entrepot.record", "idempotency.sql")


def fingerprint(request: Struct | bytes) -> bytes:
    """Return what tells one request from another under the same key."""
    body = (
        request
        if isinstance(request, bytes)
        else type(request).__name__.encode() + msgspec.json.encode(request, order="sorted")
    )
    return hashlib.sha256(body).digest()


def check_key(key: str) -> None:
    """Refuse a key that is empty, too long, or not printable."""
    told = told_key(key)
    if not (1 <= len(told) <= limits.IDEMPOTENCY_KEY_CHARS_MAX and told.isprintable()):
        raise BadInputError(
            f"The idempotency key {told[:50]!r} is not usable: 1 to {limits.IDEMPOTENCY_KEY_CHARS_MAX} printable characters."
        )


async def once(tx: Transaction, key: str, of: bytes) -> bytes | None:
    """Claim a key: None means go on and ``remember``; else the stored answer. Another fingerprint is refused.

    A second command with the same key waits here until the first has committed or rolled back.
    """
    check_key(key)
    claimed = await tx.connection.fetchval(SQL["claim"], tx.cell, tx.keys + key, of, tx.ids.fresh())
    if claimed is not None:
        return None
    row = await tx.connection.fetchrow(SQL["answer"], tx.cell, tx.keys + key)
    assert row is not None
    if bytes(row["fingerprint"]) != of:
        raise KeyReusedError(key)
    answer: str | None = row["answer"]
    return (answer or "null").encode()


async def remember(tx: Transaction, key: str, answer: Struct | bytes) -> None:
    """Store the answer (JSON) that this key gets from now on."""
    text = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
    await tx.connection.execute(SQL["remember"], tx.cell, tx.keys + key, text.decode())


async def answered(connection: Connection, cell: int, key: str, of: bytes) -> bytes | None:
    """Return the answer that a key has got, without claiming it; None when it has none, or was another request's."""
    row = await connection.fetchrow(SQL["answer"], cell, key)
    return row["answer"].encode() if row and row["answer"] and bytes(row["fingerprint"]) == of else None
