"""A person's region decides where their rows may lie: what a cell may not hold is refused, by the code and by the database."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from entrepot.base.errors import BadInputError
from entrepot.base.regions import region_of, taken_in
from entrepot.commerce.people import commands, query, residence
from entrepot.commerce.people.residence import PeopleElsewhereError, RegionElsewhereError
from entrepot.commerce.people.rules import AddressDraft, ProfileDraft
from entrepot.record.transaction import Record
from entrepot.sealing.sealing import Sealing
from tests.trade import CELL

NOW = datetime.now(UTC)


async def somebody(record: Record, sealing: Sealing) -> UUID:
    async with record.transaction(CELL) as tx:
        return await commands.add_person(tx, sealing, "rosa@example.com", [], NOW)


async def settle(record: Record, region: str) -> None:
    async with record.transaction(CELL) as tx:
        await residence.settle(tx, region)


async def says(record: Record, sealing: Sealing, person_id: UUID, region: str, country: str = "") -> str:
    """Let somebody tell their region, in a market of this country; returns which they have."""
    async with record.transaction(CELL) as tx:
        await commands.save_profile(tx, sealing, person_id, ProfileDraft(name="Rosa", region=region), country)
    async with record.reading() as connection:
        found = await query.profile(connection, sealing, person_id)
    assert found is not None
    return found.region


async def lives(record: Record, sealing: Sealing, person_id: UUID, country: str) -> None:
    """Let somebody save an address in a country."""
    async with record.transaction(CELL) as tx:
        draft = AddressDraft(name="Rosa", lines=["1 Rose Street"], city="Lyon", country=country)
        await commands.save_address(tx, sealing, person_id, None, draft, NOW)


def test_regions_are_of_countries_and_each_may_live_at_home() -> None:
    assert [region_of(country) for country in ("FR", "GB", "CN", "BR", "")] == ["eu", "uk", "cn", "world", ""]
    assert taken_in("eu") == ["ch", "eu", "uk", "us", "world"]
    assert taken_in("us") == ["us", "world"]


async def test_a_region_is_their_market_s_until_they_say_another(record: Record, sealing: Sealing) -> None:
    person_id = await somebody(record, sealing)
    assert await says(record, sealing, person_id, "", "FR") == "eu"
    assert await says(record, sealing, person_id, "", "GB") == "eu"
    assert await says(record, sealing, person_id, "ch") == "ch"
    with pytest.raises(BadInputError, match="no region"):
        await says(record, sealing, person_id, "atlantis")


async def test_a_cell_refuses_people_whose_region_it_may_not_hold(record: Record, sealing: Sealing) -> None:
    await settle(record, "us")
    person_id = await somebody(record, sealing)
    with pytest.raises(RegionElsewhereError, match="may lie in ch, eu, uk, and this cell is in us"):
        await says(record, sealing, person_id, "eu")
    with pytest.raises(RegionElsewhereError):
        await lives(record, sealing, person_id, "FR")
    await lives(record, sealing, person_id, "BR")
    assert await says(record, sealing, person_id, "") == "world"


async def test_the_database_refuses_what_forgets_to_ask(record: Record, sealing: Sealing) -> None:
    await settle(record, "us")
    person_id = await somebody(record, sealing)
    async with record.committing() as connection:
        with pytest.raises(asyncpg.CheckViolationError, match="people of eu may not lie in cell 1"):
            await connection.execute("UPDATE identity.person SET region = 'eu' WHERE id = $1", person_id)


async def test_a_cell_is_not_moved_to_where_its_people_may_not_be(record: Record, sealing: Sealing) -> None:
    person_id = await somebody(record, sealing)
    await says(record, sealing, person_id, "eu")
    with pytest.raises(PeopleElsewhereError, match="1 people"):
        await settle(record, "us")
    await settle(record, "uk")
    await settle(record, "")
    assert await says(record, sealing, person_id, "cn") == "cn"
