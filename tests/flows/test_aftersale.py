"""After the order, with the real sandbox gateway and a real PostgreSQL: what is shipped, cancelled, returned, and its money."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from msgspec import Struct

from entrepot.base.errors import ConflictError, NotFoundError, PiecesRefusedError
from entrepot.base.time import SystemClock
from entrepot.commerce.aftersale import commands, planning, returning
from entrepot.commerce.aftersale.events import Reason
from entrepot.commerce.aftersale.requests import Cancellation, Inspected, LinePieces, Moved, ReturnWish
from entrepot.commerce.catalog.commands import set_selling_terms
from entrepot.commerce.catalog.rules import SellingTerms
from entrepot.commerce.checkout.held import CheckoutRequest, PaymentChoice
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.checkout.seed import furnish
from entrepot.commerce.fulfilment import store as shipments
from entrepot.commerce.fulfilment.rules import Shipment
from entrepot.commerce.ordering import store as orders
from entrepot.commerce.payment.events import PAYMENT_CAPTURED
from entrepot.commerce.payment.operations import finish_operations, void
from entrepot.commerce.payment.rules import RefundExceedsCapturedError
from entrepot.jobs.reaction import Reaction
from entrepot.partners.payment.port import GatewayPayment
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.tax.regional import RegionalTax
from entrepot.record.transaction import Record
from tests.following import until_reacted
from tests.house import READY_SECONDS
from tests.till import BUYER, used
from tests.trade import CELL, ledger, left, open_shop

REACTION = Reaction(
    name="unused", kinds=frozenset({PAYMENT_CAPTURED}), react=commands.give_up_unused, from_start=True
)  # fmt: skip


class Shop(Struct, frozen=True):
    """A shop with a gateway: orders are placed by its saga, and what follows is asked for in the same words as over HTTP."""

    checkouts: Checkouts
    gateway: SandboxGateway
    record: Record

    async def buy(
        self, wanted: dict[str, int], key: str = "buy", coupons: tuple[str, ...] = (), *, planned: bool = True
    ) -> UUID:
        lines = [WantedLine(sku=sku, quantity=pieces) for sku, pieces in wanted.items()]
        request = CheckoutRequest(
            quote=QuoteRequest(market="uk", country="GB", lines=lines, coupons=list(coupons)),
            payment=PaymentChoice(kind="card", token="tok_ok"),  # noqa: S106  # a test card's
            contact=BUYER,
        )
        answer = await self.checkouts.begin(key, request)
        assert answer.order_id is not None
        if planned:
            await self.plan(answer.order_id)
        return answer.order_id

    async def plan(self, order_id: UUID) -> None:
        async with self.record.transaction(CELL) as tx:
            await planning.plan_shipments(tx, [order_id])

    async def shipments(self, order_id: UUID) -> list[Shipment]:
        async with self.record.reading() as connection:
            return await shipments.of_order(connection, CELL, order_id)

    async def ship(self, order_id: UUID) -> None:
        """Send what is planned of an order, and let it arrive."""
        for shipment in await self.shipments(order_id):
            async with self.record.transaction(CELL) as tx:
                await commands.ship(tx, shipment.id, "own", "T1")
            async with self.record.transaction(CELL) as tx:
                await commands.deliver(tx, shipment.id)
        await self.settle()

    async def cancel(self, order_id: UUID, *pieces: tuple[int, int]) -> Moved:
        lines = [LinePieces(line=line, quantity=count) for line, count in pieces] or None
        async with self.record.transaction(CELL) as tx:
            moved = await commands.cancel(tx, order_id, Cancellation(reason="changed my mind", lines=lines))
        await self.settle()
        return moved

    async def take_back(self, order_id: UUID, line: int, pieces: int, reason: Reason = "changed_mind") -> UUID:
        """Bring a return as far as inspection: every piece can be sold again."""
        wish = ReturnWish(reason=reason, lines=[LinePieces(line=line, quantity=pieces)])
        async with self.record.transaction(CELL) as tx:
            case = await returning.request_return(tx, order_id, wish)
        async with self.record.transaction(CELL) as tx:
            await returning.receive_return(tx, case.id, wish.lines)
        async with self.record.transaction(CELL) as tx:
            await returning.inspect_return(tx, case.id, [Inspected(line=line, restock=pieces)])
        return case.id

    async def refund(self, case_id: UUID) -> Moved:
        async with self.record.transaction(CELL) as tx:
            moved = await returning.refund_return(tx, case_id)
        await self.settle()
        return moved

    async def settle(self) -> None:
        """Let the job ask the gateway for all that was noted, and the reaction see to what is left of the promise."""
        await finish_operations(self.record, self.gateway, CELL, patience_seconds=0)
        await until_reacted(self.record, REACTION)
        await finish_operations(self.record, self.gateway, CELL, patience_seconds=0)

    async def paid(self, order_id: UUID) -> GatewayPayment:
        payment = await self.gateway.find(order_id)
        assert payment is not None
        return payment

    async def state(self, order_id: UUID) -> str:
        async with self.record.reading() as connection:
            order = await orders.order(connection, CELL, order_id)
        assert order is not None
        return order.state


@pytest.fixture
async def shop(record: Record, gateway_url: str) -> AsyncIterator[Shop]:
    await open_shop(record, {"tea": 100, "cup": 10}, price_minor=333)
    async with record.transaction(CELL) as tx:
        await furnish(tx, "uk", country="GB")
    gateway = SandboxGateway(gateway_url, seconds=1.0)
    checkouts = Checkouts(record, CELL, gateway, Quoting(RegionalTax(), SystemClock()))
    yield Shop(checkouts, gateway, record)
    await checkouts.close()
    await gateway.close()


async def owed(shop: Shop) -> int:
    """Return what customers owe, once the ledger was seen to sum to zero."""
    balances = await ledger(shop.record)
    assert sum(balances.values()) == 0
    return balances.get("receivable", 0)


async def until_somebody_waits(record: Record) -> None:
    """Wait until a statement in the record's database waits for a lock."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(READY_SECONDS), record.committing() as connection:
        while True:
            if await connection.fetchval(waits):
                return
            await asyncio.sleep(0.02)


async def test_an_order_that_two_plan_at_once_is_planned_once(shop: Shop) -> None:
    order_id = await shop.buy({"tea": 1}, planned=False)
    async with shop.record.transaction(CELL) as tx:
        await planning.plan_shipments(tx, [order_id])
        second = asyncio.create_task(shop.plan(order_id))
        await until_somebody_waits(shop.record)
    await second
    assert len(await shop.shipments(order_id)) == 1


async def test_what_is_shipped_is_captured_and_the_order_arrives(shop: Shop) -> None:
    order_id = await shop.buy({"tea": 2, "cup": 1})
    assert [(one.state, one.warehouse, len(one.lines)) for one in await shop.shipments(order_id)] == [("planned", "main", 2)]
    await shop.ship(order_id)
    paid = await shop.paid(order_id)
    assert (paid.state, paid.captured_minor) == ("captured", paid.authorized_minor)
    assert (await shop.state(order_id), await owed(shop)) == ("delivered", 0)


async def test_pieces_whose_payment_was_given_up_are_not_sent_and_nothing_has_left(shop: Shop) -> None:
    order_id = await shop.buy({"tea": 2})
    await void(shop.record, shop.gateway, CELL, "v", order_id)
    with pytest.raises(ConflictError, match="cannot be taken any more"):
        await shop.ship(order_id)
    assert [one.state for one in await shop.shipments(order_id)] == ["planned"]
    await shop.cancel(order_id)
    assert (await shop.state(order_id), await left(shop.record, "tea"), await owed(shop)) == ("cancelled", 100, 0)


async def test_a_cancelled_order_gives_back_stock_and_promise(shop: Shop) -> None:
    order_id = await shop.buy({"tea": 2, "cup": 1})
    await shop.cancel(order_id)
    assert (await left(shop.record, "tea"), await left(shop.record, "cup")) == (100, 10)
    assert ((await shop.paid(order_id)).state, await owed(shop)) == ("voided", 0)
    assert [one.state for one in await shop.shipments(order_id)] == ["cancelled"]
    assert await shop.state(order_id) == "cancelled"


async def test_pieces_that_were_cancelled_are_neither_shipped_nor_captured(shop: Shop) -> None:
    order_id = await shop.buy({"tea": 3, "cup": 1})
    authorized = (await shop.paid(order_id)).authorized_minor
    await shop.cancel(order_id, (1, 2))
    await shop.ship(order_id)
    paid = await shop.paid(order_id)
    assert (paid.captured_minor, paid.voided_minor) == (authorized - 666, 666)
    assert (await left(shop.record, "tea"), await owed(shop)) == (99, 0)


async def test_what_has_left_cannot_be_cancelled(shop: Shop) -> None:
    order_id = await shop.buy({"tea": 1})
    await shop.ship(order_id)
    with pytest.raises(ConflictError, match="delivered and cannot become cancelled"):
        await shop.cancel(order_id)
    with pytest.raises(PiecesRefusedError, match="1 of tea cannot be cancelled: 0 of it"):
        await shop.cancel(order_id, (1, 1))


async def test_what_came_back_is_refunded_with_its_postage_when_it_was_all(shop: Shop) -> None:
    order_id = await shop.buy({"tea": 3})
    await shop.ship(order_id)
    first = await shop.refund(await shop.take_back(order_id, 1, 1))
    assert first.amount_minor == 333
    await shop.refund(await shop.take_back(order_id, 1, 2))
    paid = await shop.paid(order_id)
    assert (paid.state, paid.refunded_minor) == ("refunded", paid.captured_minor)
    assert (await left(shop.record, "tea"), await owed(shop)) == (100, 0)


async def test_more_than_is_out_cannot_be_sent_back(shop: Shop) -> None:
    order_id = await shop.buy({"tea": 2})
    await shop.ship(order_id)
    await shop.take_back(order_id, 1, 1)
    with pytest.raises(PiecesRefusedError, match="2 of tea cannot be sent back: 1 of it are out"):
        await shop.take_back(order_id, 1, 2)


async def test_a_goodwill_is_never_more_than_was_captured_and_lessens_a_later_return(shop: Shop) -> None:
    order_id = await shop.buy({"tea": 1})
    await shop.ship(order_id)
    captured = (await shop.paid(order_id)).captured_minor
    with pytest.raises(RefundExceedsCapturedError):
        async with shop.record.transaction(CELL) as tx:
            await commands.refund(tx, order_id, captured + 1, "sorry")
    async with shop.record.transaction(CELL) as tx:
        await commands.refund(tx, order_id, 100, "sorry")
    await shop.settle()
    assert (await shop.refund(await shop.take_back(order_id, 1, 1))).amount_minor == captured - 100
    assert await owed(shop) == 0


async def test_a_lost_shipment_can_be_refunded_without_anything_coming_back(shop: Shop) -> None:
    order_id = await shop.buy({"tea": 2})
    [shipment] = await shop.shipments(order_id)
    async with shop.record.transaction(CELL) as tx:
        await commands.ship(tx, shipment.id, "own", "")
    await shop.settle()
    async with shop.record.transaction(CELL) as tx:
        case = await commands.lose(tx, shipment.id)
    await shop.refund(case.id)
    paid = await shop.paid(order_id)
    assert (paid.refunded_minor, await left(shop.record, "tea"), await owed(shop)) == (paid.captured_minor, 98, 0)


async def test_a_cancelled_order_gives_its_coupon_back(shop: Shop) -> None:
    order_id = await shop.buy({"tea": 2}, coupons=("LIMITED",))
    assert await used(shop.record, "coupon/LIMITED") == 1
    await shop.cancel(order_id)
    assert await used(shop.record, "coupon/LIMITED") == 0


async def test_of_many_who_send_one_shipment_one_does_and_its_money_is_taken_once(shop: Shop) -> None:
    order_id = await shop.buy({"tea": 2})
    [shipment] = await shop.shipments(order_id)

    async def ship() -> str:
        async with shop.record.transaction(CELL) as tx:
            return (await commands.ship(tx, shipment.id, "own", "")).state

    answers = await asyncio.gather(*(ship() for _ in range(8)), return_exceptions=True)
    await shop.settle()
    assert sum(answer == "shipped" for answer in answers) == 1
    assert all(answer == "shipped" or isinstance(answer, ConflictError) for answer in answers)
    paid = await shop.paid(order_id)
    assert paid.captured_minor == paid.authorized_minor


async def test_what_needs_no_parcel_is_handed_over_and_captured_at_once(shop: Shop) -> None:
    async with shop.record.transaction(CELL) as tx:
        await set_selling_terms(tx, [SellingTerms(sku="cup", delivery="service")])
    order_id = await shop.buy({"tea": 1, "cup": 1})
    await shop.settle()
    assert ([len(one.lines) for one in await shop.shipments(order_id)], await shop.state(order_id)) == ([1], "part_shipped")
    assert (await shop.paid(order_id)).state == "part_captured"
    await shop.ship(order_id)
    assert ((await shop.paid(order_id)).state, await shop.state(order_id)) == ("captured", "delivered")


async def test_what_is_not_known_is_told_so(shop: Shop) -> None:
    nobody = UUID("01a20461-e57f-751a-8980-e82f16d498f2")
    for act in (commands.deliver, returning.refund_return, returning.reject_return):
        with pytest.raises(NotFoundError, match=str(nobody)):
            async with shop.record.transaction(CELL) as tx:
                await act(tx, nobody)
