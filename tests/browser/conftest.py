"""A real browser before a real house: one chromium for the session, a fresh window for each test."""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Response, async_playwright, expect

from tests.flows.conftest import house as house  # noqa: PLC0414  # the same house: a fixture is found by its name here
from tests.house import House, bearing, served

# Each size and each scheme is seen once; ENTREPOT_WINDOWS=all sees every pair of them.
WINDOWS = {
    "phone-light": (390, 844, "light"),
    "phone-dark": (390, 844, "dark"),
    "desk-light": (1440, 900, "light"),
    "desk-dark": (1440, 900, "dark"),
}
CHOSEN = list(WINDOWS) if os.environ.get("ENTREPOT_WINDOWS") == "all" else ["phone-dark", "desk-light"]
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
DESK = {"width": 1440, "height": 900}
PAGE_MILLIS = 30_000  # how long a busy machine may take for what a page is to show
CLOSING_SECONDS = 20.0

expect.set_options(timeout=PAGE_MILLIS)


def chromium_path() -> str:
    """Return where this machine keeps its chromium: its shell, where it has that, which draws no windows for nobody."""
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise FileNotFoundError("The browser tests need chromium: run .ci/chromium, or put one on the PATH.")


@pytest.fixture(scope="session")
async def address(house: House) -> AsyncIterator[str]:
    """Return the address of the house in a browser."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    async with served(house, port) as found:
        yield found


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Return a running chromium."""
    os.environ.setdefault("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--no-proxy-server", "--disable-gpu"]
        )
        yield launched
        await launched.close()


@contextlib.asynccontextmanager
async def window_on(browser: Browser, address: str, **looks: Any) -> AsyncIterator[BrowserContext]:
    """Open a window of its own on a house; ``looks`` are Playwright's words for its size, scheme and headers.

    One that is closed while it is on its way to another page now and then never says that it is closed: no test waits for
    that, and the browser takes it along when it ends.
    """
    context = await browser.new_context(base_url=address, **looks)
    context.set_default_timeout(PAGE_MILLIS)
    try:
        yield context
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(context.close(), CLOSING_SECONDS)


@pytest.fixture(params=CHOSEN)
async def page(browser: Browser, house: House, address: str, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Return a window of one size and scheme; what its console says against us fails the test."""
    width, height, scheme = WINDOWS[request.param]
    looks = {"viewport": {"width": width, "height": height}, "color_scheme": scheme, "reduced_motion": "reduce"}
    said: list[str] = []
    async with window_on(browser, address, extra_http_headers=bearing(house.key), **looks) as context:
        opened = await context.new_page()
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.on("console", lambda message: said.append(message.text) if _is_ours(message) else None)
        opened.on("response", lambda answer: said.append(answer.url) if _is_missing(answer) else None)
        yield opened
    assert not said, said


def _is_ours(message: ConsoleMessage) -> bool:
    """Tell our errors from a refused form, which is a page of its own and which the browser calls an error too."""
    return message.type == "error" and not message.text.startswith("Failed to load resource")


def _is_missing(answer: Response) -> bool:
    return answer.status >= 400 and answer.request.resource_type != "document"


@pytest.fixture
async def desk(browser: Browser, house: House, address: str) -> AsyncIterator[Page]:
    """Return one desk window, for what does not depend on size or scheme."""
    async with window_on(browser, address, viewport=DESK, extra_http_headers=bearing(house.key)) as context:
        yield await context.new_page()


async def fits_and_reads_well(page: Page) -> None:
    """Check that nothing hangs over the edge and that axe-core finds nothing serious."""
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"the page is {wide} px wider than its window"
    # Evaluated from the test, so that the page's own rules for scripts stay as strict as they are.
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run({resultTypes: ['violations']})")
    serious = [
        f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
    ]
    assert not serious, "\n".join(serious)
