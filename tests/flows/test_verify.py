"""Verify finds and names every item that is not what the truth makes of it, anywhere, while writes go on, and mends it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
import pytest

from entrepot.base import limits
from entrepot.base.errors import NotThereYetError
from entrepot.base.event import Event
from entrepot.base.projection import Item, Shape
from entrepot.commerce.catalog import events as catalog
from entrepot.commerce.ordering import events as ordering
from entrepot.commerce.pricing import events as pricing
from entrepot.commerce.stock import events as stock
from entrepot.verify.verify import Report, Verifier
from tests.full_shop import fill, trade
from tests.log_case import House, house
from tests.trade import open_shop

BODIES: Mapping[str, tuple[type[msgspec.Struct], str]] = {
    catalog.CATEGORY_CHANGED: (catalog.CategoryChanged, ""),
    catalog.PRODUCT_CHANGED: (catalog.ProductChanged, ""),
    pricing.PRICES_SET: (pricing.PricesSet, "/prices"),
    stock.STOCK_CHANGED: (stock.StockChanged, ""),
    ordering.ORDER_PLACED: (ordering.OrderPlaced, ""),
    ordering.ORDER_CANCELLED: (ordering.OrderCancelled, "/cancelled"),
    ordering.ORDER_RETURNED: (ordering.OrderReturned, ""),
}


class Mirror:
    """Every event's whole body: whatever the truth tells otherwise than the log did shows as a difference."""

    name = "mirror"
    version = 1
    role = "documents"
    kinds = frozenset({*BODIES, catalog.PRODUCT_WITHDRAWN})
    aggregates: tuple[str, ...] = ("product", "category", "stock", "order", "return")
    shape = Shape()

    def reads(self, event: Event) -> Sequence[str]:  # noqa: ARG002  # a plain mapping looks at nothing
        return ()

    def project(self, event: Event, state: Mapping[str, Item]) -> Sequence[Item]:  # noqa: ARG002  # as above
        if event.kind == catalog.PRODUCT_WITHDRAWN:
            return [Item(event.key, event.version, None)]
        type_, suffix = BODIES[event.kind]
        body = msgspec.to_builtins(event.decode(type_))
        for forgotten in ("delta", "reason") if event.kind == stock.STOCK_CHANGED else ():
            del body[forgotten]
        # The dictionaries of a body come in one order from log and truth: a projection may take "the first text".
        orders = [list(value) for value in body.values() if isinstance(value, dict)]
        return [Item(event.key + suffix, event.version, {**body, "orders": orders})]


@pytest.fixture
async def home(migrated_url: str) -> AsyncIterator[House]:
    async with house(migrated_url, Mirror()) as opened, opened.projecting(Mirror()):
        yield opened


async def verify(home: House, *, repair: bool = False) -> Report:
    return await Verifier(home.record, home.live).verify(Mirror(), home.store, repair=repair)


async def items(home: House, beginning: str) -> list[Item]:
    return list(await home.store.scan(home.live.target("mirror"), beginning, beginning + "~"))


async def put(home: House, *changed: Item) -> None:
    """Change the projection behind everyone's back."""
    await home.store.put(home.live.target("mirror"), changed)


async def test_the_truth_tells_every_aggregate_exactly_as_the_log_did(home: House) -> None:
    await fill(home.record)
    report = await verify(home)
    assert (report.differs, report.differences) == (0, [])
    # 3 products and their 4 sets of prices, 3 categories, 2 + 1 levels, 3 orders and a cancellation, 2 returns
    assert report.checked == 3 + 4 + 3 + 3 + 4 + 2


async def test_a_deleted_a_changed_an_older_and_a_newer_item_are_named_with_why(home: House) -> None:
    await fill(home.record)
    await verify(home)
    found = await items(home, "order/")
    deleted, changed, older = found[0], found[1], found[2]
    (back, *_) = await items(home, "return/")
    await put(
        home,
        Item(deleted.id, 0, None),
        Item(changed.id, changed.version, {**(changed.body or {}), "country": "XX", "new": 1}),
        Item(older.id, 0, older.body),
        Item(back.id, 7, back.body),
    )
    report = await verify(home)
    assert {(d.id, d.why, d.fields) for d in report.differences} == {
        (deleted.id, "missing", ()),
        (changed.id, "content differs", ("country", "new")),
        (older.id, "older version", ()),
        (back.id, "newer version", ()),
    }
    assert report.differs == 4


@pytest.mark.parametrize("id_", ["", "!", "order/", "order/zzz", "order0", "product.", "zzz", "\U0010ffff", "stock/x/y"])
async def test_an_extra_item_is_found_wherever_its_id_lies(home: House, id_: str) -> None:
    await open_shop(home.record, {"tea": 1})
    await verify(home)
    await put(home, Item(id_, 3, {"planted": True}))
    report = await verify(home)
    assert [(d.id, d.why, d.found_version) for d in report.differences] == [(id_, "extra", 3)]


async def test_repair_mends_every_difference_and_a_second_look_finds_none(home: House) -> None:
    await fill(home.record)
    before = await verify(home)
    (changed, deleted, *_) = await items(home, "product/")
    await put(home, Item(changed.id, 1, {}), Item(deleted.id, 0, None), Item("order/planted", 1, {"x": 1}))
    mended = await verify(home, repair=True)
    assert (mended.repaired, mended.differs) == (3, 0)
    after = await verify(home)
    assert (after.differs, after.checksum) == (0, before.checksum)


async def test_nothing_differs_while_orders_come_in(home: House) -> None:
    await fill(home.record)
    busy = asyncio.create_task(trade_on(home))
    try:
        for _ in range(5):
            assert (await verify(home)).differences == []
        assert not busy.done(), "orders stopped coming in"
    finally:
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)


async def trade_on(home: House) -> None:
    while True:
        await trade(home.record)


async def test_a_result_is_kept(home: House) -> None:
    await open_shop(home.record, {"tea": 1})
    report = await verify(home)
    async with home.record.committing() as connection:
        kept = await connection.fetchrow("SELECT * FROM log.verification ORDER BY id DESC LIMIT 1")
    assert kept is not None
    assert (kept["projection"], kept["checked"], kept["differing"]) == ("mirror", report.checked, 0)


async def test_a_projection_that_was_never_made_is_told_at_once_and_not_waited_for(migrated_url: str) -> None:
    async with house(migrated_url, Mirror()) as opened, asyncio.timeout(limits.VERIFY_WAIT_SECONDS / 2):
        await open_shop(opened.record, {"tea": 1})
        with pytest.raises(NotThereYetError, match="no live generation"):
            await verify(opened)


async def test_a_projection_that_stands_still_is_not_judged(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(migrated_url, Mirror()) as home:
        async with home.projecting(Mirror()):
            await open_shop(home.record, {"cup": 1})
            await verify(home)
        monkeypatch.setattr(limits, "VERIFY_WAIT_SECONDS", 0.1)
        await open_shop(home.record, {"tea": 1})
        with pytest.raises(NotThereYetError, match="start the projector"):
            await verify(home)
