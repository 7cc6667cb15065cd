"""The whole guest checkout over HTTP, as a storefront does it, on a stack of its own: rate, time, and CPU of all parts.

Four calls: open a cart with an article, put in another, say where it goes (which answers how it can be sent), and pay, which
says by which of these ways.
Beside it stand the peers' figures as they were measured on a machine like this one (their own documented production modes).
"""

import asyncio
import time
from typing import Final

import msgspec
from msgspec import Struct

from entrepot.app import App, opened
from entrepot.base.event import Position, Token
from entrepot.bench import BenchError, Row, targets
from entrepot.bench.shop import CELL, furnish_shop, open_shop
from entrepot.bench.shopper import Shopper, connected, request
from entrepot.bench.stack import Stack, own_stack
from entrepot.commerce.payment.reconcile import reconcile
from entrepot.record.named import queries
from entrepot.record.transaction import Record
from entrepot.settings import Settings

SQL = queries("entrepot.bench", "checkout.sql")

ARTICLES = 2_000
SHOPPERS = 32
SECONDS = 12
WARM_SECONDS = 3
FOLLOW_SECONDS_MAX = 60.0
CALLS = 4
PLACED: Final = 201
DONE: Final = 200

CONTACT = msgspec.json.encode(
    {
        "email": "kim@example.org",
        "name": "Kim",
        "address": {"line1": "1 High St", "city": "York", "postcode": "YO1 7HH", "country": "GB"},
    }
)
PAYMENT: Final = {"token": "tok_ok"}

# Orders per second and CPU-ms of the whole stack per order, 8 clients (given, not measured in this run).
PEERS: Final = {"Saleor": (1.3, 1_610.0), "Vendure": (4.0, 480.0), "Medusa": (0.65, 3_000.0)}


class Opened(Struct, frozen=True):
    """What is read of an opened cart's answer."""

    id: str


class Method(Struct, frozen=True):
    """What is read of a way to send a cart."""

    method: str


class Delivered(Struct, frozen=True):
    """What is read of the answer that says how a cart can be sent."""

    shipping_methods: list[Method]


class Seen(Struct, frozen=True):
    """What one run of shoppers saw: milliseconds of each checkout and of its last call, sorted."""

    checkouts: list[float]
    completions: list[float]
    seconds: float


async def run(settings: Settings) -> list[Row]:  # noqa: ARG001  # a stack of its own, so that nothing of the user's is sold
    """Measure on a stack of its own and return the rows; raises when money, stock or orders do not agree afterwards."""
    async with own_stack() as stack, opened(stack.settings) as app:
        await open_shop(app.record, ARTICLES)
        await furnish_shop(app.record)
        await shop(stack, "warm", WARM_SECONDS)
        await _followed(app)
        before = stack.cpu_seconds()
        seen = await shop(stack, "run", SECONDS)
        await _followed(app)
        after = stack.cpu_seconds()
        await prove(app.record)
        books = await reconcile(app.record, app.gateway, CELL)
        if books.differences:
            raise BenchError(f"Ledger and gateway differ: {books.differences[:3]}")
    return _rows(seen, {part: used - before.get(part, 0.0) for part, used in after.items()})


async def shop(stack: Stack, name: str, seconds: float) -> Seen:
    """Let shoppers check out one cart after another for so long."""
    checkouts: list[float] = []
    completions: list[float] = []
    began = time.perf_counter()

    async def shopper(number: int, connection: Shopper) -> None:
        n = number
        while time.perf_counter() - began < seconds:
            started = time.perf_counter()
            completions.append(
                await check_out(connection, f"{name}-{n}", f"s{n * 7919 % ARTICLES}", f"s{n * 104_729 % ARTICLES}")
            )
            checkouts.append((time.perf_counter() - started) * 1000)
            n += SHOPPERS

    async with connected(stack.host, stack.port, SHOPPERS) as connections:
        await asyncio.gather(*[shopper(n, connection) for n, connection in enumerate(connections)])
    return Seen(sorted(checkouts), sorted(completions), time.perf_counter() - began)


async def check_out(connection: Shopper, key: str, first: str, second: str) -> float:
    """Go the whole way from an empty cart to an order; returns the milliseconds of the last call."""
    cart, payment = await fill_cart(connection, [first, second])
    completing = time.perf_counter()
    await _expect(connection, request("POST", f"{cart}/complete", payment, key), PLACED)
    return (time.perf_counter() - completing) * 1000


async def fill_cart(connection: Shopper, skus: list[str]) -> tuple[str, bytes]:
    """Open a cart with these articles, each put in by a call, and say where it goes; returns its path, and what pays."""
    body = await _expect(connection, request("POST", "/v1/carts", _opening(skus[0])), PLACED)
    cart = f"/v1/carts/{msgspec.json.decode(body, type=Opened).id}"
    for sku in skus[1:]:
        line = msgspec.json.encode({"lines": [{"sku": sku, "quantity": 1}]})
        await _expect(connection, request("POST", f"{cart}/lines", line), PLACED)
    body = await _expect(connection, request("PUT", f"{cart}/delivery", CONTACT), DONE)
    first = msgspec.json.decode(body, type=Delivered).shipping_methods[0]
    return cart, msgspec.json.encode({"payment": PAYMENT, "shipping_method": first.method})


async def prove(record: Record) -> None:
    """Raise when stock, orders, payments or the ledger do not agree."""
    async with record.reading() as connection:
        row = await connection.fetchrow(SQL["checkout_proof"])
    assert row is not None
    wrong = {name: int(value) for name, value in row.items() if value}
    if wrong:
        raise BenchError(f"After the run something is wrong: {wrong}.")


def _opening(sku: str) -> bytes:
    return msgspec.json.encode({"market": "uk", "country": "GB", "lines": [{"sku": sku, "quantity": 1}]})


async def _expect(connection: Shopper, asked: bytes, status: int) -> bytes:
    given, body = await connection.ask(asked)
    if given != status:
        raise BenchError(f"{asked.splitlines()[0].decode()} answered {given}: {body[:300].decode(errors='replace')}")
    return body


async def _followed(app: App) -> None:
    """Wait until every projection has read all there is, so that its work counts to what caused it."""
    async with app.record.committing() as connection:
        row = await connection.fetchrow(SQL["head"], CELL)
    assert row is not None
    head = Token(CELL, Position(row["txid"], row["seq"]))
    for one in app.projections:
        if not await app.live.wait_for(one.name, head, FOLLOW_SECONDS_MAX):
            raise BenchError(f"{one.name} does not follow within {FOLLOW_SECONDS_MAX:.0f} s.")


def _rows(seen: Seen, used: dict[str, float]) -> list[Row]:
    orders = len(seen.checkouts)
    per_second, each = orders / seen.seconds, sum(used.values()) * 1000 / orders
    p50, p99 = _percentile(seen.checkouts, 50), _percentile(seen.checkouts, 99)
    rate, cost, slowest = targets.CHECKOUT_PER_SECOND, targets.CHECKOUT_CPU_MILLIS, targets.CHECKOUT_P99_MILLIS
    rows = [
        Row(name="guest checkout", value=per_second, unit="orders/s", target=rate, met=per_second >= rate),
        Row(name="guest checkout, whole stack", value=each, unit="CPU-ms/order", target=cost, met=each <= cost),
        Row(name="guest checkout, p50", value=p50, unit="ms"),
        Row(name="guest checkout, p99", value=p99, unit="ms", target=slowest, met=p99 < slowest),
        Row(name="last call (complete), p50", value=_percentile(seen.completions, 50), unit="ms"),
        Row(name="last call (complete), p99", value=_percentile(seen.completions, 99), unit="ms"),
        Row(name="HTTP calls per checkout", value=CALLS, unit="calls"),
    ]
    rows += [Row(name=f"of it: {part}", value=s * 1000 / orders, unit="CPU-ms/order") for part, s in sorted(used.items())]
    for peer, (rate_of_peer, cost_of_peer) in PEERS.items():
        rows.append(
            Row(
                name=f"beside {peer} (given)",
                value=per_second,
                unit="orders/s",
                reference=rate_of_peer,
                ratio=per_second / rate_of_peer,
            )
        )
        rows.append(
            Row(
                name=f"beside {peer} (given)",
                value=each,
                unit="CPU-ms/order",
                reference=cost_of_peer,
                ratio=cost_of_peer / each,
            )
        )
    return rows


def _percentile(millis: list[float], percent: int) -> float:
    return millis[min(len(millis) - 1, len(millis) * percent // 100)]
