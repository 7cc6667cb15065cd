"""Where people's rows may lie: a person's region decides which cells may hold them. The database refuses the rest as well."""

from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.regions import LIVES_IN, region_of, taken_in
from entrepot.commerce.people import store
from entrepot.record.transaction import Transaction


class Residence(Struct, frozen=True):
    """In which region a cell is, and people of which regions it may hold."""

    region: str
    takes: list[str]


class RegionElsewhereError(ConflictError):
    """What belongs to people of this region may not lie in this cell."""

    slug = "region-elsewhere"

    def __init__(self, region: str, here: str) -> None:
        places = ", ".join(sorted(LIVES_IN[region]))
        super().__init__(
            f"What belongs to people of the region {region} may lie in {places}, and this cell is in {here}: "
            "use the shop of your own region.",
            region=region,
            here=here,
        )


class PeopleElsewhereError(ConflictError):
    """A cell that holds people of a region is not to be in one where they may not be."""

    slug = "people-elsewhere"

    def __init__(self, region: str, count: int) -> None:
        super().__init__(
            f"{count} people of this cell may not be kept in the region {region}: move them first, or leave ENTREPOT_REGION.",
            region=region,
        )


def region_for(told: str, country: str, kept: str) -> str:
    """Return somebody's region: what they say, else what it was, else their country's."""
    check_region(told)
    return told or kept or region_of(country)


def check_region(region: str) -> None:
    """Refuse what is no region."""
    if region and region not in LIVES_IN:
        raise BadInputError(f"{region[:40]!r} is no region: give one of {', '.join(sorted(LIVES_IN))}.", field="region")


def check(region: str, residence: Residence | None) -> None:
    """Refuse a region whose people this cell may not hold; a cell without a region holds everybody."""
    if region and residence is not None and region not in residence.takes:
        raise RegionElsewhereError(region, residence.region)


async def move(tx: Transaction, person_id: UUID, kept: str, region: str) -> None:
    """Set somebody's region, if it is another and this cell may hold them."""
    if region != kept:
        found = await store.residence(tx.connection, tx.cell)
        check(region, Residence(*found) if found else None)
        await store.set_region(tx.connection, person_id, region)


async def settle(tx: Transaction, region: str) -> None:
    """Say in which region this cell is (none: it holds everybody); refused when it holds people who may not be there."""
    check_region(region)
    takes = taken_in(region)
    count = await store.count_elsewhere(tx.connection, tx.cell, takes) if region else 0
    if count:
        raise PeopleElsewhereError(region, count)
    await store.set_residence(tx.connection, tx.cell, region, takes)
