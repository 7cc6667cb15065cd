"""A storefront of the operator's own, on another host, speaks to the API from a real browser; nobody else's page does."""

import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from msgspec import structs
from playwright.async_api import Browser, Error

from entrepot.cli.serve import serving
from tests.browser.conftest import window_on
from tests.house import House, served

# A guest searches, looks at a product and makes a cart; nothing of it is of the page's own host.
SHOPPING = """async api => {
    const found = await fetch(`${api}/v1/search?q=teapot`);
    const hit = (await found.json()).hits[0];
    const product = await (await fetch(`${api}/v1/products/${hit.product_id}`)).json();
    const body = JSON.stringify({market: "uk", country: "GB", lines: [{sku: product.variants[0].sku, quantity: 2}]});
    const made = await fetch(`${api}/v1/carts`, {method: "POST", body,
        headers: {"Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID()}});
    return [made.status, made.headers.get("Location"), (await made.json()).lines[0].quantity];
}"""


class Page(SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing of it."""

    def log_message(self, *_: object) -> None:
        """Leave the requests out of what the tests print."""


@contextlib.contextmanager
def pages(folder: Path, host: str) -> Iterator[str]:
    """Serve a folder's pages; gives the address that a browser knows them by."""
    folder.joinpath("index.html").write_text("<!doctype html><title>Shop</title><link rel=icon href=data:,>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Page, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{host}:{server.server_port}"
        server.shutdown()


@pytest.fixture
async def shop(house: House, tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """Return a storefront's address, and that of a house which knows it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with pages(tmp_path, "localhost") as site:
        app = structs.replace(house.app, settings=structs.replace(house.app.settings, storefronts=(site,)))
        async with serving(app) as asgi, served(structs.replace(house, app=app, asgi=asgi), port) as api:
            yield site, api


async def test_a_guest_shops_on_a_page_of_another_host(browser: Browser, shop: tuple[str, str]) -> None:
    site, api = shop
    async with window_on(browser, site) as context:
        page = await context.new_page()
        await page.goto("/")
        made, where, pieces = await page.evaluate(SHOPPING, api)
        assert (made, pieces) == (201, 2)
        assert where.startswith("/v1/carts/")


async def test_a_page_that_is_not_named_is_not_told_what_the_house_answers(
    browser: Browser, shop: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pages(tmp_path_factory.mktemp("evil"), "localhost") as evil:
        async with window_on(browser, evil) as context:
            page = await context.new_page()
            await page.goto("/")
            with pytest.raises(Error, match="Failed to fetch"):
                await page.evaluate(SHOPPING, shop[1])
