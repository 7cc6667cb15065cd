"""`entrepot screenshots`: makes the pictures of the README from a running console, so that none is ever made by hand."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.settings import load

if TYPE_CHECKING:
    from playwright.async_api import Page

SETTLE_MILLIS = 2_500


class Picture(Struct, frozen=True, kw_only=True):
    """One picture: which page, in what window, light or dark. ``steps`` are done before, in turn.

    A step clicks the first thing that matches it; one written ``field=text`` fills a field of the form by its name.
    """

    name: str
    path: str
    width: int = 1_280
    height: int = 800
    dark: bool = False
    steps: tuple[str, ...] = ()


IN_CART = (".hit:nth-child(5) .hit-title", ".buy .button.first")
AT_CHECKOUT = (*IN_CART, ".summary .button.first")
ADDRESS = ("email=kim@example.org", "name=Kim Lee", "line1=1 High St", "postcode=YO1 7HH", "city=York")

PICTURES = (
    Picture(name="store", path="/search?q={query}"),
    Picture(name="product", path="/search?q={query}", steps=(".hit:nth-child(5) .hit-title",)),
    Picture(name="cart", path="/search?q={query}", steps=(*IN_CART, "#more-1", ".why summary")),
    Picture(name="checkout", path="/search?q={query}", height=1_000, steps=(*AT_CHECKOUT, *ADDRESS)),
    Picture(name="thanks", path="/search?q={query}", steps=(*AT_CHECKOUT, *ADDRESS, ".summary .button.first")),
    Picture(name="office", path="/office"),
    Picture(name="webhooks", path="/office/webhooks", dark=True),
    Picture(name="orders", path="/orders", dark=True),
    Picture(name="sales", path="/sales"),
    Picture(name="engine-room", path="/engine-room", dark=True),
    Picture(name="engine-room-wall", path="/engine-room", width=1_760, height=900),
    Picture(name="store-phone", path="/search?q={query}", width=390, height=844),
    Picture(name="checkout-phone", path="/search?q={query}", width=390, height=844, steps=(*AT_CHECKOUT, *ADDRESS)),
    Picture(name="engine-room-phone", path="/engine-room", width=390, height=844, dark=True),
)


async def screenshots(*, to: Path = Path("docs/pictures"), address: str | None = None, query: str = "heart") -> None:
    """Make the pictures of a console that runs (see `entrepot demo`); needs chromium and the development packages.

    Parameters
    ----------
    to
        The folder that the pictures go to.
    address
        Where the console is (default: the port of the settings on this machine).
    query
        What the store's pictures search for.
    """
    try:
        from playwright.async_api import Error, async_playwright  # noqa: PLC0415  # a package for development only
    except ModuleNotFoundError as error:
        raise BadInputError("Pictures need the package playwright: run 'make setup'.") from error
    chromium = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
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
                await page.goto(picture.path.format(query=query))
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
    field, filled, text = step.partition("=")
    if filled:
        await page.locator(f'[name="{field}"]').fill(text)
    else:
        await page.locator(step).first.click()
        await page.wait_for_load_state()
