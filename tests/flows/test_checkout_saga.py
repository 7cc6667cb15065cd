"""The saga of a checkout, with the real sandbox gateway and a real PostgreSQL: what a buyer gets, and what is left behind."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from msgspec import Struct, structs

from entrepot.base.errors import BadInputError, CouponUsedUpError, CreditExhaustedError, KeyReusedError, StockExhaustedError
from entrepot.base.time import SystemClock
from entrepot.commerce.checkout.held import CheckoutRequest, PaymentChoice
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.checkout.saga_rules import PriceChangedError
from entrepot.commerce.checkout.seed import furnish
from entrepot.partners.payment.port import GatewayAwayError, GatewayLiedError
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.tax.regional import RegionalTax
from entrepot.record.transaction import Record
from tests.till import BUYER, check_whole, shelf, used
from tests.trade import CELL, ledger, open_shop

ON_TERMS = PaymentChoice(kind="terms")


class Till(Struct, frozen=True):
    """A till: its saga, its gateway, its record."""

    checkouts: Checkouts
    gateway: SandboxGateway
    record: Record


@pytest.fixture
async def till(record: Record, gateway_url: str) -> AsyncIterator[Till]:
    await open_shop(record, {"tea": 100, "cup": 3})
    async with record.transaction(CELL) as tx:
        await furnish(tx, "uk", country="GB")
    gateway = SandboxGateway(gateway_url, seconds=1.0)
    checkouts = Checkouts(record, CELL, gateway, Quoting(RegionalTax(), SystemClock()))
    yield Till(checkouts, gateway, record)
    await checkouts.close()
    await gateway.close()


def basket(
    wanted: dict[str, int], card: str = "tok_ok", *, coupons: tuple[str, ...] = (), expected_minor: int | None = None,
    payment: PaymentChoice | None = None, company_id: UUID | None = None,
) -> CheckoutRequest:  # fmt: skip
    """Return a checkout of these articles, sent to York, paid by this card."""
    lines = [WantedLine(sku=sku, quantity=pieces) for sku, pieces in wanted.items()]
    return CheckoutRequest(
        quote=QuoteRequest(market="uk", country="GB", lines=lines, coupons=list(coupons), company_id=company_id),
        payment=payment or PaymentChoice(kind="card", token=card),
        contact=BUYER,
        expected_total_minor=expected_minor,
    )


async def test_a_checkout_becomes_an_order_whose_money_is_promised(till: Till) -> None:
    answer = await till.checkouts.begin("k1", basket({"tea": 2, "cup": 1}))
    assert (answer.state, answer.order_id, answer.currency) == ("placed", answer.checkout_id, "GBP")
    assert answer.token is not None
    payment = await till.gateway.find(answer.checkout_id)
    assert payment is not None
    assert (payment.state, payment.authorized_minor) == ("authorized", answer.total_minor)
    assert sum((await ledger(till.record)).values()) == 0
    await check_whole(till.record)


async def test_fifty_requests_with_one_key_make_one_order_one_charge_and_fifty_equal_answers(till: Till) -> None:
    other = Checkouts(till.record, CELL, till.gateway, Quoting(RegionalTax(), SystemClock()))  # another process, nearly
    doors = [till.checkouts, other]
    answers = await asyncio.gather(*[doors[n % 2].begin("k1", basket({"tea": 1})) for n in range(50)])
    assert all(answer == answers[0] for answer in answers)
    assert await shelf(till.record, "tea") == (99, 0, 1)
    await check_whole(till.record)


async def test_the_same_key_with_another_body_is_refused_during_and_after(till: Till) -> None:
    first = asyncio.create_task(till.checkouts.begin("k1", basket({"tea": 1})))
    await asyncio.sleep(0)
    with pytest.raises(KeyReusedError):
        await till.checkouts.begin("k1", basket({"tea": 2}))
    await first
    with pytest.raises(KeyReusedError):
        await till.checkouts.begin("k1", basket({"tea": 2}))
    assert await shelf(till.record, "tea") == (99, 0, 1)


async def test_the_first_answer_stands_even_when_all_is_sold_meanwhile(till: Till) -> None:
    first = await till.checkouts.begin("k1", basket({"cup": 3}))
    assert await till.checkouts.begin("k1", basket({"cup": 3})) == first
    with pytest.raises(StockExhaustedError):
        await till.checkouts.begin("k2", basket({"cup": 1}))


async def test_a_declined_card_gives_back_what_was_reserved_and_says_why(till: Till) -> None:
    answer = await till.checkouts.begin("k1", basket({"cup": 3}, "tok_declined_insufficient_funds", coupons=("LIMITED",)))
    assert (answer.state, answer.reason, answer.order_id) == ("declined", "insufficient_funds", None)
    assert (await shelf(till.record, "cup"), await used(till.record, "coupon/LIMITED")) == ((3, 0, 0), 0)
    assert await till.checkouts.begin(
        "k1", basket({"cup": 3}, "tok_declined_insufficient_funds", coupons=("LIMITED",))
    ) == answer  # fmt: skip
    await check_whole(till.record)


@pytest.mark.parametrize(("approved", "state"), [(True, "placed"), (False, "declined")])
async def test_a_challenge_holds_the_pieces_until_it_is_answered(till: Till, state: str, *, approved: bool) -> None:
    asked = await till.checkouts.begin("k1", basket({"cup": 2}, "tok_challenge"))
    assert asked.state == "challenged"
    assert asked.challenge_url
    assert await shelf(till.record, "cup") == (1, 2, 0)
    assert (await till.checkouts.resume(asked.checkout_id)).state == "challenged"
    payment = await till.gateway.find(asked.checkout_id)
    assert payment is not None
    await till.gateway.answer_challenge(payment.id, approved=approved)
    assert (await till.checkouts.resume(asked.checkout_id)).state == state
    await check_whole(till.record)


@pytest.mark.parametrize(("approved", "state"), [(True, "placed"), (False, "declined")])
async def test_a_buyer_lost_after_the_challenge_has_what_they_answered(till: Till, state: str, *, approved: bool) -> None:
    asked = await till.checkouts.begin("k1", basket({"cup": 2}, "tok_challenge"))
    assert await till.checkouts.recover(left_seconds=0) == 0  # not answered yet: it waits, and keeps its pieces
    assert await shelf(till.record, "cup") == (1, 2, 0)
    payment = await till.gateway.find(asked.checkout_id)
    assert payment is not None
    await till.gateway.answer_challenge(payment.id, approved=approved)
    assert await till.checkouts.recover(left_seconds=0) == 1
    assert (await till.checkouts.read(asked.checkout_id)).state == state
    await check_whole(till.record)


async def test_a_challenge_whose_time_is_nearly_over_is_looked_at_in_every_run(till: Till) -> None:
    hurried = Checkouts(till.record, CELL, till.gateway, Quoting(RegionalTax(), SystemClock()), seconds=30.0)
    asked = await hurried.begin("k1", basket({"cup": 2}, "tok_challenge"))
    payment = await till.gateway.find(asked.checkout_id)
    assert payment is not None
    await till.gateway.answer_challenge(payment.id, approved=True)
    assert await hurried.recover(left_seconds=1.0) == 0  # stepped just now, and half a minute is left
    assert await hurried.recover(left_seconds=60.0) == 1
    await check_whole(till.record)


async def test_a_gateway_that_charges_and_does_not_answer_is_asked_what_it_did(till: Till) -> None:
    assert (await till.checkouts.begin("k1", basket({"tea": 1}, "tok_timeout_after_charge"))).state == "placed"
    await check_whole(till.record)


async def test_while_nobody_knows_what_the_gateway_did_the_pieces_stay_reserved(till: Till) -> None:
    with pytest.raises(GatewayAwayError):
        await till.checkouts.begin("k1", basket({"tea": 1}, "tok_timeout_before_charge"))
    assert await shelf(till.record, "tea") == (99, 1, 0)
    await check_whole(till.record)


async def test_a_gateway_that_lies_gets_no_order_and_keeps_no_money(till: Till) -> None:
    with pytest.raises(GatewayLiedError):
        await till.checkouts.begin("k1", basket({"tea": 1}, "tok_lies"))
    again = await till.checkouts.begin("k1", basket({"tea": 1}, "tok_lies"))
    assert (again.state, again.reason) == ("compensated", "gateway_lied")
    payment = await till.gateway.find(again.checkout_id)
    assert payment is not None
    assert payment.state == "voided"
    assert await shelf(till.record, "tea") == (100, 0, 0)


async def test_a_changed_price_is_told_with_the_new_quote_and_orders_nothing(till: Till) -> None:
    with pytest.raises(PriceChangedError) as told:
        await till.checkouts.begin("k1", basket({"tea": 1}, expected_minor=1))
    assert told.value.facts["total_minor"]
    assert told.value.facts["quote"]
    assert await shelf(till.record, "tea") == (100, 0, 0)
    answer = await till.checkouts.begin("k1", basket({"tea": 1}, expected_minor=int(str(told.value.facts["total_minor"]))))
    assert answer.state == "placed"


async def until_one_ended(checkouts: Checkouts) -> None:
    """Wait until the time of a checkout is over and recovery has ended it."""
    async with asyncio.timeout(45):
        while True:
            if await checkouts.recover():
                return
            await asyncio.sleep(0.01)


async def test_what_takes_too_long_expires_and_a_late_answer_finds_no_order(till: Till) -> None:
    hurried = Checkouts(till.record, CELL, till.gateway, Quoting(RegionalTax(), SystemClock()), seconds=0.01)
    asked = await hurried.begin("k1", basket({"cup": 3}, "tok_challenge"))
    payment = await till.gateway.find(asked.checkout_id)
    assert payment is not None
    await until_one_ended(hurried)
    await till.gateway.answer_challenge(payment.id, approved=True)
    assert (await till.checkouts.resume(asked.checkout_id)).state == "expired"
    late = await till.gateway.find(asked.checkout_id)
    assert late is not None
    assert late.state == "declined"
    assert await shelf(till.record, "cup") == (3, 0, 0)
    await check_whole(till.record)


async def test_three_hundred_buyers_for_a_hundred_pieces_are_told_at_once(till: Till) -> None:
    buyers = [till.checkouts.begin(f"k{n}", basket({"tea": 1})) for n in range(300)]
    answers = await asyncio.gather(*buyers, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, StockExhaustedError)]
    assert (len(answers) - len(refused), len(refused)) == (100, 200)
    assert await shelf(till.record, "tea") == (0, 0, 100)
    await check_whole(till.record)


async def test_a_coupon_for_one_customer_is_used_once_by_them(till: Till) -> None:
    customer = uuid4()
    request = basket({"tea": 1}, coupons=("THANKYOU",))
    mine = structs.replace(request, quote=structs.replace(request.quote, customer_id=customer))
    answers = await asyncio.gather(*[till.checkouts.begin(f"k{n}", mine) for n in range(4)], return_exceptions=True)
    assert sum(isinstance(answer, CouponUsedUpError) for answer in answers) == 3, answers
    assert await used(till.record, f"coupon/THANKYOU/{customer}") == 1


async def test_what_costs_something_is_not_placed_unpaid(till: Till) -> None:
    with pytest.raises(BadInputError, match="say how it is paid"):
        await till.checkouts.begin("k1", basket({"tea": 1}, payment=PaymentChoice(kind="none")))


async def test_a_checkout_on_terms_asks_no_gateway_uses_the_credit_and_is_owed_by_the_company(till: Till) -> None:
    company = uuid4()
    async with till.record.committing() as connection:
        await connection.execute(
            "INSERT INTO checkout.allowance (cell, name, most) VALUES ($1, $2, 10000)", CELL, f"credit/{company}"
        )
    bought = await till.checkouts.begin("k1", basket({"tea": 2}, payment=ON_TERMS, company_id=company))
    assert (bought.state, await used(till.record, f"credit/{company}")) == ("placed", bought.total_minor)
    assert await till.gateway.find(bought.checkout_id) is None
    async with till.record.reading() as connection:
        owed = await connection.fetchval(
            "SELECT sum(amount_minor)::bigint FROM ordering.transfer WHERE debit = 'receivable' AND debit_party = $1",
            str(company),
        )
    assert (owed, sum((await ledger(till.record)).values())) == (bought.total_minor, 0)
    await check_whole(till.record)


async def test_a_checkout_beyond_the_credit_is_refused_and_keeps_nothing(till: Till) -> None:
    company = uuid4()
    async with till.record.committing() as connection:
        await connection.execute(
            "INSERT INTO checkout.allowance (cell, name, most) VALUES ($1, $2, 100)", CELL, f"credit/{company}"
        )
    with pytest.raises(CreditExhaustedError):
        await till.checkouts.begin("k1", basket({"cup": 1}, payment=ON_TERMS, company_id=company))
    assert (await shelf(till.record, "cup"), await used(till.record, f"credit/{company}")) == ((3, 0, 0), 0)


async def test_terms_without_a_company_are_refused(till: Till) -> None:
    with pytest.raises(BadInputError, match="Only a company"):
        await till.checkouts.begin("k1", basket({"tea": 1}, payment=ON_TERMS))
