"""Carts on a real Redis: the answer that was lost, two processes at once, and the abandoned ones, told of exactly once."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from entrepot.base.errors import ConflictError, NotFoundError
from entrepot.base.ids import IdSource
from entrepot.base.limits import CART_ABANDONED_HOURS
from entrepot.base.time import FixedClock, HybridClock, utc
from entrepot.commerce.cart import rules, state
from entrepot.commerce.cart.commands import Carts, Kept
from entrepot.commerce.cart.events import CART_ABANDONED, CartAbandoned
from entrepot.commerce.cart.requests import Carted, CartLineRequest, CartRequest
from entrepot.engines.memory.redis_drawer import RedisDrawer
from entrepot.jobs.abandoned import announce_abandoned
from entrepot.record.transaction import Record
from entrepot.sealing.sealing import Sealing
from tests.till import BUYER
from tests.trade import CELL

OFFERS: Mapping[str, Carted] = {
    sku: Carted(sku=sku, product_id=UUID(int=1), offered=True, unit_minor=500, left=9) for sku in ("MUG", "TRAY")
}
LATER = CART_ABANDONED_HOURS * 3_600_000 + 1


class ForgetfulDrawer(RedisDrawer):
    """A drawer that does what it is told and then loses the answer, as a connection does that breaks in between."""

    async def put(self, name: str, was: bytes | None, now: bytes, *, touched: int | None, seconds: float) -> bool:
        """Put, and say that it was not done."""
        await super().put(name, was, now, touched=touched, seconds=seconds)
        return False


@pytest.fixture
def label() -> str:
    return f"test-{uuid4().hex}"


@pytest.fixture
async def drawer(memory_url: str, label: str) -> AsyncIterator[RedisDrawer]:
    opened = RedisDrawer(memory_url, label)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(1_790_000_000_000)


@pytest.fixture
def carts(drawer: RedisDrawer, clock: FixedClock, sealing: Sealing) -> Carts:
    return carts_of(drawer, clock, sealing)


def carts_of(drawer: RedisDrawer, clock: FixedClock, sealing: Sealing) -> Carts:
    """Return carts as one process has them."""
    return Carts(drawer, CELL, HybridClock(clock), IdSource(), sealing)


async def opened(carts: Carts, quantity: int = 1) -> Kept:
    lines = [CartLineRequest(sku="MUG", quantity=quantity)] if quantity else []
    return await carts.open(CartRequest(market="uk", country="GB", lines=lines), ["GBP"], OFFERS)


async def put_in(carts: Carts, kept: Kept, sku: str, quantity: int = 1) -> Kept:
    lines = [CartLineRequest(sku=sku, quantity=quantity)]
    return await carts.change(kept, lambda cart, write: rules.put_in(cart, lines, OFFERS, write))


async def told(record: Record) -> list[CartAbandoned]:
    """Return every abandoned cart that the log tells of."""
    async with record.reading() as connection:
        rows = await connection.fetch("SELECT key, body FROM log.event WHERE kind = $1 ORDER BY seq", CART_ABANDONED)
    return [msgspec.json.decode(row["body"], type=CartAbandoned) for row in rows]


async def test_a_change_whose_answer_was_lost_is_made_once(
    carts: Carts, memory_url: str, label: str, clock: FixedClock, sealing: Sealing
) -> None:
    kept = await opened(carts)
    forgetful = ForgetfulDrawer(memory_url, label)
    changed = await put_in(carts_of(forgetful, clock, sealing), kept, "MUG", 2)
    await forgetful.close()
    assert changed.cart.lines.counts() == {"MUG": 3} == (await carts.load(kept.id)).cart.lines.counts()


async def test_processes_that_change_one_cart_at_once_lose_nothing(
    drawer: RedisDrawer, clock: FixedClock, sealing: Sealing
) -> None:
    processes = [carts_of(drawer, clock, sealing) for _ in range(4)]
    kept = await opened(processes[0], 0)
    await asyncio.gather(*(put_in(processes[n % 4], kept, "MUG" if n % 2 else "TRAY") for n in range(40)))
    assert (await processes[0].load(kept.id)).cart.lines.counts() == {"MUG": 20, "TRAY": 20}


async def test_a_cart_is_found_by_its_id_alone_which_the_drawer_does_not_hold(carts: Carts, drawer: RedisDrawer) -> None:
    kept = await opened(carts)
    names = [key async for key in drawer._redis.scan_iter(match=f"*{kept.id.hex}*")]
    assert (names, str(kept.id).encode() in kept.bytes, kept.id.version) == ([], False, 4)
    with pytest.raises(NotFoundError, match="expired"):
        await carts.load(UUID(state.reference(kept.id)))


async def test_articles_put_in_while_a_cart_is_merged_are_merged_too(carts: Carts) -> None:
    guest, own = await opened(carts), await opened(carts, 0)

    async def add_until_closed() -> int:
        for number in range(1000):
            try:
                await put_in(carts, await carts.load(guest.id), "TRAY")
            except ConflictError:
                return number
        raise AssertionError("the cart was never closed")

    added, _ = await asyncio.gather(add_until_closed(), carts.sign_in(guest.id, own.id))
    assert (await carts.load(own.id)).cart.lines.counts() == {"MUG": 1} | ({"TRAY": added} if added else {})


async def test_a_cart_left_alone_is_told_of_once_however_often_the_job_runs(
    record: Record, carts: Carts, drawer: RedisDrawer, clock: FixedClock
) -> None:
    kept = await opened(carts, 2)
    assert await announce_abandoned(record, drawer, CELL, clock) == 0
    clock.now += LATER
    assert sum(await asyncio.gather(*(announce_abandoned(record, drawer, CELL, clock) for _ in range(3)))) == 1
    assert await announce_abandoned(record, drawer, CELL, clock) == 0
    (event,) = await told(record)
    assert (event.reference, event.country) == (state.reference(kept.id), "GB")
    assert [(line.sku, line.quantity, line.unit_minor) for line in event.lines] == [("MUG", 2, 500)]
    assert utc(clock.now) - event.touched_at == timedelta(milliseconds=LATER)


async def test_a_job_cut_between_telling_and_dismissing_tells_no_second_time(
    record: Record, carts: Carts, drawer: RedisDrawer, clock: FixedClock
) -> None:
    await opened(carts)
    clock.now += LATER
    idle = await drawer.idle(clock.now, 10)
    assert await announce_abandoned(record, drawer, CELL, clock) == 1
    for name, touched in idle:  # as if the index had never heard of it
        await drawer._redis.zadd(drawer._keys(name)[1], {name: touched})
    assert await announce_abandoned(record, drawer, CELL, clock) == 0
    assert len(await told(record)) == 1


async def test_a_cart_taken_up_again_and_left_again_is_told_of_twice(
    record: Record, carts: Carts, drawer: RedisDrawer, clock: FixedClock
) -> None:
    kept = await opened(carts)
    clock.now += LATER
    await announce_abandoned(record, drawer, CELL, clock)
    await put_in(carts, kept, "TRAY")
    assert await announce_abandoned(record, drawer, CELL, clock) == 0
    clock.now += LATER
    assert await announce_abandoned(record, drawer, CELL, clock) == 1
    assert [len(event.lines) for event in await told(record)] == [1, 2]


async def test_of_an_empty_cart_and_an_ordered_one_nothing_is_told(
    record: Record, carts: Carts, drawer: RedisDrawer, clock: FixedClock
) -> None:
    await opened(carts, 0)
    await carts.close(await opened(carts), "ordered")
    clock.now += LATER
    assert await announce_abandoned(record, drawer, CELL, clock) == 0
    assert list(await drawer.idle(clock.now, 10)) == []


async def test_whom_a_cart_goes_to_lies_sealed_and_its_buyer_still_reads_it(carts: Carts, drawer: RedisDrawer) -> None:
    line = CartLineRequest(sku="MUG", quantity=1, note="For Ada, who is forty")
    kept = await carts.open(CartRequest(market="uk", country="GB", lines=[line]), ["GBP"], OFFERS)
    kept = await carts.change(kept, lambda cart, write: rules.deliver_to(cart, BUYER, write))
    lies = await drawer.load(state.reference(kept.id))
    assert lies is not None
    assert not [word for word in (BUYER.email, BUYER.name, BUYER.address.line1, "Ada") if word.encode() in lies]
    read = (await carts.load(kept.id)).cart
    assert (read.contact.value, read.notes["MUG"].value) == (BUYER, line.note)
