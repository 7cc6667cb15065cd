"""What a cart tells of terms that were changed since its articles were put in: promotions and lists, begun, edited or over."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID, uuid4

import pytest
from msgspec import structs

from entrepot.base.time import FixedClock, HybridClock, millis_of
from entrepot.commerce.cart.requests import CartLineRequest, CartRequest
from entrepot.commerce.cart.rules import Write, open_cart, use_coupon
from entrepot.commerce.checkout.carted import CartView, carted, look
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.seed import furnish
from entrepot.commerce.pricing.commands import group_customer, save_price_list, set_list_prices
from entrepot.commerce.pricing.events import PriceListSaved, Tier
from entrepot.commerce.promotion.commands import save_coupon, save_promotion
from entrepot.commerce.promotion.events import CouponSaved, Percentage, PromotionSaved
from entrepot.commerce.shipping.commands import save_method
from entrepot.commerce.shipping.events import Bracket, Days, MethodSaved, ZoneRate
from entrepot.partners.tax.regional import RegionalTax
from entrepot.record.transaction import Record, Transaction
from tests.trade import CELL, open_shop

NOW = datetime.now(UTC)  # rows of more than a month ago are read no more
HALF = PromotionSaved(code="HALF", title="Half", effect=Percentage(basis_points=5_000), currency="GBP", skus=["tea"])
TENTH = structs.replace(HALF, effect=Percentage(basis_points=1_000))
ONCE = structs.replace(HALF, most=1)
KIM = uuid4()
LIST = PriceListSaved(
    code="sale", title="Sale", market="uk", currency="GBP", rank=10, valid_from=NOW - timedelta(days=1)
)  # fmt: skip

Deed: TypeAlias = Callable[[Transaction, UUID], Awaitable[object]]


def hours_ago(hours: float) -> int:
    return millis_of(NOW - timedelta(hours=hours))


def promote(one: PromotionSaved) -> Deed:
    return lambda tx, _: save_promotion(tx, one)


def enlist(one: PriceListSaved) -> Deed:
    return lambda tx, _: save_price_list(tx, one)


def price(amount_minor: int | None) -> Deed:
    tiers = [] if amount_minor is None else [Tier(from_quantity=1, amount_minor=amount_minor)]
    return lambda tx, variant_id: set_list_prices(tx, "sale", {variant_id: tiers})


def group(*names: str) -> Deed:
    return lambda tx, _: group_customer(tx, KIM, names)


def use_up(used: int = 1, since: datetime | None = None) -> Deed:
    """Use the promotion, of which there is one use; PostgreSQL notes since when it is used up, unless the test says it."""

    async def use(tx: Transaction, _: UUID) -> None:
        await tx.connection.execute(
            "INSERT INTO checkout.allowance (cell, name, most) VALUES ($1, 'promotion/HALF', 1) ON CONFLICT DO NOTHING", CELL
        )
        await tx.connection.execute("UPDATE checkout.allowance SET used = $2 WHERE cell = $1", CELL, used)
        if since:
            await tx.connection.execute("UPDATE checkout.allowance SET since = $2 WHERE cell = $1", CELL, since)

    return use


async def seen(record: Record, *deeds: tuple[float, Deed], coupon: str = "", customer: UUID | None = None) -> CartView:
    """Do what was done so many hours ago, and return a cart as it is seen now into which tea was put two hours ago."""
    variants = await open_shop(record, {"tea": 10}, price_minor=1_000)
    async with record.transaction(CELL) as tx:
        await furnish(tx, "uk", country="GB")
    for hours, deed in deeds:
        then = Record(record.pool, clock=HybridClock(FixedClock(hours_ago(hours))), seals=record.sealing)
        async with then.transaction(CELL) as tx:
            await deed(tx, variants["tea"])
    async with record.committing() as connection:
        currencies, offers = await carted(connection, CELL, "uk", ["tea"])
        write = Write("1-test", HybridClock(FixedClock(hours_ago(2))).tick())
        lines = [CartLineRequest(sku="tea", quantity=2)]
        cart = open_cart(CartRequest(market="uk", country="GB", lines=lines, customer_id=customer), currencies, offers, write)
        cart = use_coupon(cart, coupon, write) if coupon else cart
        return await look(connection, CELL, Quoting(RegionalTax(), FixedClock(millis_of(NOW))), uuid4(), cart)


@pytest.mark.parametrize(
    ("deeds", "was", "is_"),
    [
        ([(3, promote(HALF)), (1, promote(TENTH))], "10.00", "18.00"),
        ([(3, promote(HALF)), (1, promote(structs.replace(HALF, skus=["cup"])))], "10.00", "20.00"),
        ([(3, promote(HALF)), (1, promote(structs.replace(HALF, active=False)))], "10.00", "20.00"),
        ([(3, promote(structs.replace(HALF, ends_at=NOW - timedelta(hours=1))))], "10.00", "20.00"),
        ([(1, promote(HALF))], "20.00", "10.00"),
        ([(3, promote(structs.replace(HALF, starts_at=NOW - timedelta(hours=1))))], "20.00", "10.00"),
        ([(5, promote(HALF)), (4, promote(structs.replace(HALF, active=False))), (1, promote(HALF))], "20.00", "10.00"),
    ],
    ids=["edited", "for another article", "switched off", "ended", "new", "begun", "switched on again"],
)
async def test_a_promotion_that_was_changed_has_begun_or_ended_meanwhile_is_told_on_its_line(
    record: Record, deeds: list[tuple[float, Deed]], was: str, is_: str
) -> None:
    view = await seen(record, *deeds)
    assert view.lines[0].changed == [f"With what was taken off, it cost {was} GBP and costs {is_} GBP."]


@pytest.mark.parametrize(
    ("deeds", "was", "is_"),
    [
        ([(3, enlist(LIST)), (3, price(800)), (1, enlist(structs.replace(LIST, active=False)))], "8.00", "10.00"),
        ([(3, enlist(LIST)), (3, price(800)), (1, enlist(structs.replace(LIST, channel="counter")))], "8.00", "10.00"),
        ([(3, enlist(LIST)), (3, price(800)), (1, price(900))], "8.00", "9.00"),
        ([(3, enlist(LIST)), (3, price(800)), (1, price(None))], "8.00", "10.00"),
        ([(1, enlist(LIST)), (1, price(800))], "10.00", "8.00"),
    ],
    ids=["switched off", "for another channel", "edited", "article taken out", "new"],
)
async def test_a_price_list_that_was_changed_or_made_meanwhile_is_told_on_its_line(
    record: Record, deeds: list[tuple[float, Deed]], was: str, is_: str
) -> None:
    view = await seen(record, *deeds)
    assert view.lines[0].changed == [f"A piece cost {was} GBP and costs {is_} GBP."]


async def test_a_promotion_that_was_used_up_meanwhile_is_told_on_its_line_and_in_what_explains_the_price(
    record: Record,
) -> None:
    view = await seen(record, (5, promote(ONCE)), (1, use_up()))
    assert view.lines[0].changed == ["With what was taken off, it cost 10.00 GBP and costs 20.00 GBP."]
    assert [(one.about, one.sentence) for one in view.explained if one.about.startswith("promotion")] == [
        ("promotion Half (HALF)", "not used: it was used as often as it may be")
    ]


@pytest.mark.parametrize(
    ("deeds", "told"),
    [
        ([(5, promote(ONCE)), (4, use_up(since=NOW - timedelta(hours=4)))], []),
        (
            [(5, promote(ONCE)), (4, use_up()), (1, use_up(0))],
            ["With what was taken off, it cost 20.00 GBP and costs 10.00 GBP."],
        ),
        ([(5, promote(ONCE)), (4, use_up()), (3, use_up(0, NOW - timedelta(hours=3)))], []),
        ([(5, promote(structs.replace(ONCE, most=2))), (1, use_up())], []),
    ],
    ids=["used up before", "given back", "given back before", "not used up"],
)
async def test_a_promotion_is_told_of_where_it_was_used_up_or_given_back_since_the_article_was_put_in(
    record: Record, deeds: list[tuple[float, Deed]], told: list[str]
) -> None:
    assert (await seen(record, *deeds)).lines[0].changed == told


@pytest.mark.parametrize(
    ("customer", "deeds", "amount_minor", "told"),
    [
        (KIM, [(3, group("trade"))], 1_600, []),
        (KIM, [(1, group("trade"))], 1_600, ["A piece cost 10.00 GBP and costs 8.00 GBP."]),
        (KIM, [(3, group("trade")), (1, group())], 2_000, ["A piece cost 8.00 GBP and costs 10.00 GBP."]),
        (KIM, [(3, group("staff"))], 2_000, []),
        (uuid4(), [(3, group("trade"))], 2_000, []),
        (None, [(3, group("trade"))], 2_000, []),
    ],
    ids=["of the group", "since an hour", "until an hour ago", "of another", "another customer", "a guest"],
)
async def test_a_list_for_a_group_holds_for_its_customers_and_a_change_of_theirs_is_told(
    record: Record, customer: UUID | None, deeds: list[tuple[float, Deed]], amount_minor: int, told: list[str]
) -> None:
    trade = structs.replace(LIST, customer_group="trade")
    view = await seen(record, (5, enlist(trade)), (5, price(800)), *deeds, customer=customer)
    assert (view.lines[0].amount_minor, view.lines[0].changed) == (amount_minor, told)


async def test_postage_that_was_changed_meanwhile_is_told_of_the_cart(record: Record) -> None:
    cheap = MethodSaved(
        code="standard",
        title="Standard",
        carrier="own",
        currency="GBP",
        active=True,
        rates=[ZoneRate(zone="britain", brackets=[Bracket(amount_minor=100)], days=[Days(least=1, most=3)])],
    )
    dear = structs.replace(cheap, rates=[structs.replace(cheap.rates[0], brackets=[Bracket(amount_minor=250)])])
    save: Callable[[MethodSaved], Deed] = lambda one: lambda tx, _: save_method(tx, one)  # noqa: E731  # one line of a table
    view = await seen(record, (3, save(cheap)), (1, save(dear)))
    assert view.changed == ["Postage was 1.00 GBP and is 2.50 GBP."]
    assert view.lines[0].changed == []


async def test_what_was_changed_before_an_article_was_put_in_is_not_told(record: Record) -> None:
    made = [(5, promote(HALF)), (5, enlist(LIST)), (5, price(800))]
    changed = [(3, promote(TENTH)), (3, price(900)), (1, promote(structs.replace(TENTH, title="A tenth")))]
    view = await seen(record, *made, *changed)
    assert (view.lines[0].changed, view.goods_minor) == ([], 1_620)


async def test_a_coupon_made_since_hides_no_change_of_another_kind(record: Record) -> None:
    opened = structs.replace(HALF, needs_coupon=True)
    coupon: Deed = lambda tx, _: save_coupon(tx, CouponSaved(code="TEA", promotion="HALF"))  # noqa: E731  # one line of a table
    view = await seen(
        record, (3, enlist(LIST)), (3, price(800)), (1, price(900)), (1, promote(opened)), (1, coupon), coupon="TEA"
    )
    assert view.lines[0].changed[0] == "A piece cost 8.00 GBP and costs 9.00 GBP."
