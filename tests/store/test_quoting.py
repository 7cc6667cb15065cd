"""Quotes from the truth: lists, rates, coupons and terms as PostgreSQL keeps them, and how soon a change of them is seen."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from entrepot.base.errors import BadInputError, CouponUsedUpError, EntrepotError, NotFoundError, PriceMissingError
from entrepot.base.time import FixedClock, millis_of
from entrepot.commerce.checkout.basis import Prepared
from entrepot.commerce.checkout.quote import Quote, QuoteRequest, WantedLine
from entrepot.commerce.checkout.quoting import Quoting, coupon_used
from entrepot.commerce.checkout.seed import furnish
from entrepot.commerce.pricing.commands import save_price_list, set_list_prices, set_rates
from entrepot.commerce.pricing.events import PriceListSaved, RateSet, Tier
from entrepot.commerce.pricing.rules import RankTakenError
from entrepot.commerce.promotion.commands import save_coupon, save_promotion
from entrepot.commerce.promotion.events import CouponSaved, Percentage, PromotionSaved
from entrepot.commerce.shipping.commands import save_method
from entrepot.commerce.shipping.events import MethodSaved, ZoneRate
from entrepot.partners.tax.regional import RegionalTax
from entrepot.record.transaction import Record
from tests.trade import CELL, open_shop

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TRADE = PriceListSaved(
    code="trade", title="Trade", market="uk", currency="GBP", rank=10, valid_from=NOW - timedelta(days=9), channel="counter"
)


WANTED = QuoteRequest(market="uk", country="GB", lines=[WantedLine(sku="tea", quantity=2)])


def quoting() -> Quoting:
    return Quoting(RegionalTax(), FixedClock(millis_of(NOW)))


def goods(prepared: Prepared) -> int:
    """Return what the goods of a cart cost before anything comes off, or on."""
    return sum(line.unit_minor * line.wanted.quantity for line in prepared.lines)


async def furnished(record: Record) -> None:
    await open_shop(record, {"tea": 10, "cup": 10}, price_minor=1_000)
    async with record.transaction(CELL) as tx:
        await furnish(tx, "uk", country="GB", currencies=["EUR", "CHF"])


async def quote(record: Record, by: Quoting | None = None, coupons: Sequence[str] = (), **more: object) -> Quote:
    request = msgspec.structs.replace(WANTED, coupons=list(coupons), **more)
    async with record.committing() as connection:
        return await (by or quoting()).quote(connection, CELL, request)


async def test_a_furnished_shop_quotes_what_its_terms_say(record: Record) -> None:
    await furnished(record)
    found = await quote(record, coupons=["welcome10"])
    assert found.goods_minor == 1_800
    assert found.shipping.chosen is not None
    assert (found.shipping.chosen.method, found.charges_minor) == ("standard", 344)
    assert sum(part.tax_minor for part in found.taxes) == found.tax_minor == 357


async def test_furnishing_twice_changes_nothing(record: Record) -> None:
    await furnished(record)
    async with record.reading() as connection:
        before = await connection.fetchval("SELECT count(*) FROM log.event")
    async with record.transaction(CELL) as tx:
        await furnish(tx, "uk", country="GB", currencies=["EUR", "CHF"])
    async with record.reading() as connection:
        assert await connection.fetchval("SELECT count(*) FROM log.event") == before


async def test_a_price_list_holds_for_its_channel_by_quantity(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10})
    await furnished(record)
    tiers = [Tier(from_quantity=2, amount_minor=800), Tier(from_quantity=10, amount_minor=700)]
    async with record.transaction(CELL) as tx:
        await save_price_list(tx, TRADE)
        await set_list_prices(tx, "trade", {variants["tea"]: tiers})
    assert (await quote(record)).goods_minor == 2_000
    assert (await quote(record, channel="counter")).goods_minor == 1_600
    assert (await quote(record, channel="counter", lines=[WantedLine(sku="tea", quantity=10)])).goods_minor == 7_000
    assert (await quote(record, channel="counter", lines=[WantedLine(sku="tea", quantity=1)])).goods_minor == 1_000


async def test_two_lists_of_one_rank_for_the_same_buyers_at_once_are_refused(record: Record) -> None:
    await furnished(record)
    async with record.transaction(CELL) as tx:
        await save_price_list(tx, msgspec.structs.replace(TRADE, valid_until=NOW))
        await save_price_list(tx, msgspec.structs.replace(TRADE, code="later", valid_from=NOW))
    with pytest.raises(RankTakenError, match="rank 10"):
        async with record.transaction(CELL) as tx:
            await save_price_list(tx, msgspec.structs.replace(TRADE, code="between", valid_until=NOW + timedelta(days=1)))


async def test_setting_what_is_so_already_tells_nothing(record: Record) -> None:
    variants = await open_shop(record, {"tea": 10})
    rate = RateSet(base="EUR", quote="GBP", rate="0.87", valid_from=NOW, source="test")
    tiers = {variants["tea"]: [Tier(from_quantity=1, amount_minor=800)]}
    async with record.transaction(CELL) as tx:
        assert await save_price_list(tx, TRADE)
        assert await set_list_prices(tx, "trade", tiers)
        assert await set_rates(tx, [rate])
        assert await save_price_list(tx, TRADE) is None
        assert await set_list_prices(tx, "trade", tiers) is None
        assert await set_rates(tx, [rate]) is None


async def test_a_market_sells_in_its_other_currencies_by_the_rate_of_the_moment(record: Record) -> None:
    await furnished(record)
    assert (await quote(record, currency="EUR")).lines[0].list_minor == 1_149  # 10.00 / 0.87
    async with record.transaction(CELL) as tx:
        await set_rates(tx, [RateSet(base="EUR", quote="GBP", rate="0.80", valid_from=NOW, source="test")])
    assert (await quote(record, currency="EUR")).lines[0].list_minor == 1_250
    assert (await quote(record, currency="EUR", at=NOW - timedelta(days=1))).lines[0].list_minor == 1_149


async def test_a_coupon_used_as_often_as_it_may_be_is_refused(record: Record) -> None:
    await furnished(record)
    async with record.transaction(CELL) as tx:
        await save_coupon(tx, CouponSaved(code="FEW", promotion="WELCOME", most=2))
        await tx.connection.execute("INSERT INTO checkout.allowance (cell, name, used, most) VALUES (1, 'coupon/FEW', 2, 2)")
        assert await coupon_used(tx.connection, CELL, "FEW") == 2
    with pytest.raises(CouponUsedUpError, match="2 times"):
        await quote(record, coupons=["FEW"])


async def test_a_customer_who_has_used_a_coupon_is_told_so_and_another_is_not(record: Record) -> None:
    await furnished(record)
    first, second = uuid4(), uuid4()
    async with record.transaction(CELL) as tx:
        await tx.connection.execute(
            "INSERT INTO checkout.allowance (cell, name, used, most) VALUES (1, $1, 1, 1)", f"coupon/THANKYOU/{first}"
        )
    assert (await quote(record, coupons=["THANKYOU"], customer_id=second)).goods_minor == 1_700
    with pytest.raises(CouponUsedUpError, match="You have used"):
        await quote(record, coupons=["THANKYOU"], customer_id=first)


async def test_a_change_of_terms_is_seen_within_a_second_and_at_once_where_it_was_made(record: Record) -> None:
    await furnished(record)
    clock = FixedClock(millis_of(NOW))
    here, there = Quoting(RegionalTax(), clock), Quoting(RegionalTax(), clock)
    assert {(await quote(record, one)).goods_minor for one in (here, there)} == {2_000}
    sale = PromotionSaved(code="SALE", title="Sale", effect=Percentage(basis_points=5_000), currency="EUR")
    async with record.transaction(CELL) as tx:
        await save_promotion(tx, sale)
    here.forget(CELL)
    assert [(await quote(record, one)).goods_minor for one in (here, there)] == [1_000, 2_000]
    clock.now += 1_000
    assert (await quote(record, there)).goods_minor == 1_000


async def test_terms_that_were_never_committed_are_not_kept(record: Record) -> None:
    await furnished(record)
    clock = FixedClock(millis_of(NOW))
    by = Quoting(RegionalTax(), clock)
    half = PromotionSaved(code="SALE", title="Half", effect=Percentage(basis_points=5_000), currency="EUR")
    with contextlib.suppress(BadInputError):
        async with record.transaction(CELL) as tx:
            await save_promotion(tx, half)
            assert (await by.quote(tx.connection, CELL, WANTED)).goods_minor == 1_000
            raise BadInputError("undone")
    async with record.transaction(CELL) as tx:  # the same version, with something else in it
        await save_promotion(tx, msgspec.structs.replace(half, effect=Percentage(basis_points=1_000)))
    clock.now += 1_000
    assert (await quote(record, by)).goods_minor == 1_800


async def test_a_withdrawn_price_and_an_unknown_article_are_refused_by_name(record: Record) -> None:
    await furnished(record)
    async with record.transaction(CELL) as tx:
        await tx.connection.execute("DELETE FROM pricing.price")
    with pytest.raises(PriceMissingError, match="tea"):
        await quote(record)
    with pytest.raises(NotFoundError, match="nothing"):
        await quote(record, lines=[WantedLine(sku="nothing", quantity=1)])


async def test_what_hangs_on_nothing_is_refused(record: Record) -> None:
    variants = await open_shop(record, {"tea": 1})
    nowhere = MethodSaved(
        code="m", title="M", carrier="own", currency="EUR", active=True, rates=[ZoneRate(zone="moon", brackets=[])]
    )
    async with record.transaction(CELL) as tx:
        with pytest.raises(BadInputError, match="moon"):
            await save_method(tx, nowhere)
        with pytest.raises(NotFoundError, match="NONE"):
            await save_coupon(tx, CouponSaved(code="C", promotion="NONE"))
        with pytest.raises(NotFoundError, match="'none'"):
            await set_list_prices(tx, "none", {variants["tea"]: []})
        with pytest.raises(BadInputError, match="no market 'mars'"):
            await save_price_list(tx, msgspec.structs.replace(TRADE, market="mars"))


async def test_an_estimate_is_a_second_old_at_most_and_a_quote_is_the_truth(record: Record) -> None:
    await furnished(record)
    clock = FixedClock(millis_of(NOW))
    by = Quoting(RegionalTax(), clock)
    assert goods(await by.estimate(record, CELL, WANTED)) == 2_000
    async with record.transaction(CELL) as tx:
        await tx.connection.execute("UPDATE pricing.price SET amount_minor = 700")
    assert [goods(await by.estimate(record, CELL, WANTED)), (await quote(record, by)).goods_minor] == [2_000, 1_400]
    clock.now += 1_000
    assert goods(await by.estimate(record, CELL, WANTED)) == 1_400


async def test_an_estimate_is_of_now_where_the_offer_was_changed(record: Record) -> None:
    await furnished(record)
    by = quoting()
    assert (await by.offered(record, "uk", ["tea", "nothing"]))["tea"].amount_minor == 1_000
    async with record.transaction(CELL) as tx:
        await tx.connection.execute("UPDATE pricing.price SET amount_minor = 700")
    by.forget_offers()
    assert goods(await by.estimate(record, CELL, WANTED)) == 1_400


async def test_articles_looked_for_together_are_each_found_or_not(record: Record) -> None:
    await furnished(record)
    by = quoting()
    asked = [
        by.offered(record, market, skus) for market, skus in (("uk", ["tea", "cup"]), ("de", ["tea"]), ("uk", ["\x00", "no"]))
    ]
    first, second, third = await asyncio.gather(*asked)
    assert [first["tea"].amount_minor, first["cup"].amount_minor, second["tea"].amount_minor, third] == [1_000, 1_000, None, {}]


async def test_of_carts_that_are_quoted_together_each_has_its_own_answer(record: Record) -> None:
    await furnished(record)
    few = msgspec.structs.replace(WANTED, coupons=["nosuch"])
    nowhere = msgspec.structs.replace(WANTED, market="nowhere")
    async with record.committing() as connection:
        first, second, third, fourth = await quoting().quote_all(connection, CELL, [nowhere, WANTED, few, WANTED])
    assert isinstance(first, NotFoundError)
    assert isinstance(third, EntrepotError)
    assert [one.goods_minor for one in (second, fourth) if isinstance(one, Quote)] == [2_000, 2_000]
