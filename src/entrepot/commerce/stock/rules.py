"""Pure decisions about stock: what a change must be, and what a level becomes."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, StockExhaustedError


class Change(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pieces of a variant that come into a warehouse (positive) or leave it (negative)."""

    variant_id: UUID
    warehouse: str
    delta: int


class Level(Struct, frozen=True):
    """A stock level as it stands."""

    variant_id: UUID
    warehouse: str
    available: int
    version: int


def check_warehouse(code: str) -> None:
    """Refuse a warehouse code that cannot be part of an event key."""
    if not (1 <= len(code) <= 40 and code.replace("-", "").isalnum() and code.isascii()):  # noqa: PLR2004  # said below
        raise BadInputError(f"The warehouse code {code!r} is not usable: 1 to 40 letters, digits and hyphens.")


def check_rank(code: str, rank: int) -> None:
    """Refuse a rank beyond what a warehouse's place among others can need."""
    if not -limits.RANK_MAX <= rank <= limits.RANK_MAX:
        raise BadInputError(
            f"The rank {rank} of warehouse {code} is out of range: {-limits.RANK_MAX} to {limits.RANK_MAX}.", rank=rank
        )


def check_receipts(changes: Sequence[Change]) -> None:
    """Refuse a receipt of nothing, or of less than nothing."""
    for change in changes:
        if change.delta <= 0:
            raise BadInputError(f"A receipt of {change.delta} pieces cannot be: adjust the stock instead.", delta=change.delta)


def sum_changes(changes: Sequence[Change]) -> dict[tuple[UUID, str], int]:
    """Return the sum of the changes of each level, in the order in which levels are locked."""
    sums: dict[tuple[UUID, str], int] = {}
    for change in changes:
        if abs(change.delta) > limits.QUANTITY_MAX:
            raise BadInputError(f"{change.delta} pieces at once cannot be: {limits.QUANTITY_MAX} at most.", delta=change.delta)
        key = (change.variant_id, change.warehouse)
        sums[key] = sums.get(key, 0) + change.delta
    return dict(sorted(sums.items()))


def apply(level: Level, delta: int) -> Level:
    """Return the level after the change; one that would fall below zero is refused."""
    if level.available + delta < 0:
        raise StockExhaustedError(
            f"variant {level.variant_id} in warehouse {level.warehouse}",
            wanted=-delta,
            left=level.available,
            advice="take out no more than there is",
        )
    return Level(level.variant_id, level.warehouse, level.available + delta, level.version + 1)
