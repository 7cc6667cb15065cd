"""Pure decisions about stock: what a change must be, and what a level becomes."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, StockExhaustedError, StockReservedError
from entrepot.commerce.stock.allocate import WarehouseKind
from entrepot.commerce.stock.events import STOCK_LOW, STOCK_RECOVERED, StockWatched

# Warehouses with shelves: what is in the others is a promise, or no thing at all.
SHELVES = frozenset({"own", "supplier"})


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
    reserved: int = 0


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
    return Level(level.variant_id, level.warehouse, level.available + delta, level.version + 1, level.reserved)


class Place(Struct, frozen=True, kw_only=True):
    """What a warehouse is: whose, where, when what it promises is expected. None: as it was.

    ``parcel_minor`` is what a parcel from there costs us, ``lead_days`` in how many days it hands one over.
    """

    rank: int = 100
    kind: WarehouseKind | None = None
    country: str | None = None
    expected_on: date | None = None
    parcel_minor: int | None = None
    lead_days: int | None = None


def check_place(code: str, place: Place) -> None:
    """Refuse a warehouse that cannot be."""
    check_warehouse(code)
    check_rank(code, place.rank)
    if place.country and not (len(place.country) == 2 and place.country.isascii() and place.country.isupper()):  # noqa: PLR2004  # ISO 3166-1 alpha-2
        raise BadInputError(
            f"{place.country!r} is no country code: use two capital letters (ISO 3166-1).", country=place.country
        )
    if place.kind == "preorder" and place.expected_on is None:
        raise BadInputError(
            f"The warehouse {code} takes preorders: say when they are expected (expected_on).", field="expected_on"
        )
    if place.parcel_minor is not None and not 0 <= place.parcel_minor <= limits.MINOR_MAX:
        raise BadInputError(
            f"A parcel from {code} cannot cost {place.parcel_minor}: 0 to {limits.MINOR_MAX}.", parcel_minor=place.parcel_minor
        )
    if place.lead_days is not None and not 0 <= place.lead_days <= limits.DELIVERY_DAYS_MAX:
        raise BadInputError(
            f"{code} cannot hand a parcel over in {place.lead_days} days: 0 to {limits.DELIVERY_DAYS_MAX}.", field="lead_days"
        )


class Count(Struct, frozen=True, kw_only=True):
    """How many pieces of a variant were found on the shelf."""

    variant_id: UUID
    sku: str
    counted: int


def check_counts(counts: Sequence[Count], reason: str) -> None:
    """Refuse a stocktake that counts nothing, less than nothing, or twice; or does not say why."""
    if not counts:
        raise BadInputError("The stocktake counts nothing: name at least one article.")
    if not 1 <= len(reason.strip()) <= limits.REASON_CHARS_MAX:
        raise BadInputError(f"A stocktake needs a reason of 1 to {limits.REASON_CHARS_MAX} characters: say why it was counted.")
    if len({count.variant_id for count in counts}) < len(counts):
        raise BadInputError("The stocktake counts an article twice: add the counts up.")
    for count in counts:
        if not 0 <= count.counted <= limits.QUANTITY_MAX:
            raise BadInputError(
                f"A count of {count.counted} of {count.sku} cannot be: 0 to {limits.QUANTITY_MAX}.", sku=count.sku
            )


def differences(counts: Sequence[Count], levels: Sequence[Level], to_send: Mapping[UUID, int], warehouse: str) -> list[Change]:
    """Return how levels change so that the shelf holds what was counted.

    On the shelf lies what can be sold, what checkouts hold, and what is sold and has not left: the last two cannot be missing.
    """
    by_variant = {level.variant_id: level for level in levels}
    changes = []
    for count in counts:
        level = by_variant[count.variant_id]
        bound = level.reserved + to_send.get(count.variant_id, 0)
        if count.counted < bound:
            raise StockReservedError(count.sku, counted=count.counted, reserved=bound)
        changes.append(Change(variant_id=count.variant_id, warehouse=warehouse, delta=count.counted - bound - level.available))
    return changes


def transfer(lines: Sequence[Change], to: str, kinds: Mapping[str, str]) -> list[Change]:
    """Return the changes that bring pieces from one warehouse to another; promises cannot be carried anywhere."""
    for warehouse in {*(line.warehouse for line in lines), to}:
        if kinds.get(warehouse) not in SHELVES:
            known = ", ".join(code for code, kind in kinds.items() if kind in SHELVES)
            raise BadInputError(f"Nothing can be carried from or to {warehouse!r}: use one of {known}.", warehouse=warehouse)
    if any(line.warehouse == to for line in lines):
        raise BadInputError(f"The pieces are in {to} already: name two different warehouses.", warehouse=to)
    check_receipts(lines)
    out = [Change(variant_id=line.variant_id, warehouse=line.warehouse, delta=-line.delta) for line in lines]
    return out + [Change(variant_id=line.variant_id, warehouse=to, delta=line.delta) for line in lines]


class Watched(Struct, frozen=True):
    """A variant as a whole: what can be sold of it now, its threshold (None: nobody asked), and whether it was told as low."""

    variant_id: UUID
    sku: str
    available: int
    threshold: int | None
    low: bool
    version: int


def crossed(watched: Sequence[Watched]) -> list[Watched]:
    """Return those that have crossed their threshold since they were told of last, as they are now."""
    now = [(one, one.threshold is not None and one.available <= one.threshold) for one in watched]
    return [
        Watched(one.variant_id, one.sku, one.available, one.threshold, low, one.version + 1)
        for one, low in now
        if low != one.low
    ]


def told(one: Watched) -> tuple[str, StockWatched]:
    """Return the kind of event that tells of a crossing, and its body."""
    body = StockWatched(variant_id=one.variant_id, sku=one.sku, available=one.available, threshold=one.threshold or 0)
    return STOCK_LOW if one.low else STOCK_RECOVERED, body


def check_threshold(pieces: int) -> None:
    """Refuse a threshold that no count can cross."""
    if not 0 <= pieces <= limits.QUANTITY_MAX:
        raise BadInputError(f"A threshold of {pieces} pieces cannot be: 0 to {limits.QUANTITY_MAX}.", pieces=pieces)


def unknown_warehouse(sums: Mapping[tuple[UUID, str], int], told: str | None) -> BadInputError:
    """Return the refusal of a warehouse that PostgreSQL says (``told``) is not there."""
    named = sorted({warehouse for _, warehouse in sums})
    unknown = next((one for one in named if told and f", {one})" in told), ", ".join(named))
    return BadInputError(f"There is no warehouse {unknown!r} in this cell: make it first.", warehouse=unknown)


def check_known(warehouse: str, kinds: Mapping[str, str]) -> None:
    """Refuse to count where nothing can lie."""
    if kinds.get(warehouse) not in SHELVES:
        known = ", ".join(code for code, kind in kinds.items() if kind in SHELVES)
        raise BadInputError(f"There is no warehouse {warehouse!r} whose shelves can be counted: {known}.", warehouse=warehouse)
