"""What takes two people, on PostgreSQL: held beyond its limit, decided by another, used once, or over."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from entrepot.base.errors import ConflictError
from entrepot.base.ids import IdSource
from entrepot.base.limits import APPROVAL_DAYS
from entrepot.base.principal import Membership
from entrepot.base.time import FixedClock, SystemClock
from entrepot.commerce.approval import commands, store
from entrepot.commerce.approval.rules import Approval, ApprovalNeededError, Deed, Limit, OwnApprovalError
from entrepot.commerce.people import rules as people
from entrepot.commerce.pricing.commands import set_prices
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.jobs.approvals import expire_over
from entrepot.record.transaction import Record
from tests.trade import CELL, open_shop

IDS = IdSource()
ANN, BEN = IDS.fresh(), IDS.fresh()
AS_ANN = f"person/{ANN}"
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
