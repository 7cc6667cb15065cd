"""What shoppers do, taken in: events a second over HTTP, the generator's work included, and how soon ClickHouse has them all.

On a stack of its own, whose numbers are nobody's. What was acknowledged must be there once, or the run is worth nothing.
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final

import msgspec

from entrepot.base.ids import IdSource
from entrepot.behaviour.events import Behaviour, Kind
from entrepot.behaviour.query import Span, totals
from entrepot.bench import BenchError, Row, targets
from entrepot.bench.load import Load, load, post
from entrepot.bench.stack import Stack, own_stack
from entrepot.engines.products import driver
from entrepot.settings import Settings

BATCH: Final = 100
BATCHES, SINGLES = 4_000, 4_000
CONNECTIONS: Final = 16
PRODUCTS, VISITORS = 1_000, 5_000
SETTLED_SECONDS_MAX: Final = 120.0
SEED: Final = 11

# What a hundred things are that shoppers do.
KINDS: dict[Kind, int] = {"page": 30, "view": 35, "search": 15, "click": 12, "cart": 5, "checkout": 2, "order": 1}


async def run(_settings: Settings) -> list[Row]:
    """Measure batches and single events, and prove that each is kept once."""
    async with own_stack() as stack:
        ids, chance = IdSource(), random.Random(SEED)  # noqa: S311  # makes up what is done, guards nothing
        make = _maker(ids, chance)
        await _send(stack, make(BATCH), 200)
        began = time.perf_counter()
        batches = await _send(stack, make(BATCH), BATCHES)
        taken = time.perf_counter() - began
        await _until_kept(stack, (BATCHES + 200) * BATCH)
        kept = time.perf_counter() - began
        cpu = stack.cpu_seconds()
        singles = await _send(stack, make(1), SINGLES)
        await _until_kept(stack, (BATCHES + 200) * BATCH + SINGLES)
    events = BATCHES * BATCH
    return [
        Row(name="events, in batches of 100", value=events / taken, unit="events/s", target=targets.COLLECTED_PER_SECOND,
            met=events / taken >= targets.COLLECTED_PER_SECOND),
        Row(name="until ClickHouse has each of them once", value=events / kept, unit="events/s"),
        Row(name="a batch, p50", value=batches.percentile(50), unit="ms"),
        Row(name="a batch, p99", value=batches.percentile(99), unit="ms"),
        Row(name="API, of its processor", value=1e6 * cpu["API"] / ((BATCHES + 200) * BATCH), unit="us/event"),
        Row(name="events, one by one", value=singles.per_second, unit="events/s"),
        Row(name="one event, p99", value=singles.percentile(99), unit="ms"),
    ]  # fmt: skip


def _maker(ids: IdSource, chance: random.Random) -> Callable[[int], Callable[[int], bytes]]:
    """Return what makes requests of so many events each."""
    products = [ids.fresh() for _ in range(PRODUCTS)]
    visitors = [ids.unguessable() for _ in range(VISITORS)]
    kinds = chance.choices(list(KINDS), list(KINDS.values()), k=1_000)

    def event(kind: Kind) -> Behaviour:
        product = chance.choice(products)
        return Behaviour(
            id=ids.fresh(),
            kind=kind,
            market="us",
            page="home",
            product_id=product,
            words="blue mug",
            results=12,
            order_id=product,
        )

    def requests(size: int) -> Callable[[int], bytes]:
        def request(n: int) -> bytes:
            events = [event(kinds[(n * size + place) % len(kinds)]) for place in range(size)]
            body = {"visitor": visitors[n % VISITORS], "events": events}
            return post("/v1/collect", msgspec.json.encode(body))

        return request

    return requests


async def _send(stack: Stack, request: Callable[[int], bytes], total: int) -> Load:
    seen = await load(stack.host, stack.port, request, total=total, connections=CONNECTIONS)
    if set(seen.statuses) != {202}:
        raise BenchError(f"Some events were not taken: {seen.statuses}.")
    return seen


async def _until_kept(stack: Stack, wanted: int) -> None:
    """Return once every event is there; more of them than were sent would be as wrong."""
    store = driver("columns", stack.settings.engines.columns)
    await store.open()
    try:
        async with asyncio.timeout(SETTLED_SECONDS_MAX):
            while True:
                kept = sum(one.events for one in await totals(store, Span()))
                if kept >= wanted:
                    break
                await asyncio.sleep(0.1)
    finally:
        await store.close()
    if kept != wanted:
        raise BenchError(f"{wanted} events were acknowledged, {kept} are kept.")
