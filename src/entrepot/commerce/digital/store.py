"""The queries of digital goods, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import NotFoundError
from entrepot.base.seals import Seals
from entrepot.commerce.digital.rules import Article, Bought, Entitlement
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)

# What the secret of the downloads is sealed as.
SIGNING = "digital.secret"


class Promises(Struct, frozen=True):
    """What of a pool is free, what was promised of it in all, and what its level still offers."""

    free: int
    promised: int
    available: int


class LowPool(Struct, frozen=True, kw_only=True):
    """A pool of licences that is low: what is free, from how many on it is low, and how many pieces wait for one."""

    sku: str
    free: int
    low_at: int
    waiting: int


class Pool(Struct, frozen=True, kw_only=True):
    """A pool of licences: how many are free, of which ``available`` can still be ordered; and what became of the others."""

    sku: str
    free: int
    available: int
    waiting: int
    handed_out: int
    revoked: int


async def sku(connection: Connection, name: str) -> tuple[UUID, str]:
    """Return the variant of a SKU and how it is delivered."""
    row = await connection.fetchrow(SQL["sku"], name)
    if row is None:
        raise NotFoundError(f"There is no SKU {name!r}: make its product first.", sku=name)
    return row["variant_id"], row["delivery"]


async def article(connection: Connection, cell: int, variant_id: UUID) -> Article | None:
    """Lock a digital article and return it."""
    row = await connection.fetchrow(SQL["article_for_update"], cell, variant_id)
    return None if row is None else Article(**dict(row))


async def articles(connection: Connection, cell: int, limit: int) -> list[Article]:
    """Return digital articles, by SKU."""
    return [Article(**dict(row)) for row in await connection.fetch(SQL["articles"], cell, limit)]


async def put_article(connection: Connection, cell: int, one: Article) -> None:
    """Write a digital article as it now is."""
    await connection.execute(SQL["put_article"], cell, *(getattr(one, name) for name in Article.__struct_fields__))


async def add_licences(connection: Connection, cell: int, variant_id: UUID, codes: Sequence[str]) -> int:
    """Put licences into a pool and return how many are new."""
    return int(await connection.fetchval(SQL["add_licences"], cell, variant_id, codes))


async def claim_licences(
    connection: Connection, cell: int, variant_id: UUID, order_id: UUID, line: int, pieces: int
) -> list[str]:
    """Hand out so many licences to a line of an order, and return them; none when there are not so many."""
    rows = await connection.fetch(SQL["claim_licences"], cell, variant_id, order_id, line, pieces)
    return [row["code"] for row in rows]


async def set_low_at(connection: Connection, cell: int, variant_id: UUID, low_at: int | None) -> None:
    """Set from how few free licences on a pool is low; None leaves it as it is."""
    await connection.execute(SQL["set_low_at"], cell, variant_id, low_at)


async def crossed_low(connection: Connection, cell: int, variant_id: UUID, most: int) -> list[tuple[Article, int, int]]:
    """Note whether a pool is low; return it, what is free and its threshold when it has just become so, else nothing."""
    row = await connection.fetchrow(SQL["crossed_low"], cell, variant_id, most)
    if row is None or not row["is_low"]:
        return []
    fields = dict(row)
    return [(Article(**{name: fields[name] for name in Article.__struct_fields__}), fields["free"], fields["low_at"])]


async def low_pools(connection: Connection, cell: int, limit: int) -> list[LowPool]:
    """Return pools that are low, those with the fewest free licences first."""
    return [LowPool(**dict(row)) for row in await connection.fetch(SQL["low_pools"], cell, limit)]


async def revoke_licences(connection: Connection, cell: int, order_id: UUID, line: int, pieces: int) -> None:
    """Revoke licences of a line of an order until so many are."""
    await connection.execute(SQL["revoke_licences"], cell, order_id, line, pieces)


async def bought(connection: Connection, cell: int, order_ids: Sequence[UUID]) -> list[Bought]:
    """Return the lines of orders that are of digital articles."""
    found = []
    for row in await connection.fetch(SQL["bought"], cell, order_ids):
        fields = dict(row)
        article = Article(**{name: fields.pop(name) for name in Article.__struct_fields__})
        found.append(Bought(article=article, **fields))
    return found


async def entitlements(connection: Connection, cell: int, order_ids: Sequence[UUID]) -> dict[tuple[UUID, int], Entitlement]:
    """Lock what orders give a right to and return it, by order and line."""
    rows = await connection.fetch(SQL["entitlements_for_update"], cell, order_ids)
    return {(row["order_id"], row["line"]): Entitlement(**dict(row)) for row in rows}


async def entitlement(connection: Connection, cell: int, order_id: UUID, line: int) -> Entitlement:
    """Return what a line of an order gives a right to, or say that there is nothing."""
    row = await connection.fetchrow(SQL["entitlement"], cell, order_id, line)
    if row is None:
        raise NotFoundError(f"Line {line} of order {order_id} gives a right to no download.", order_id=str(order_id), line=line)
    return Entitlement(**dict(row))


async def put_entitlement(connection: Connection, cell: int, one: Entitlement) -> None:
    """Write what a line of an order gives a right to, as it now is."""
    await connection.execute(SQL["put_entitlement"], cell, *(getattr(one, name) for name in Entitlement.__struct_fields__))


async def waiting(connection: Connection, cell: int, limit: int) -> list[UUID]:
    """Return orders that wait for what they give a right to."""
    return [row["order_id"] for row in await connection.fetch(SQL["waiting"], cell, limit)]


async def count_download(connection: Connection, cell: int, order_id: UUID, line: int, now: datetime) -> bool:
    """Count a download, and say whether there might be one more."""
    return await connection.fetchval(SQL["count_download"], cell, order_id, line, now) is not None


async def promises(connection: Connection, cell: int, variant_id: UUID, warehouse: str) -> Promises:
    """Return what of a pool is free and what was promised; the caller has locked its level."""
    row = await connection.fetchrow(SQL["promises"], cell, variant_id, warehouse)
    assert row is not None
    return Promises(*row)


async def secret(connection: Connection, cell: int, seals: Seals) -> bytes | None:
    """Return what downloads' addresses are signed with; one of before it was sealed lies there plain."""
    row = await connection.fetchrow(SQL["secret"], cell)
    if row is None:
        return None
    plain: bytes | None = row["secret"]
    return plain if plain is not None else bytes.fromhex(seals.unseal_secret(SIGNING, row["sealed"]))


async def put_secret(connection: Connection, cell: int, fresh: bytes, seals: Seals) -> None:
    """Keep a secret for the cell, unless there is one."""
    await connection.execute(SQL["put_secret"], cell, seals.seal_secret(SIGNING, fresh.hex()))


async def pool(connection: Connection, cell: int, name: str) -> Pool | None:
    """Return a pool as it stands."""
    row = await connection.fetchrow(SQL["pool"], cell, name)
    return None if row is None else Pool(**dict(row))


async def of_order(connection: Connection, cell: int, order_id: UUID) -> list[Entitlement]:
    """Return what an order gives a right to."""
    return [Entitlement(**dict(row)) for row in await connection.fetch(SQL["of_order"], cell, order_id)]


async def codes_of_order(connection: Connection, cell: int, order_id: UUID) -> dict[int, list[str]]:
    """Return the licences that an order was handed, by line."""
    found: dict[int, list[str]] = {}
    for row in await connection.fetch(SQL["codes_of_order"], cell, order_id):
        found.setdefault(row["line"], []).append(row["code"])
    return found
