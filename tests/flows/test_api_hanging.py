"""An engine that hangs (stopped, its connections open) costs a reader seconds and a sentence, never minutes or a 500."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import psutil

from entrepot.base.limits import READ_SECONDS_MAX, RELEASE_SECONDS_MAX
from tests.house import House

PAGE = {"Accept": "text/html"}


@contextmanager
def hanging(*urls: str) -> Iterator[None]:
    """Stop the servers at these URLs, and everything that they started, for the length of the block."""
    ports = {urlsplit(url).port for url in urls}
    below = psutil.Process().children(recursive=True)
    servers = [
        one for one in below if any(c.status == psutil.CONN_LISTEN and c.laddr.port in ports for c in one.net_connections())
    ]
    stopped = [*servers, *(child for server in servers for child in server.children(recursive=True))]
    assert servers
    for one in stopped:
        one.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for one in stopped:
            if one.is_running():
                one.send_signal(signal.SIGCONT)


async def timed(house: House, path: str, headers: dict[str, str]) -> tuple[httpx.Response, float]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    return await house.client.get(path, headers=headers), loop.time() - began


async def test_a_product_page_is_shown_without_what_a_hanging_engine_knows(house: House) -> None:
    found = (await house.client.get("/v1/search?q=mug")).json()["hits"][0]
    engines = house.app.settings.engines
    with hanging(engines.memory, engines.graph):
        answer, seconds = await timed(house, f"/products/{found['product_id']}", PAGE)
    assert answer.status_code == 200, answer.text
    assert seconds < READ_SECONDS_MAX


async def test_readers_of_a_record_that_hangs_hear_so_in_time_each_in_their_own_form(house: House) -> None:
    await house.client.get("/engine-room", headers=PAGE)
    with hanging(house.app.settings.engines.record):
        asked = [("/v1/orders", {}), ("/orders", PAGE), ("/engine-room", PAGE), ("/v1/stock/MUG-ALDER-RED", {})]
        answers = await asyncio.gather(*(timed(house, path, headers) for path, headers in asked))
    orders, page, room, stock = (answer for answer, _ in answers)
    assert [orders.status_code, page.status_code, room.status_code, stock.status_code] == [503, 503, 200, 503]
    assert orders.headers["content-type"] == stock.headers["content-type"] == "application/problem+json"
    assert page.headers["content-type"].startswith("text/html")
    assert "The record cannot be looked at" in room.text
    assert max(seconds for _, seconds in answers) < READ_SECONDS_MAX + 5 * RELEASE_SECONDS_MAX
