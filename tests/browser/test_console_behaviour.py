"""The store tells what is looked at: without an id until somebody agrees, and the office sees it in sums."""

import asyncio
import re

from playwright.async_api import Page, expect

from entrepot.behaviour.query import Span, totals
from tests.browser.conftest import fits_and_reads_well
from tests.house import House

READY_SECONDS = 60.0


async def counted(house: House, kind: str) -> tuple[int, int]:
    """Return how many events of a kind are kept, and how many by who agreed."""
    found = {one.kind: (one.events, one.by_visitors) for one in await totals(house.app.stores.columns, Span())}
    return found.get(kind, (0, 0))


async def until_counted(house: House, kind: str, more_than: tuple[int, int]) -> None:
    """Wait until more events of a kind are kept, and more by who agreed."""
    async with asyncio.timeout(READY_SECONDS):
        while True:
            events, named = await counted(house, kind)
            if events > more_than[0] and named > more_than[1]:
                return
            await asyncio.sleep(0.1)


async def test_who_agrees_is_counted_from_then_on(desk: Page, house: House) -> None:
    before = {kind: await counted(house, kind) for kind in ("search", "click", "view", "cart")}
    await desk.goto("/")
    asking = desk.get_by_role("complementary", name="May we know that it is you again?")
    await fits_and_reads_well(desk)
    await asking.get_by_role("button", name="Yes, I agree").click()
    await expect(asking).to_be_hidden()
    await desk.goto("/search?q=birch")
    await desk.locator(".hit-title").first.click()
    await expect(desk).to_have_url(re.compile("/products/"))
    await desk.get_by_role("button", name="Add to cart").click()
    await desk.goto("/behaviour")
    for kind, seen in before.items():
        await until_counted(house, kind, seen)
    await desk.reload()
    await expect(desk.get_by_role("heading", name="How far they come")).to_be_visible()
    await expect(desk.locator(".chart canvas")).to_be_visible()
    await expect(desk.get_by_role("region", name="Who comes again")).to_contain_text("\N{EN DASH}")
    await fits_and_reads_well(desk)
    await desk.get_by_role("button", name="What we count").click()
    await asking.get_by_role("button", name="No, thank you").click()
    assert await desk.evaluate("localStorage.getItem('entrepot.analytics')") == "no"
