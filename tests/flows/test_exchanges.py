"""Exchanges, with the real sandbox gateway and a real PostgreSQL: other goods, and the difference in money, tax and ledger."""

from uuid import UUID, uuid4

import pytest
from msgspec import structs

from entrepot.base.errors import BadInputError, ConflictError
from entrepot.commerce.aftersale import exchange
from entrepot.commerce.aftersale.planning import plan_shipments
from entrepot.commerce.aftersale.requests import Moved
from entrepot.commerce.approval import commands as approvals
from entrepot.commerce.approval.rules import ApprovalNeededError, Limit
from entrepot.commerce.business.commands import save_company
from entrepot.commerce.business.rules import CompanyDraft
from entrepot.commerce.cart.state import Address
from entrepot.commerce.catalog.query import variants
from entrepot.commerce.checkout.held import CheckoutRequest, PaymentChoice
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.checkout.saga_rules import PaymentDeclinedError
from entrepot.commerce.checkout.seed import furnish
from entrepot.commerce.ordering import store as orders
from entrepot.commerce.ordering.events import ORDER_PLACED
from entrepot.commerce.pricing.commands import set_prices
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.jobs.reaction import Reaction
from tests.flows.test_aftersale import Shop, owed, shop
from tests.following import until_reacted
from tests.till import BUYER
from tests.trade import CELL, ledger, left

__all__ = ["shop"]  # the fixture

NOTHING = PaymentChoice(kind="none")
EXCHANGES = Reaction(name="exchanges", kinds=frozenset({ORDER_PLACED}), react=exchange.settle_placed, from_start=True)


def card(token: str = "tok_ok") -> PaymentChoice:  # noqa: S107  # a test card's
    return PaymentChoice(kind="card", token=token)


async def swap(shop: Shop, case: UUID, sku: str, payment: PaymentChoice = NOTHING, key: str = "swap") -> Moved:
    moved = await exchange.exchange_return(shop.record, shop.checkouts, CELL, key, case, {1: sku}, payment, "test")
    await shop.settle()
    return moved


async def came_back(shop: Shop, cup_minor: int) -> tuple[UUID, UUID]:
    """Buy two teas, send one back, and let a cup cost this much; returns the order and the return."""
    async with shop.record.transaction(CELL) as tx:
        cup = (await variants(tx.connection, ["cup"]))["cup"]
        await set_prices(
            tx, [PriceDraft(product_id=cup.product_id, variant_id=cup.variant_id, market="uk", currency="GBP",
                            amount_minor=cup_minor)]
        )  # fmt: skip
    order_id = await shop.buy({"tea": 2})
    await shop.ship(order_id)
    return order_id, await shop.take_back(order_id, 1, 1, "does_not_fit")


async def test_goods_of_the_same_price_go_out_and_no_money_moves(shop: Shop) -> None:
    order_id, case = await came_back(shop, 333)
    before = await shop.paid(order_id)
    moved = await swap(shop, case, "cup")
    assert (moved.state, moved.amount_minor, moved.operations) == ("exchanged", 0, [])
    assert (await shop.paid(order_id), await owed(shop)) == (before, 0)
    assert (await left(shop.record, "tea"), await left(shop.record, "cup")) == (99, 9)
    assert moved.exchange_order_id
    assert [one.state for one in await shop.shipments(moved.exchange_order_id)] == ["planned"]
    assert (await ledger(shop.record)).get("adjustments", 0) == 0


async def sent_instead(shop: Shop, moved: Moved) -> UUID:
    """Send what was exchanged for, and let it arrive."""
    assert moved.exchange_order_id
    await shop.ship(moved.exchange_order_id)
    return moved.exchange_order_id


async def test_the_same_article_is_sent_again_whatever_it_costs_by_now(shop: Shop) -> None:
    order_id = await shop.buy({"cup": 1})
    await shop.ship(order_id)
    case = await shop.take_back(order_id, 1, 1, "damaged")
    first = await exchange.exchange_return(shop.record, shop.checkouts, CELL, "swap", case, {}, NOTHING, "test")
    assert await exchange.exchange_return(shop.record, shop.checkouts, CELL, "swap", case, {}, NOTHING, "test") == first
    with pytest.raises(ConflictError, match="exchanged and cannot become exchanged"):
        await exchange.exchange_return(shop.record, shop.checkouts, CELL, "again", case, {}, NOTHING, "test")
    await sent_instead(shop, first)
    assert (await left(shop.record, "cup"), await owed(shop)) == (9, 0)


async def test_what_costs_more_is_paid_for_and_all_of_it_comes_back_when_it_does(shop: Shop) -> None:
    order_id, case = await came_back(shop, 1_000)
    with pytest.raises(BadInputError, match="say how it is paid"):
        await swap(shop, case, "cup")
    new_id = await sent_instead(shop, await swap(shop, case, "cup", card()))
    assert (await shop.paid(new_id)).captured_minor == 1_000 - 333
    assert await owed(shop) == 0
    back = await shop.refund(await shop.take_back(new_id, 1, 1))
    assert back.amount_minor == 1_000
    assert ((await shop.paid(new_id)).refunded_minor, (await shop.paid(order_id)).refunded_minor) == (667, 333)
    assert (await owed(shop), (await ledger(shop.record)).get("adjustments", 0)) == (0, 0)
    assert (await left(shop.record, "tea"), await left(shop.record, "cup")) == (99, 10)  # under the name of what came back


async def test_what_an_exchange_gives_back_is_held_beyond_its_limit_and_no_reaction_gets_round_it(shop: Shop) -> None:
    order_id, case = await came_back(shop, 100)
    await until_reacted(shop.record, EXCHANGES)  # its cursor begins here
    async with shop.record.transaction(CELL) as tx:
        await approvals.set_limit(tx, Limit(kind="refund", scope="GBP", above=200))
    for _ in range(2):
        with pytest.raises(ApprovalNeededError) as needed:
            await swap(shop, case, "cup")
        await until_reacted(shop.record, EXCHANGES)
    async with shop.record.transaction(CELL, "person/ann") as tx:
        asked = await approvals.ask(tx, needed.value.deed, uuid4())
    async with shop.record.transaction(CELL, "person/ben") as tx:
        await approvals.decide(tx, asked.id, "approved", uuid4())
    moved = await swap(shop, case, "cup")
    assert (moved.state, moved.amount_minor, (await shop.paid(order_id)).refunded_minor) == ("exchanged", 233, 233)


async def test_of_what_costs_less_the_rest_is_given_back_with_its_tax(shop: Shop) -> None:
    order_id, case = await came_back(shop, 100)
    moved = await swap(shop, case, "cup")
    assert (moved.amount_minor, (await shop.paid(order_id)).refunded_minor) == (233, 233)
    assert await owed(shop) == 0
    books = await ledger(shop.record)
    await shop.refund(await shop.take_back(await sent_instead(shop, moved), 1, 1))
    assert (await shop.paid(order_id)).refunded_minor == 333
    assert (await owed(shop), books.get("adjustments", 0)) == (0, 0)


async def test_what_was_to_be_sent_instead_is_cancelled_and_its_worth_given_back(shop: Shop) -> None:
    order_id, case = await came_back(shop, 1_000)
    moved = await swap(shop, case, "cup", card())
    assert moved.exchange_order_id
    assert (await shop.cancel(moved.exchange_order_id)).amount_minor == 333
    paid = await shop.paid(moved.exchange_order_id)
    assert (paid.captured_minor, paid.voided_minor, (await shop.paid(order_id)).refunded_minor) == (0, 667, 333)
    assert await owed(shop) == 0


async def test_what_was_sent_in_exchange_is_not_exchanged_again(shop: Shop) -> None:
    _, case = await came_back(shop, 333)
    new_id = await sent_instead(shop, await swap(shop, case, "cup"))
    again = await shop.take_back(new_id, 1, 1)
    with pytest.raises(ConflictError, match="refund the return"):
        await swap(shop, again, "tea", key="again")


async def test_a_declined_card_leaves_the_return_to_be_settled_otherwise(shop: Shop) -> None:
    order_id, case = await came_back(shop, 1_000)
    with pytest.raises(PaymentDeclinedError):
        await swap(shop, case, "cup", card("tok_declined_insufficient_funds"))
    assert (await shop.refund(case)).amount_minor == 333
    with pytest.raises(ConflictError):
        await swap(shop, case, "cup", card(), "later")
    assert ((await shop.paid(order_id)).refunded_minor, await owed(shop)) == (333, 0)


async def test_an_exchange_that_waits_for_the_bank_is_settled_when_the_buyer_approves(shop: Shop) -> None:
    _, case = await came_back(shop, 1_000)
    with pytest.raises(exchange.ExchangeWaitsError) as waits:
        await swap(shop, case, "cup", card("tok_challenge"))
    with pytest.raises(ConflictError, match="is being exchanged"):
        await shop.refund(case)
    new_id = UUID(str(waits.value.facts["checkout_id"]))
    await shop.gateway.answer_challenge((await shop.paid(new_id)).id, approved=True)
    await shop.checkouts.resume(new_id)
    await until_reacted(shop.record, EXCHANGES)
    assert (await swap(shop, case, "cup", card("tok_challenge"))).exchange_order_id == new_id
    assert (await owed(shop), [one.state for one in await shop.shipments(new_id)]) == (667, ["planned"])


async def test_what_a_company_abroad_gets_in_exchange_is_taxed_as_its_order_was(shop: Shop) -> None:
    company, vat_id = uuid4(), "FR40303265045"
    async with shop.record.transaction(CELL) as tx:
        await furnish(tx, "uk", country="DE")
        await save_company(tx, company, CompanyDraft(name="Livres", country="FR", currency="GBP", vat_id=vat_id))
    address = Address(line1="1 Rue X", city="Paris", postcode="75001", country="FR")
    quoted = QuoteRequest(
        market="uk", country="FR", lines=[WantedLine(sku="tea", quantity=1)], company_id=company, vat_id=vat_id
    )  # fmt: skip
    contact = structs.replace(BUYER, address=address)
    answer = await shop.checkouts.begin("buy", CheckoutRequest(quote=quoted, payment=card(), contact=contact))
    assert answer.order_id
    async with shop.record.transaction(CELL) as tx:
        await plan_shipments(tx, [answer.order_id])
    await shop.ship(answer.order_id)
    moved = await swap(shop, await shop.take_back(answer.order_id, 1, 1, "does_not_fit"), "cup")
    assert moved.exchange_order_id
    assert [await taxed(shop, one) for one in (answer.order_id, moved.exchange_order_id)] == [0, 0]


async def taxed(shop: Shop, order_id: UUID) -> int:
    """Return how much tax is in an order."""
    async with shop.record.reading() as connection:
        order = await orders.order(connection, CELL, order_id)
    assert order is not None
    return order.placed.tax_minor
