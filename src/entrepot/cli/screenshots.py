"""`entrepot screenshots`: makes the pictures of the README from a running console, so that none is ever made by hand."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.settings import load

if TYPE_CHECKING:
    from playwright.async_api import Page

SETTLE_MILLIS = 2_500
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")


class Picture(Struct, frozen=True, kw_only=True):
    """One picture: which page, in what window, light or dark. ``steps`` are done before, in turn.

    A step clicks the first thing that matches it; ``BUYABLE`` opens the first product of the results that can be bought,
    ``ADDRESS`` fills in a checkout's address in the country that it names.
    """

    name: str
    path: str
    width: int = 1_280
    height: int = 800
    dark: bool = False
    steps: tuple[str, ...] = ()


BUYABLE, ADDRESS = "a product that can be bought", "an address"
IN_CART = (BUYABLE, ".buy .button.first")
AT_CHECKOUT = (*IN_CART, ".summary .button.first", ADDRESS)

BUYER = {"email": "kim@example.org", "name": "Kim Lee"}
# Where tax goes by region, a checkout wants to know it; elsewhere the first of these will do.
PLACES: Mapping[str, Mapping[str, str]] = {
    "": {"line1": "1 High St", "postcode": "YO1 7HH", "city": "York"},
    "US": {"line1": "1 Main St", "postcode": "95814", "city": "Sacramento", "region": "CA"},
    "CA": {"line1": "1 King St", "postcode": "M5H 1A1", "city": "Toronto", "region": "ON"},
}

PICTURES = (
    Picture(name="store", path="/search?q={query}&market={market}"),
    Picture(name="product", path="/search?q={query}&market={market}", steps=(BUYABLE,)),
    Picture(name="cart", path="/search?q={query}&market={market}", steps=(*IN_CART, "#more-1", ".why summary")),
    Picture(name="checkout", path="/search?q={query}&market={market}", height=1_000, steps=AT_CHECKOUT),
    Picture(name="thanks", path="/search?q={query}&market={market}", steps=(*AT_CHECKOUT, ".summary .button.first")),
    Picture(name="office", path="/office"),
    Picture(name="webhooks", path="/office/webhooks", dark=True),
    Picture(name="orders", path="/orders", dark=True),
    Picture(name="sales", path="/sales"),
    Picture(name="engine-room", path="/engine-room", dark=True),
    Picture(name="engine-room-wall", path="/engine-room", width=1_760, height=900),
    Picture(name="store-phone", path="/search?q={query}&market={market}", width=390, height=844),
    Picture(name="checkout-phone", path="/search?q={query}&market={market}", width=390, height=844, steps=AT_CHECKOUT),
    Picture(name="engine-room-phone", path="/engine-room", width=390, height=844, dark=True),
)


async def screenshots(
    *, to: Path = Path("docs/pictures"), address: str | None = None, query: str = "heart", market: str = ""
) -> None:
    """Make the pictures of a console that runs (see `entrepot demo`); needs chromium and the development packages.

    Parameters
    ----------
    to
        The folder that the pictures go to.
    address
        Where the console is (default: the port of the settings on this machine).
    query
        What the store's pictures search for; at least one product found must be in stock.
    market
        The market that the pictures buy in (default: the one that the store opens with).
    """
    try:
        from playwright.async_api import Error, async_playwright  # noqa: PLC0415  # a package for development only
    except ModuleNotFoundError as error:
        raise BadInputError("Pictures need the package playwright: run 'make setup'.") from error
    chromium = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if chromium is None:
        raise BadInputError("Pictures need chromium on the PATH: install it, or run .ci/chromium.")
    settings = load(os.environ)
    base = address or f"http://{settings.host}:{settings.port}"
    await asyncio.to_thread(to.mkdir, parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--no-proxy-server"])
        try:
            for picture in PICTURES:
                context = await browser.new_context(
                    base_url=base,
                    viewport={"width": picture.width, "height": picture.height},
                    color_scheme="dark" if picture.dark else "light",
                )
                page = await context.new_page()
                await page.goto(picture.path.format(query=quote(query), market=quote(market)))
                for step in picture.steps:
                    await _do(page, step)
                await page.wait_for_timeout(SETTLE_MILLIS)  # until numbers have moved and charts are drawn
                await page.screenshot(path=to / f"{picture.name}.png")
                await context.close()
                print(to / f"{picture.name}.png")
        except Error as error:
            raise EngineAwayError("console", str(error).splitlines()[0]) from error
        finally:
            await browser.close()


async def _do(page: "Page", step: str) -> None:
    if step == BUYABLE:
        await _open_buyable(page)
    elif step == ADDRESS:
        country = await page.locator('[name="country"]').input_value()
        for field, text in {**BUYER, **PLACES.get(country, PLACES[""])}.items():
            await page.locator(f'[name="{field}"]').fill(text)
        await page.locator(":focus").blur()  # leaving the last field asks what it costs there
        await page.locator("#summary:not(.htmx-request)").wait_for()
    else:
        await page.locator(step).first.click()
        await page.wait_for_load_state()


async def _open_buyable(page: "Page") -> None:
    """Open the first of the products found that can be bought, and choose a variant of it that is in stock."""
    found = [await each.get_attribute("href") for each in await page.locator(".hit-title").all()]
    for href in filter(None, found):
        await page.goto(href)
        if await page.locator(".buy").count() and await page.locator(".offer .state.good").count():
            variants = page.locator('.buy [name="sku"] option')
            in_stock = [sku for sku in await variants.all() if "out of stock" not in await sku.inner_text()]
            if in_stock:
                await page.locator('.buy [name="sku"]').select_option(await in_stock[0].get_attribute("value"))
            return
    raise BadInputError(f"None of the {len(found)} products found can be bought: search for another with --query.")
