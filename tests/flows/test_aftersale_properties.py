"""Whatever is shipped, cancelled, returned and refunded, in whatever order: goods, money, ledger and gateway agree."""

from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.base.errors import EntrepotError
from entrepot.commerce.aftersale import commands
from entrepot.commerce.aftersale.events import Reason
from entrepot.commerce.catalog.query import variants
from entrepot.commerce.ordering import store as orders
from entrepot.commerce.ordering.parts import StoredOrder
from entrepot.commerce.stock import commands as stock
from entrepot.commerce.stock.rules import Change
from tests.flows.test_aftersale import Shop, owed, shop
from tests.trade import CELL, left

__all__ = ["shop"]  # the fixture

NUMBERS = count()
REASONS: list[Reason] = ["changed_mind", "damaged", "late"]
STEPS = st.lists(
    st.tuples(st.sampled_from(["ship", "cancel", "return", "goodwill"]), st.integers(1, 2), st.integers(1, 3)), max_size=7
)


async def take(shop: Shop, order: StoredOrder, step: tuple[str, int, int]) -> None:
    """Try one step; what is refused changes nothing."""
    what, line, pieces = step
    try:
        if what == "ship":
            await shop.ship(order.placed.id)
        elif what == "cancel":
            await shop.cancel(order.placed.id, (line, pieces))
        elif what == "return":
            await shop.refund(await shop.take_back(order.placed.id, line, pieces, REASONS[pieces - 1]))
        else:
            async with shop.record.transaction(CELL) as tx:
                await commands.refund(tx, order.placed.id, 37 * pieces, "sorry")
            await shop.settle()
    except EntrepotError:
        await shop.settle()


async def restock(shop: Shop) -> None:
    async with shop.record.transaction(CELL) as tx:
        known = await variants(tx.connection, ["tea", "cup"])
        receipts = [Change(variant_id=one.variant_id, warehouse="main", delta=5) for one in known.values()]
        await stock.receive_stock(tx, receipts)


async def stored(shop: Shop, key: str) -> StoredOrder:
    order_id = await shop.buy({"tea": 3, "cup": 2}, key)
    async with shop.record.reading() as connection:
        order = await orders.order(connection, CELL, order_id)
    assert order is not None
    return order


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_goods_money_ledger_and_gateway_agree_after_any_steps(shop: Shop, steps: list[tuple[str, int, int]]) -> None:
    await restock(shop)
    pieces, owed_before = {sku: await left(shop.record, sku) for sku in ("tea", "cup")}, await owed(shop)
    order = await stored(shop, f"buy-{next(NUMBERS)}")
    for step in [*steps, ("cancel", 1, 3), ("cancel", 2, 2), ("ship", 0, 0)]:
        await take(shop, order, step)
    async with shop.record.reading() as connection:
        after = await orders.order(connection, CELL, order.placed.id)
        back = sum((await orders.given_back(connection, CELL, order.placed.id)).values())
    assert after is not None
    for line in after.lines:
        sold = line.line.quantity - line.cancelled - line.returned
        assert await left(shop.record, line.line.sku) == pieces[line.line.sku] - sold
    paid = await shop.paid(order.placed.id)
    assert await owed(shop) - owed_before == order.placed.total_minor - back - paid.captured_minor + paid.refunded_minor
    if not any(line.open for line in after.lines):
        assert paid.captured_minor - paid.refunded_minor == order.placed.total_minor - back
        assert paid.captured_minor + paid.voided_minor == paid.authorized_minor
