"""A flash sale over HTTP: more buyers than pieces, all at once, each the whole way of a guest; and the hot path alone.

What counts is that exactly the pieces are sold, and that every loser is told so, at once and for good. Beside it, orders of one
article in process: how far gathering carries, next to one call per order.
"""

import asyncio
import time
from collections import Counter
from typing import Final

import msgspec
from msgspec import Struct

from entrepot.app import opened
from entrepot.bench import BenchError, Row, targets
from entrepot.bench.checkout import PLACED, fill_cart, prove
from entrepot.bench.orders import SHOPPERS, floor, prepare_floor
from entrepot.bench.shop import CELL, SCARCE, add_scarce, article_order, furnish_shop, open_shop
from entrepot.bench.shopper import Shopper, connected, request
from entrepot.bench.stack import Stack, own_stack
from entrepot.commerce.checkout.gather import Gatherer
from entrepot.record.transaction import Record
from entrepot.settings import Settings

BUYERS = 300
PIECES = 100
ORDERS = 10_000
ARTICLES = 10
SOLD_OUT: Final = "/problems/stock-exhausted"
# Given, not measured in this run: seconds until all 300 had an answer, and how many pieces were sold (of 100).
PEERS: Final = {"Saleor": (135.0, 140), "Vendure": (43.0, 300)}


class Problem(Struct, frozen=True):
    """What is read of a refusal."""

    type: str


async def run(settings: Settings) -> list[Row]:  # noqa: ARG001  # a stack of its own, so that nothing of the user's is sold
    """Measure on a stack of its own and return the rows; raises when the sale was not exact."""
    async with own_stack() as stack, opened(stack.settings) as app:
        await open_shop(app.record, ARTICLES)
        await furnish_shop(app.record)
        await add_scarce(app.record, PIECES)
        told, seconds = await sell_out(stack)
        if told != {"sold": PIECES, SOLD_OUT: BUYERS - PIECES}:
            raise BenchError(f"{BUYERS} buyers for {PIECES} pieces were told {dict(told)}.")
        await prove(app.record)
        await prepare_floor(app.record, stack.settings.engines.owner)
        beside = await floor(stack.settings.engines.record, "1")
        hot = await one_article(app.record)
    rows = [
        Row(name=f"{BUYERS} buyers for {PIECES} pieces: sold", value=told["sold"], unit="orders", target=PIECES, met=True),
        Row(name="told 'sold out', for good", value=told[SOLD_OUT], unit="buyers", target=BUYERS - PIECES, met=True),
        Row(
            name="until the last had an answer", value=seconds, unit="s", target=targets.FLASH_SECONDS,
            met=seconds <= targets.FLASH_SECONDS,
        ),
        Row(
            name=f"{ORDERS:,} orders of one article, in process", value=hot, unit="orders/s", reference=beside,
            ratio=hot / beside, target=targets.FLASH_HOT_RATIO, met=hot / beside >= targets.FLASH_HOT_RATIO,
        ),
    ]  # fmt: skip
    for peer, (took, sold) in PEERS.items():
        rows.append(
            Row(name=f"beside {peer} (given; sold {sold})", value=seconds, unit="s", reference=took, ratio=took / seconds)
        )
    return rows


async def sell_out(stack: Stack) -> tuple[Counter[str], float]:
    """Let all buyers go their whole way at once; returns how many were told what, and the seconds it took."""
    told: Counter[str] = Counter()

    async def buy(n: int, connection: Shopper) -> None:
        cart, payment = await fill_cart(connection, [SCARCE])
        status, body = await connection.ask(request("POST", f"{cart}/complete", payment, f"flash-{n}"))
        told["sold" if status == PLACED else msgspec.json.decode(body, type=Problem).type] += 1

    async with connected(stack.host, stack.port, BUYERS) as connections:
        began = time.perf_counter()
        await asyncio.gather(*[buy(n, connection) for n, connection in enumerate(connections)])
        return told, time.perf_counter() - began


async def one_article(record: Record) -> float:
    """Place orders of one article as fast as they go, and return how many a second."""
    gatherer, numbers = Gatherer(record, CELL, actor="bench"), iter(range(ORDERS))

    async def shopper() -> None:
        for n in numbers:
            await gatherer.place(f"hot-{n}", article_order(0))

    began = time.perf_counter()
    await asyncio.gather(*[shopper() for _ in range(SHOPPERS)])
    return ORDERS / (time.perf_counter() - began)
