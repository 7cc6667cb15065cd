"""People who are not there shop over HTTP: a crowd that buys and is served, and a flash sale that sells each piece once."""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.api.flash import FlashSale
from entrepot.behaviour.query import Span, funnel
from entrepot.cli.demo_trade import furnish_trade
from entrepot.shoppers.crowd import Crowd
from entrepot.shoppers.flash import hold_flash_sale
from entrepot.shoppers.regulars import Regulars
from entrepot.shoppers.storefront import MARKETS, Storefront
from tests.flows.conftest import filled_house
from tests.house import House, served

SECONDS_MAX = 120.0


@pytest.fixture(scope="module")
async def house(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[House]:
    """Return a house of this module's own: what the demo's trade leaves behind others should not meet."""
    async with filled_house(record_url, objects_url, engines_home) as opened:
        yield opened


@pytest.fixture
async def address(house: House) -> AsyncIterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with served(house, port) as url:
        yield url


async def test_a_flash_sale_sells_each_piece_once_and_tells_everybody_else(house: House, address: str) -> None:
    told: list[FlashSale] = []
    sale = await hold_flash_sale(address, house.key, pieces=10, buyers=40, market="uk", seen=told.append)
    assert (sale.sold, sale.told_sold_out, sale.others, sale.left) == (10, 30, {}, 0)
    assert len(told) >= 40


async def until_told(house: House) -> None:
    """Wait until what shoppers did is known from the first page to the order."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            if (await funnel(house.app.stores.columns, Span())).ordered:
                return
            await asyncio.sleep(0.1)


async def test_a_crowd_buys_and_what_it_buys_is_delivered(house: House, address: str) -> None:
    storefront = Storefront(address, house.key)
    crowd = Crowd(storefront, random.Random(4), ["uk"])
    enough = asyncio.Event()

    def told(seen: Counter[str]) -> None:
        if seen["checkout placed"] >= 2 and seen["shipments delivered"]:
            enough.set()

    running = asyncio.create_task(crowd.run(10.0, told))
    async with asyncio.timeout(SECONDS_MAX):
        await enough.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await until_told(house)
    await storefront.close()
    assert not crowd.seen["told: unexpected"]


async def test_regulars_buy_on_terms_subscribe_and_buy_from_a_seller_what_the_demo_has_once(house: House, address: str) -> None:
    for _ in range(2):  # a demo that is started again changes nothing
        await furnish_trade(house.app, MARKETS["uk"])
    await house.seen_by_all()
    storefront, seen = Storefront(address, house.key), Counter[str]()
    regulars = Regulars(storefront, random.Random(1), seen)
    told = {"purchase ordered", "subscribed", "from a maker: placed"}
    async with asyncio.timeout(SECONDS_MAX):
        while not told <= seen.keys():
            await regulars.come(MARKETS["uk"], "Ada")
    await storefront.close()
    async with house.app.record.committing() as connection:
        owed = await connection.fetchval("SELECT count(*) FROM marketplace.seller_order")
    assert owed or seen["from a maker: placed"] == 1  # the maker may have been the one who is no seller
