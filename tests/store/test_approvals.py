"""What takes two people, on PostgreSQL: held beyond its limit, decided by another, used once, or over."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from msgspec import structs

from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.ids import IdSource
from entrepot.base.limits import APPROVAL_DAYS
from entrepot.base.principal import Membership
from entrepot.base.time import FixedClock, SystemClock
from entrepot.commerce.approval import commands, store
from entrepot.commerce.approval.migrating import migrate_with_word
from entrepot.commerce.approval.production import InProductionError, refuse_at
from entrepot.commerce.approval.rules import (
    Approval,
    ApprovalNeededError,
    Deed,
    Limit,
    OwnApprovalError,
    change_permille,
    known_kind,
)
from entrepot.commerce.checkout.offering import withdraw_product
from entrepot.commerce.people import rules as people
from entrepot.commerce.pricing.commands import save_price_list, set_list_prices, set_prices
from entrepot.commerce.pricing.events import PriceListSaved, Tier
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.jobs.approvals import expire_over
from entrepot.record.migrate import FOLDER
from entrepot.record.transaction import Record
from tests.trade import CELL, open_shop

IDS = IdSource()
ANN, BEN = IDS.fresh(), IDS.fresh()
AS_ANN = f"person/{ANN}"
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
LARGE = Deed(kind="refund", about="payment/1", scope="EUR", amount=600_00, what="A refund of 600.00 EUR of payment 1")


async def limited(record: Record, above: int | None = 500_00) -> None:
    """Let refunds of more than this in euros take two people."""
    async with record.transaction(CELL) as tx:
        await commands.set_limit(tx, Limit(kind="refund", scope="EUR", above=above))


async def asked(record: Record, by: UUID | None = ANN) -> UUID:
    async with record.transaction(CELL, AS_ANN) as tx:
        return (await commands.ask(tx, LARGE, by)).id


async def decided(record: Record, by: UUID = BEN) -> UUID:
    id_ = await asked(record)
    async with record.transaction(CELL, f"person/{by}") as tx:
        await commands.decide(tx, id_, "approved", by)
    return id_


async def do(record: Record, actor: str = AS_ANN) -> None:
    async with record.transaction(CELL, actor) as tx:
        await commands.need(tx, LARGE)


async def stands(record: Record, id_: UUID) -> Approval:
    async with record.reading() as connection:
        found = await store.approval(connection, CELL, id_)
    assert found
    return found


async def test_without_a_limit_one_person_is_enough(record: Record) -> None:
    await do(record)


async def test_beyond_its_limit_a_deed_is_held_and_the_house_itself_is_not(record: Record) -> None:
    await limited(record)
    with pytest.raises(ApprovalNeededError):
        await do(record)
    await do(record, "job/anything")


async def test_an_approved_deed_is_done_once_and_then_asks_anew(record: Record) -> None:
    await limited(record)
    id_ = await decided(record)
    await do(record)
    assert (await stands(record, id_)).state == "applied"
    with pytest.raises(ApprovalNeededError):
        await do(record)


async def test_of_two_who_use_an_approval_at_once_one_is_let_through(record: Record) -> None:
    await limited(record)
    await decided(record)
    answers = await asyncio.gather(*(do(record) for _ in range(4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in answers) == ["ApprovalNeededError"] * 3 + ["NoneType"]


async def test_nobody_approves_what_they_asked_for(record: Record) -> None:
    id_ = await asked(record)
    with pytest.raises(OwnApprovalError):
        async with record.transaction(CELL, AS_ANN) as tx:
            await commands.decide(tx, id_, "approved", ANN)


async def test_the_database_refuses_it_too_whoever_writes(record: Record) -> None:
    id_ = await asked(record)
    with pytest.raises(asyncpg.CheckViolationError, match="nobody_approves_what_they_asked_for"):
        async with record.transaction(CELL) as tx:
            await tx.connection.execute(
                "UPDATE approval.request SET state = 'approved', decided_by = asked_by, decided_at = now() WHERE id = $1", id_
            )


async def test_an_approval_is_for_the_very_deed_that_was_asked_for(record: Record) -> None:
    await limited(record)
    await decided(record)
    other = Deed(kind="refund", about="payment/1", scope="EUR", amount=900_00, what="A refund of 900.00 EUR of payment 1")
    with pytest.raises(ApprovalNeededError):
        async with record.transaction(CELL, AS_ANN) as tx:
            await commands.need(tx, other)


async def test_a_deed_that_fails_after_it_was_let_through_leaves_its_approval_unused(record: Record) -> None:
    await limited(record)
    id_ = await decided(record)

    async def fail() -> None:
        async with record.transaction(CELL, AS_ANN) as tx:
            await commands.need(tx, LARGE)
            raise ConflictError("no")

    with pytest.raises(ConflictError, match="no"):
        await fail()
    assert (await stands(record, id_)).state == "approved"


async def test_asking_twice_waits_once(record: Record) -> None:
    assert len(set(await asyncio.gather(*(asked(record) for _ in range(4))))) == 1


async def test_what_nobody_uses_in_time_is_over(record: Record) -> None:
    await limited(record)
    id_ = await decided(record)
    late = FixedClock(SystemClock().millis() + (APPROVAL_DAYS + 1) * 86_400_000)
    assert await expire_over(record, CELL, late) == 1
    assert (await stands(record, id_)).state == "expired"
    with pytest.raises(ApprovalNeededError):
        await do(record)


async def test_to_let_more_through_takes_two_people_and_to_let_less_through_one(record: Record) -> None:
    await limited(record)
    async with record.transaction(CELL, AS_ANN) as tx:
        await commands.set_limit(tx, Limit(kind="refund", scope="EUR", above=100_00))
    for looser in (200_00, None):
        with pytest.raises(ApprovalNeededError):
            async with record.transaction(CELL, AS_ANN) as tx:
                await commands.set_limit(tx, Limit(kind="refund", scope="EUR", above=looser))


async def test_a_price_that_changes_by_more_than_its_market_allows_is_held(record: Record) -> None:
    variant = (await open_shop(record, {"MUG": 0}, price_minor=1_000))["MUG"]
    async with record.transaction(CELL) as tx:
        await commands.set_limit(tx, Limit(kind="price", scope="uk", above=200))
        product: UUID = await tx.connection.fetchval("SELECT product_id FROM pricing.price")

    async def price(amount_minor: int) -> None:
        one = PriceDraft(product_id=product, variant_id=variant, market="uk", currency="GBP", amount_minor=amount_minor)
        async with record.transaction(CELL, AS_ANN) as tx:
            await set_prices(tx, [one])

    await price(800)
    with pytest.raises(ApprovalNeededError, match="from 800 to 80 GBP"):
        await price(80)


def test_a_role_is_asked_for_by_its_name_and_for_whom() -> None:
    deed = people.granting(BEN, Membership("finance"))
    assert (deed.kind, deed.scope, deed.what) == ("role", "finance", f"To give finance to {BEN}")


async def first_price(record: Record, amount_minor: int) -> None:
    """Set the first price of a product that never had one."""
    one = PriceDraft(product_id=IDS.fresh(), variant_id=IDS.fresh(), market="uk", currency="GBP", amount_minor=amount_minor)
    async with record.transaction(CELL, AS_ANN) as tx:
        await set_prices(tx, [one])


@pytest.mark.parametrize(("above", "passes", "held"), [(1_000, 1_000, 1_001), (1_000, 0, 5_000), (0, None, 0)])
async def test_the_very_first_price_of_a_product_is_held_beyond_a_limit_of_its_own(
    record: Record, above: int, passes: int | None, held: int
) -> None:
    await open_shop(record, {"MUG": 0}, price_minor=1_000)
    async with record.transaction(CELL) as tx:
        await commands.set_limit(tx, Limit(kind="first_price", scope="uk", above=above))
    if passes is not None:
        await first_price(record, passes)
    with pytest.raises(ApprovalNeededError, match=f"To set first prices in uk .* to {held} GBP"):
        await first_price(record, held)


async def test_a_first_price_of_what_was_sold_before_is_held_and_that_of_something_new_is_not(record: Record) -> None:
    variant = (await open_shop(record, {"MUG": 0}, price_minor=1_000))["MUG"]
    async with record.transaction(CELL) as tx:
        await commands.set_limit(tx, Limit(kind="price", scope="uk", above=200))
        product: UUID = await tx.connection.fetchval("SELECT product_id FROM pricing.price")
    one = PriceDraft(product_id=product, variant_id=variant, market="uk", currency="GBP", amount_minor=0)
    async with record.transaction(CELL, AS_ANN) as tx:
        await set_prices(tx, [structs.replace(one, product_id=IDS.fresh(), variant_id=IDS.fresh())])
        await withdraw_product(tx, product)
    with pytest.raises(ApprovalNeededError, match=f"{variant} to 0 GBP"):
        async with record.transaction(CELL, AS_ANN) as tx:
            await set_prices(tx, [one])


async def test_a_list_whose_prices_depart_too_far_is_held_when_it_is_to_hold_for_others(record: Record) -> None:
    variant = (await open_shop(record, {"MUG": 0}, price_minor=1_000))["MUG"]
    vip = PriceListSaved(code="vip", title="V", market="uk", currency="GBP", rank=1, valid_from=BEGINNING, customer_group="vip")
    async with record.transaction(CELL) as tx:
        await commands.set_limit(tx, Limit(kind="price", scope="uk", above=200))
        await save_price_list(tx, vip)
        await set_list_prices(tx, "vip", {variant: [Tier(from_quantity=1, amount_minor=100)]})
    async with record.transaction(CELL, AS_ANN) as tx:
        await save_price_list(tx, structs.replace(vip, title="Very important"))
        await save_price_list(tx, structs.replace(vip, active=False))
    with pytest.raises(ApprovalNeededError, match="the list vip hold anew"):
        async with record.transaction(CELL, AS_ANN) as tx:
            await save_price_list(tx, structs.replace(vip, customer_group=""))


@pytest.mark.parametrize(
    ("before", "after", "permille"), [(None, 0, 1_000), (None, 5, 5_000), (1_000, 0, 1_000), (0, 5, 5_000)]
)
def test_a_first_price_counts_as_one_that_becomes_nothing_or_comes_from_nothing(before: int, after: int, permille: int) -> None:
    assert change_permille(before, after) == permille


async def test_a_record_in_production_changes_its_schema_once_somebody_else_has_said_yes(
    record: Record, migrated_url: str, tmp_path: Path
) -> None:
    folder = with_one_more(tmp_path, "CREATE TABLE public.more (id bigint PRIMARY KEY);")
    async with record.transaction(CELL) as tx:
        await commands.set_limit(tx, Limit(kind="migration", scope="record", above=0))
    assert await migrate_with_word(record, CELL, migrated_url) == []  # nothing is missing: nobody is asked
    with pytest.raises(ApprovalNeededError, match="9999_pre_more") as needed:
        await migrate_with_word(record, CELL, migrated_url, folder)
    assert needed.value.facts["approval_id"]
    async with record.transaction(CELL, f"person/{BEN}") as tx:
        await commands.decide(tx, UUID(str(needed.value.facts["approval_id"])), "approved", BEN)
    other = with_one_more(tmp_path / "other", "DROP TABLE ordering.orders;")
    with pytest.raises(ApprovalNeededError):
        await migrate_with_word(record, CELL, migrated_url, other)
    assert await migrate_with_word(record, CELL, migrated_url, folder) == ["9999_pre_more"]


async def test_what_is_for_trying_things_out_is_refused_in_production(record: Record, migrated_url: str) -> None:
    await refuse_at(migrated_url, "bench")
    async with record.transaction(CELL) as tx:
        await commands.set_limit(tx, Limit(kind="migration", scope="record", above=0))
    with pytest.raises(InProductionError, match="in production, where there is no bench"):
        await refuse_at(migrated_url, "bench")


async def test_a_change_of_the_schema_that_was_refused_says_why_and_changes_nothing(
    record: Record, migrated_url: str, tmp_path: Path
) -> None:
    folder = with_one_more(tmp_path, "DROP TABLE ordering.orders;")
    async with record.transaction(CELL) as tx:
        await commands.set_limit(tx, Limit(kind="migration", scope="record", above=0))
    with pytest.raises(ApprovalNeededError) as needed:
        await migrate_with_word(record, CELL, migrated_url, folder)
    async with record.transaction(CELL, f"person/{BEN}") as tx:
        await commands.decide(tx, UUID(str(needed.value.facts["approval_id"])), "refused", BEN, "No orders left?")
    with pytest.raises(ConflictError, match="No orders left"):
        await migrate_with_word(record, CELL, migrated_url, folder)


async def test_a_limit_on_migrations_is_of_the_record_and_of_nothing_else(record: Record) -> None:
    for kind, scope in (("migration", "uk"), ("refund", "record")):
        with pytest.raises(BadInputError, match="The scope"):
            async with record.transaction(CELL) as tx:
                await commands.set_limit(tx, Limit(kind=known_kind(kind), scope=scope, above=0))


def with_one_more(folder: Path, statement: str) -> Path:
    """Return a folder of all migrations, and one that is not applied yet."""
    shutil.copytree(FOLDER, folder / "migrations")
    (folder / "migrations" / "9999_pre_more.sql").write_text(f"-- One more.\n-- transactional: true\n\n{statement}\n")
    return folder / "migrations"
