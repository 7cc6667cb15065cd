"""What other rooms ask of the catalogue's truth; reads only."""

from collections.abc import Sequence
from uuid import UUID

from entrepot.base.errors import NotFoundError
from entrepot.commerce.catalog import store
from entrepot.commerce.catalog.store import SkuRow
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__, "query.sql")

__all__ = ["SkuRow", "offered", "variants"]


async def variants(connection: Connection, skus: Sequence[str]) -> dict[str, SkuRow]:
    """Return what each SKU stands for; one that is unknown is refused by name."""
    found = await store.skus(connection, list(dict.fromkeys(skus)))
    for sku in skus:
        if sku not in found:
            raise NotFoundError(f"There is no article {sku!r}: check the SKU.", sku=sku)
    return found


async def offered(connection: Connection, after: UUID | None, limit: int) -> list[UUID]:
    """Return the products on offer after this one (None: from the first), by id, which is the order they were made in."""
    return [row["id"] for row in await connection.fetch(SQL["offered"], after, limit)]
