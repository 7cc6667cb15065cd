"""Whatever is ordered, cancelled and returned in whatever order: stock, money and events agree with a model of three dicts."""

from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.base.errors import EntrepotError
from entrepot.commerce.checkout.commands import cancel_order, return_goods
from entrepot.commerce.checkout.place import place_orders
from entrepot.commerce.checkout.requests import Placed, ReturnLineRequest, ReturnRequest
from entrepot.record.transaction import Record
from tests.trade import CELL, ledger, left, open_shop, order

ARTICLES = 3
NUMBERS = count()

Step = tuple[str, int, dict[int, int]]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["order", "order", "order", "cancel", "return"]),
        st.integers(0, 5),
        st.dictionaries(st.integers(0, ARTICLES - 1), st.integers(1, 6), min_size=1),
    ),
    max_size=12,
)


class Shop:
    """The model: pieces by article, what each accepted order holds and has got back, and what customers owe."""

    def __init__(self, names: list[str], pieces: int) -> None:
        self.names = names
        self.available = dict.fromkeys(names, pieces)
        self.placed: list[tuple[Placed, dict[str, int], dict[str, int]]] = []
        self.receivable = 0


async def take(record: Record, shop: Shop, step: Step) -> None:
    kind, which, articles = step
    wanted = {shop.names[n]: pieces for n, pieces in articles.items()}
    if kind == "order":
        await buy(record, shop, wanted)
    elif shop.placed and which < len(shop.placed):
        await (cancel if kind == "cancel" else give_back)(record, shop, which, wanted)


async def buy(record: Record, shop: Shop, wanted: dict[str, int]) -> None:
    [answer] = await place_orders(record, CELL, [(f"order-{next(NUMBERS)}", order(wanted), None)])
    possible = all(shop.available[name] >= pieces for name, pieces in wanted.items())
    assert isinstance(answer, Placed) == possible
    if isinstance(answer, Placed):
        shop.placed.append((answer, wanted, {}))
        shop.receivable += answer.total_minor
        for name, pieces in wanted.items():
            shop.available[name] -= pieces


async def cancel(record: Record, shop: Shop, which: int, _: dict[str, int]) -> None:
    placed, held, back = shop.placed[which]
    try:
        async with record.transaction(CELL) as tx:
            await cancel_order(tx, f"cancel-{next(NUMBERS)}", placed.order_id, "changed my mind")
    except EntrepotError:
        assert back
        return
    assert not back
    back.update(held)
    shop.receivable -= placed.total_minor
    for name, pieces in held.items():
        shop.available[name] += pieces


async def give_back(record: Record, shop: Shop, which: int, wanted: dict[str, int]) -> None:
    placed, held, back = shop.placed[which]
    lines = [ReturnLineRequest(sku=name, quantity=pieces) for name, pieces in wanted.items()]
    request = ReturnRequest(
        market="uk", country="GB", currency="GBP", order_id=placed.order_id, lines=lines, reason="not what I thought"
    )
    try:
        async with record.transaction(CELL) as tx:
            returned = await return_goods(tx, f"return-{next(NUMBERS)}", request)
    except EntrepotError:
        assert any(held.get(name, 0) - back.get(name, 0) < pieces for name, pieces in wanted.items())
        return
    shop.receivable -= returned.total_minor
    for name, pieces in wanted.items():
        back[name] = back.get(name, 0) + pieces
        shop.available[name] += pieces


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_any_history_of_trade_leaves_stock_and_money_as_a_model_says(record: Record, steps: list[Step]) -> None:
    names = [f"article-{next(NUMBERS)}" for _ in range(ARTICLES)]
    await open_shop(record, dict.fromkeys(names, 10))
    shop = Shop(names, 10)
    before = (await ledger(record)).get("receivable", 0)
    for step in steps:
        await take(record, shop, step)
    assert {name: await left(record, name) for name in names} == shop.available
    balances = await ledger(record)
    assert balances.get("receivable", 0) - before == shop.receivable
    assert sum(balances.values()) == 0


async def test_the_last_event_of_each_level_is_the_level(record: Record) -> None:
    await open_shop(record, {"tea": 10, "cup": 4})
    for n in range(6):
        await place_orders(record, CELL, [(f"k{n}", order({"tea": 1, "cup": 1}), None)])
    async with record.reading() as connection:
        differing = await connection.fetchval(
            "SELECT count(*) FROM stock.level l LEFT JOIN log.event e ON e.version = l.version"
            " AND e.key = 'stock/' || l.variant_id || '/' || l.warehouse AND (e.body ->> 'available')::int = l.available"
            " WHERE e.id IS NULL"
        )
    assert differing == 0
