"""Reads of stock levels."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct, convert

from entrepot.base.projection import Item, Target
from entrepot.engines.memory.port import MemoryStore


class _Level(Struct, frozen=True):
    available: int


async def available(store: MemoryStore, target: Target, variant_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """Return for each of these variants the pieces left by warehouse; none that was never in stock anywhere has any."""
    found = await store.beneath(target, [f"stock/{variant_id}" for variant_id in variant_ids])
    return {id_: by_place({item.id: item for item in found[f"stock/{id_}"]}) for id_ in variant_ids}


def by_place(items: Mapping[str, Item]) -> dict[str, int]:
    """Return the pieces left by warehouse, of the items of one variant."""
    return {id_.split("/", 2)[2]: convert(item.body, _Level).available for id_, item in items.items()}
