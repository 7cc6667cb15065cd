"""What an engine is given to do, role by role: events of a catalogue or of orders by the real projection, and its questions.

Knows roles, not products. Whatever it makes in an engine has a name of its own and is dropped in the end; points of a series
stay until they are too old.
"""

import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import accumulate, islice
from pathlib import Path
from typing import Protocol
from uuid import UUID

import msgspec

from entrepot.base.event import Event, Position
from entrepot.base.ids import derived
from entrepot.base.projection import Projection, Slot, Store, Target
from entrepot.base.time import utc
from entrepot.bench import BenchError, icecat
from entrepot.bench.projecting import projected
from entrepot.commerce.ordering.events import ORDER_PLACED
from entrepot.commerce.stock.events import STOCK_CHANGED, StockChanged
from entrepot.engines.columns.port import ColumnStore
from entrepot.engines.documents.port import DocumentStore
from entrepot.engines.graph.port import GraphStore
from entrepot.engines.memory.port import MemoryStore
from entrepot.engines.search.port import SearchStore
from entrepot.projections.bought_together.project import BoughtTogether
from entrepot.projections.bought_together.query import bought_together
from entrepot.projections.live_stock.project import LiveStock
from entrepot.projections.live_stock.query import available
from entrepot.projections.product_page.project import ProductPages
from entrepot.projections.product_page.query import pages
from entrepot.projections.product_search.project import ProductSearch
from entrepot.projections.product_search.query import Wanted, search
from entrepot.projections.sales_facts.project import LineView, OrderView, SalesFacts
from entrepot.projections.sales_facts.query import by_day

PRODUCTS = 10_000
ORDERS = 5_000
ARTICLES = 4_000
LINES_MAX = 30
LEVELS = 20_000
PAGE = 20
CELL = 1
SEED = 7
SINCE_MILLIS = 1_767_225_600_000  # 2026-01-01
MINUTE_MILLIS = 60_000

_SPACE = "bench-engines"
# Apart from the names of projections, so that nothing of an installation is touched.
_PREFIX = "bench_"

Question = Callable[[Target, int], Awaitable[object]]


class Work(Protocol):
    """What can be done again and again on any product of a role; ``unit`` says of what there are ``amount``."""

    unit: str
    amount: int

    async def fill(self, generation: int, read: int | None = None) -> None:
        """Make a generation from nothing, beside one that is read."""
        ...

    def answers_from(self, generation: int) -> None:
        """Ask this generation from now on."""

    async def ask(self, number: int) -> float:
        """Ask the question of this number, and return the milliseconds that it took."""
        ...

    async def drop(self, generation: int) -> None:
        """Leave nothing of a generation."""
        ...


class Projected:
    """``Work`` of a role that a projection needs: its events are folded and applied in batches, as a projector does."""

    def __init__(self, store: Store, projection: Projection, events: Sequence[Event], question: Question, unit: str) -> None:
        self._store, self._projection, self._events, self._question = store, projection, events, question
        self._asked = self._target(0)
        self.unit, self.amount = unit, len({event.key for event in events})

    async def fill(self, generation: int, read: int | None = None) -> None:
        """Project all events into this generation, giving way to those who read another."""
        target = self._target(generation)
        await self._store.drop(target)  # what a run that was killed has left
        beside = None if read is None else self._target(read)
        await projected(self._store, self._projection, target, self._events, Slot(CELL), beside)

    def answers_from(self, generation: int) -> None:
        """Ask this generation from now on."""
        self._asked = self._target(generation)

    async def ask(self, number: int) -> float:
        """Ask; an answer with nothing in it is worth no figure."""
        began = time.perf_counter()
        if not await self._question(self._asked, number):
            raise BenchError(f"Question {number} of {self._asked.name} was answered with nothing.")
        return (time.perf_counter() - began) * 1000

    async def drop(self, generation: int) -> None:
        """Drop the generation."""
        await self._store.drop(self._target(generation))

    def _target(self, generation: int) -> Target:
        return Target(f"{_PREFIX}{self._projection.name}", generation, self._projection.shape)


def search_work(store: SearchStore, data: str, share: float) -> Work:
    """Return the catalogue in a search engine, asked the queries that people have rated, with facets."""
    texts = sorted(icecat.judgements(Path(data) / icecat.JUDGEMENTS))

    async def question(target: Target, number: int) -> object:
        return (await search(store, target, Wanted(text=texts[number % len(texts)], market=icecat.MARKET))).searched

    return Projected(store, ProductSearch(), _catalogue(data, share), question, "products")


def documents_work(store: DocumentStore, data: str, share: float) -> Work:
    """Return the catalogue as documents, read by pages of twenty."""
    events = _catalogue(data, share)
    ids = [UUID(key.partition("/")[2]) for key in dict.fromkeys(event.key for event in events)]

    async def question(target: Target, number: int) -> object:
        start = number * PAGE % (len(ids) - PAGE)
        return await pages(store, target, ids[start : start + PAGE])

    return Projected(store, ProductPages(), events, question, "products")


def graph_work(store: GraphStore, share: float) -> Work:
    """Return baskets, asked what is bought with one article, drawn as often as it is bought."""
    events = list(orders(int(ORDERS * share)))
    lines = [event.decode(OrderView).lines for event in events]
    asked = [some[0].product_id for some in lines if len(some) > 1]

    async def question(target: Target, number: int) -> object:
        return await bought_together(store, target, [UUID(asked[number % len(asked)])])

    return Projected(store, BoughtTogether(), events, question, "baskets")


def columns_work(store: ColumnStore, share: float) -> Work:
    """Return facts of sales, asked for all sales by the day."""

    async def question(target: Target, _number: int) -> object:
        return await by_day(store, target)

    return Projected(store, SalesFacts(), list(orders(int(ORDERS * share))), question, "orders")


def memory_work(store: MemoryStore, share: float) -> Work:
    """Return levels of stock, read for twenty articles at once."""
    variants = [derived(0, _SPACE, "variant", str(number)) for number in range(int(LEVELS * share))]

    async def question(target: Target, number: int) -> object:
        start = number * PAGE % (len(variants) - PAGE)
        found = await available(store, target, variants[start : start + PAGE])
        return all(found.values())

    return Projected(store, LiveStock(), list(_levels(variants)), question, "levels")


def _catalogue(data: str, share: float) -> list[Event]:
    return list(islice(icecat.events(Path(data)), 2 * int(PRODUCTS * share)))  # what it is, and what it costs


def orders(count: int) -> Iterator[Event]:
    """Yield so many orders of 1 to 30 lines over a year's minutes; what is popular is bought as Zipf says."""
    chance = random.Random(SEED)  # noqa: S311  # made-up orders, which guard nothing
    articles = [str(derived(0, _SPACE, "article", str(number))) for number in range(ARTICLES)]
    popular = list(accumulate(1 / (rank + 1) for rank in range(ARTICLES)))
    for number in range(1, count + 1):
        bought = dict.fromkeys(chance.choices(articles, cum_weights=popular, k=chance.randint(1, LINES_MAX)))
        lines = [
            LineView(
                line=line,
                product_id=article,
                variant_id=article,
                sku=f"s{line}",
                warehouse="main",
                quantity=1,
                amount_minor=500,
            )
            for line, article in enumerate(bought, start=1)
        ]
        id_ = str(derived(number, _SPACE, "order", str(number)))
        at = utc(SINCE_MILLIS + number * 90 * MINUTE_MILLIS)
        order = OrderView(id=id_, market="uk", country="GB", currency="GBP", lines=lines, placed_at=at)
        yield _event(number, ORDER_PLACED, f"order/{id_}", order)


def _levels(variants: Sequence[UUID]) -> Iterator[Event]:
    for number, variant in enumerate(variants, start=1):
        level = StockChanged(variant_id=variant, warehouse="main", available=number, delta=number, reason="received")
        yield _event(number, STOCK_CHANGED, f"stock/{variant}/main", level)


def _event(number: int, kind: str, key: str, body: msgspec.Struct) -> Event:
    return Event(
        cell=CELL,
        id=derived(number, _SPACE, "event", str(number)),
        position=Position(number, number),
        at=number,
        kind=kind,
        key=key,
        version=1,
        body=msgspec.Raw(msgspec.json.encode(body)),
    )
