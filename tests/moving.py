"""A role that is moved while people read and orders come: for tests of moves, on embedded engines and on real servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct, field

from entrepot.commerce.checkout.requests import LineRequest, OrderRequest
from entrepot.log.moves import Move
from entrepot.moving.moving import Mover
from entrepot.verify.verify import Verifier
from tests.house import House
from tests.log_case import until

PAGES = ("/v1/search?q=kettle&market=uk", "/v1/search?market=uk")

SKU, BESIDE = "TRAY-CEDAR-RED", "TRAY-CEDAR-WHITE"
# Of the thousand pieces that a house has of each, so that other tests find some, too.
ORDERS_MAX = 200
# Neo4j's first batches took 30 s on two cores that twelve processes wanted.
BUILT_SECONDS_MAX = 120.0


class Load(Struct):
    """What readers and buyers were answered: the status of each read (0 if it found nothing), and how many orders."""

    reads: list[int] = field(default_factory=list)
    orders: int = 0


def mover(house: House) -> Mover:
    """Return who moves roles in a house, by the hand of the tests."""
    app = house.app
    return Mover(app.record, app.settings, app.sealing, app.stores.places, app.subscriptions, app.cache, "system/tests")


async def moved(house: House, role: str, url: str) -> Move:
    """Begin, wait until all is built, prove it, and switch."""
    one = mover(house)
    begun = await one.begin(role, url)
    await until_built(one, begun)
    return await one.switch(begun, await one.prove(begun))


async def moved_back(house: House, role: str, url: str) -> Move:
    """Leave the engine that a role was moved from, and move it there once more for good."""
    # A machine that is busy may have had the old engine answer of late.
    await mover(house).end(role, finish=True, force=True)
    done = await moved(house, role, url)
    await mover(house).end(role, finish=True, force=True)
    return done


async def differing(house: House, role: str) -> int:
    """Return how many items of a role's projections, as readers read them, are not what the truth says."""
    verifier = Verifier(house.app.record, house.app.live, cells=(house.app.settings.cell,))
    followed = [one for one in house.app.subscriptions if one.projection.role == role]
    return sum([(await verifier.verify(one.projection, one.store)).differs for one in followed])


async def until_built(one: Mover, begun: Move) -> None:
    """Wait until what is built lacks nothing."""

    async def built() -> bool:
        return not await one.is_behind(begun)

    await until(built, BUILT_SECONDS_MAX)


async def engine_read(house: House, role: str) -> str:
    """Return the engine that readers of a role's projection use, once this process has heard of it."""
    await house.app.live.refresh()
    name = next(one.name for one in house.app.projections if one.role == role)
    return await house.app.stores.places.url(role, house.app.live.target(name).engine)


@asynccontextmanager
async def under_load(house: House) -> AsyncIterator[Load]:
    """Search, open product pages and place orders all the time."""
    load, found = Load(), (await house.client.get("/v1/search?market=uk")).json()["hits"]
    products = [
        f"/v1/products/{one['product_id']}{end}" for one in found for end in ("?market=uk", "/bought-together?market=uk")
    ]

    over = asyncio.Event()

    async def read(paths: list[str]) -> None:
        while not over.is_set():
            for path in paths:
                answer = await house.client.get(path)
                hits = answer.json().get("hits")
                load.reads.append(answer.status_code if hits is None or hits else 0)
                await asyncio.sleep(0)  # a page out of a cache waits for nothing, and nobody else would have a turn

    async def buy() -> None:
        lines = [LineRequest(sku=SKU, quantity=1), LineRequest(sku=BESIDE, quantity=1)]
        request = OrderRequest(market="uk", currency="GBP", country="GB", lines=lines)
        while not over.is_set() and load.orders < ORDERS_MAX:
            await house.app.gatherer.place(f"{house.app.record.ids.fresh()}", request)
            load.orders += 1

    # Ended by a word, not cut off: what was asked is answered, and counts.
    async with asyncio.TaskGroup() as tasks:
        for work in (read(list(PAGES)), read(products), buy()):
            tasks.create_task(work)
        try:
            yield load
        finally:
            over.set()


async def until_room_says(house: House, words: str) -> None:
    """Wait until the engine room says this: what the processes count is told once a second."""

    async def said() -> bool:
        return words in (await house.client.get("/engine-room")).text

    await until(said)
