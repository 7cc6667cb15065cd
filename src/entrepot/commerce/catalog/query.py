"""What other rooms ask of the catalogue's truth; reads only."""

from collections.abc import Sequence

from entrepot.base.errors import NotFoundError
from entrepot.commerce.catalog import store
from entrepot.commerce.catalog.store import SkuRow
from entrepot.record.transaction import Connection

__all__ = ["SkuRow", "variants"]


async def variants(connection: Connection, skus: Sequence[str]) -> dict[str, SkuRow]:
    """Return what each SKU stands for; one that is unknown is refused by name."""
    found = await store.skus(connection, list(dict.fromkeys(skus)))
    for sku in skus:
        if sku not in found:
            raise NotFoundError(f"There is no article {sku!r}: check the SKU.", sku=sku)
    return found
