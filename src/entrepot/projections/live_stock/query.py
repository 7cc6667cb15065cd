"""Reads of stock levels."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct, convert

from entrepot.base.projection import Target
from entrepot.engines.memory.port import MemoryStore


class _Level(Struct, frozen=True):
    available: int


async def available(store: MemoryStore, target: Target, variant_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """Return for each of these variants the pieces left by warehouse; none that was never in stock anywhere has any."""
    found = await store.beneath(target, [f"stock/{variant_id}" for variant_id in variant_ids])
    return {
        variant_id: {item.id.split("/", 2)[2]: convert(item.body, _Level).available for item in found[f"stock/{variant_id}"]}
        for variant_id in variant_ids
    }
