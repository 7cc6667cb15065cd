"""Digital goods on the real gateway and PostgreSQL: no licence twice, none before its money, none after it went back."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from entrepot.base.errors import ConflictError, StockExhaustedError
from entrepot.base.time import utc
from entrepot.commerce.aftersale import returning
from entrepot.commerce.aftersale.requests import Inspected, LinePieces, ReturnWish
from entrepot.commerce.digital import address, commands, query
from entrepot.commerce.digital.address import DownloadExpiredError, DownloadRevokedError, DownloadsUsedUpError, Grant
from entrepot.record.transaction import Record
from tests.licences import DigitalShop, open_digital_shop
from tests.trade import CELL, left


@pytest.fixture
async def shop(record: Record, gateway_url: str) -> AsyncIterator[DigitalShop]:
    async with open_digital_shop(record, gateway_url) as opened:
        yield opened


async def take_back(shop: DigitalShop, order_id: UUID, pieces: int) -> None:
    wish = ReturnWish(reason="changed_mind", lines=[LinePieces(line=1, quantity=pieces)])
    async with shop.record.transaction(CELL) as tx:
        case = await returning.request_return(tx, order_id, wish)
    async with shop.record.transaction(CELL) as tx:
        await returning.receive_return(tx, case.id, wish.lines)
    async with shop.record.transaction(CELL) as tx:
        await returning.inspect_return(tx, case.id, [Inspected(line=1, restock=pieces)])
    async with shop.record.transaction(CELL) as tx:
        await returning.refund_return(tx, case.id)
    await shop.follow()


async def fetch(shop: DigitalShop, order_id: UUID) -> None:
    now = utc(shop.clock.millis())
    async with shop.record.transaction(CELL) as tx:
        await commands.count_download(tx, Grant(order_id, 1, now), now)


async def test_five_hundred_buyers_of_a_hundred_licences_get_a_hundred_different_ones(shop: DigitalShop) -> None:
    await shop.add(*(f"KEY-{n:03}" for n in range(100)))
    answers = await asyncio.gather(*(shop.ask({"app": 1}, f"buyer-{n}") for n in range(500)))
    bought = [one for one in answers if isinstance(one, UUID)]
    assert sum(isinstance(one, StockExhaustedError) for one in answers) == 400
    await shop.follow(*bought)
    codes = [code for order_id in bought for item in await shop.items(order_id) for code in item.licences]
    assert (len(bought), len(codes), len(set(codes))) == (100, 100, 100)
    pool = await shop.pool()
    assert (pool.free, pool.handed_out, pool.waiting) == (0, 100, 0)


async def test_a_pool_that_has_become_low_is_told_once_until_it_is_filled(shop: DigitalShop) -> None:
    await shop.add(*(f"KEY-{n:02}" for n in range(12)))
    for n in range(3):
        await shop.buy({"app": 1}, f"buyer-{n}")
    async with shop.record.reading() as connection:
        told = await connection.fetch("SELECT body FROM log.event WHERE kind = 'digital.pool_low.v1'")
        [low] = await query.low_pools(connection, CELL, 10)
    assert [(json.loads(one["body"])["free"], json.loads(one["body"])["low_at"]) for one in told] == [(10, 10)]
    assert (low.sku, low.free, low.waiting) == ("app", 9, 0)
    await shop.add("KEY-A", "KEY-B")
    async with shop.record.reading() as connection:
        assert await query.low_pools(connection, CELL, 10) == []


async def test_adding_the_same_licences_twice_adds_them_once(shop: DigitalShop) -> None:
    await shop.add("A", "B")
    again = await shop.add("B", "C")
    assert (again.added, again.known, await left(shop.record, "app")) == (1, 1, 3)
    assert (await shop.pool()).free == 3


async def test_a_licence_is_handed_out_when_the_money_is_taken_and_not_before(shop: DigitalShop) -> None:
    await shop.add("A", "B")
    order_id = await shop.ask({"app": 1, "tea": 1}, "mixed")  # its money is taken when something leaves
    assert isinstance(order_id, UUID)
    await shop.follow()
    assert [(item.state, item.licences) for item in await shop.items(order_id)] == [("waiting", [])]
    assert (await shop.pool()).waiting == 1
    await shop.follow(order_id)
    assert [(item.state, len(item.licences)) for item in await shop.items(order_id)] == [("handed_out", 1)]


async def test_what_is_refunded_is_revoked_and_never_sold_again(shop: DigitalShop) -> None:
    await shop.add("A", "B", "C")
    order_id = await shop.buy({"app": 2})
    await take_back(shop, order_id, 1)
    [item] = await shop.items(order_id)
    assert (item.state, item.revoked, len(item.licences)) == ("handed_out", 1, 1)
    pool = await shop.pool()
    assert (pool.free, pool.available, pool.revoked) == (1, 1, 1)
    await take_back(shop, order_id, 1)
    assert [(one.state, one.licences) for one in await shop.items(order_id)] == [("revoked", [])]
    assert (await shop.pool()).available == 1


async def test_a_file_is_fetched_as_often_as_the_order_allows_and_no_longer_than_that(shop: DigitalShop) -> None:
    order_id = await shop.buy({"book": 1})
    await asyncio.gather(*(fetch(shop, order_id) for _ in range(2)))
    with pytest.raises(DownloadsUsedUpError):
        await fetch(shop, order_id)
    other = await shop.buy({"book": 1}, "other")
    shop.clock.now += 366 * 86_400_000
    with pytest.raises(DownloadExpiredError):
        await fetch(shop, other)


async def test_a_download_is_refused_once_its_money_went_back(shop: DigitalShop) -> None:
    order_id = await shop.buy({"book": 1})
    [item] = await shop.items(order_id)
    assert item.download is not None
    await take_back(shop, order_id, 1)
    with pytest.raises(DownloadRevokedError):
        await fetch(shop, order_id)
    assert (await shop.items(order_id))[0].download is None


async def test_a_file_never_runs_out(shop: DigitalShop) -> None:
    before = await left(shop.record, "book")
    await shop.buy({"book": 3})
    assert await left(shop.record, "book") == before


async def test_what_is_sent_in_parcels_has_no_licences(shop: DigitalShop) -> None:
    with pytest.raises(ConflictError, match="tea is delivered by ship"):
        async with shop.record.transaction(CELL) as tx:
            await commands.add_licences(tx, "tea", ["A"])


async def test_an_address_that_we_gave_stands_for_its_right(shop: DigitalShop) -> None:
    order_id = await shop.buy({"book": 1})
    [item] = await shop.items(order_id)
    assert item.download is not None
    async with shop.record.transaction(CELL) as tx:
        secret = await commands.signing_secret(tx)
    grant = address.read(secret, item.download.rpartition("/")[2], utc(shop.clock.millis()))
    assert (grant.order_id, grant.line) == (order_id, 1)
