"""The sandbox gateway's webhooks: each twice, newest first, signed, and again until they are taken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from entrepot.base.ids import IdSource
from entrepot.base.time import SystemClock
from entrepot.local.process import free_ports
from entrepot.partners.payment.port import Authorize, Notice
from entrepot.partners.payment.sandbox import SandboxGateway

IDS = IdSource()
CLOCK = SystemClock()
DELIVERED_SECONDS = 15.0


class Listener:
    """Takes webhooks in, refusing the first few."""

    def __init__(self, gateway: SandboxGateway, refusals: int = 0) -> None:
        self._gateway, self._refusals = gateway, refusals
        self.taken: list[Notice] = []
        self._news = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        notice = self._gateway.read_webhook(headers, await request.read(), CLOCK.millis())
        if self._refusals:
            self._refusals -= 1
            return web.Response(status=503)
        self.taken.append(notice)
        self._news.set()
        return web.Response()

    async def until_taken(self, count: int) -> None:
        async with asyncio.timeout(DELIVERED_SECONDS):
            while len(self.taken) < count:
                await self._news.wait()
                self._news.clear()


@asynccontextmanager
async def listening(gateway: SandboxGateway, tmp: str, refusals: int = 0) -> AsyncIterator[Listener]:
    """Listen at a port of this machine; ``tmp`` only decides where the search for a free one begins."""
    listener = Listener(gateway, refusals)
    app = web.Application()
    app.add_routes([web.post("/take", listener.take)])
    runner = web.AppRunner(app)
    await runner.setup()
    (port,) = free_ports(Path(tmp), 1, ())
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await gateway.subscribe(f"http://127.0.0.1:{port}/take", ["payment.captured", "payment.refunded"])
    yield listener
    await runner.cleanup()


def asked() -> Authorize:
    return Authorize(reference=IDS.fresh(), token="tok_ok", amount_minor=1_000, currency="EUR", capture=True)  # noqa: S106  # a test token


async def test_each_webhook_comes_twice_under_one_event_id(gateway: SandboxGateway) -> None:
    async with listening(gateway, "twice") as listener:
        await asyncio.gather(*(gateway.authorize(asked()) for _ in range(5)))
        await listener.until_taken(10)
    events = [one.event_id for one in listener.taken]
    assert sorted(events.count(one) for one in set(events)) == [2] * 5
    assert {one.kind for one in listener.taken} == {"payment.captured"}


async def test_webhooks_that_wait_come_newest_first(gateway: SandboxGateway) -> None:
    await gateway.subscribe("http://127.0.0.1:1/nobody", ["payment.captured"])
    ids = [(await gateway.authorize(asked())).payment_id for _ in range(4)]
    async with listening(gateway, "order") as listener:
        await listener.until_taken(8)
    first = list(dict.fromkeys(one.payment_id for one in listener.taken))
    assert sorted(first) == sorted(ids)
    assert first != ids


async def test_a_webhook_that_was_not_taken_comes_again(gateway: SandboxGateway) -> None:
    async with listening(gateway, "again", refusals=3) as listener:
        await gateway.authorize(asked())
        await listener.until_taken(2)
    assert len({one.event_id for one in listener.taken}) == 1
