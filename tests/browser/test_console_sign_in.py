"""Signing in by page in a real browser, with the browser's own virtual authenticator for passkeys."""

import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from msgspec import structs
from playwright.async_api import Browser, BrowserContext, Page

from entrepot.base.principal import Membership
from entrepot.cli.people import sign_in_link
from entrepot.cli.serve import serving
from entrepot.commerce.people.passkeys import Site
from tests.browser.conftest import DESK, fits_and_reads_well, window_on
from tests.house import House, served


@pytest.fixture
async def window(browser: Browser, house: House) -> AsyncIterator[BrowserContext]:
    """Return a window without a key on a house that knows its own address: passkeys are good for that one and no other."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    site = f"http://localhost:{port}"
    app = structs.replace(house.app, people=structs.replace(house.app.people, site=Site(site)))
    async with (
        serving(app) as asgi,
        served(structs.replace(house, app=app, asgi=asgi), port),
        window_on(browser, site, viewport=DESK) as context,
    ):
        yield context


async def come_in(house: House, page: Page, email: str, *roles: Membership) -> None:
    link = await sign_in_link(house.app.record, house.app.people, house.app.settings, email, list(roles))
    await page.goto(f"/link#{urlsplit(link.link).fragment}")
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def test_the_office_leads_to_signing_in_and_a_link_opens_it(house: House, window: BrowserContext) -> None:
    page = await window.new_page()
    await page.goto("/office")
    assert "/sign-in?next=" in page.url
    await fits_and_reads_well(page)
    await come_in(house, page, "office@example.com", Membership("admin"))
    await page.goto("/office/people")
    assert await page.get_by_role("heading", name="People").is_visible()
    await fits_and_reads_well(page)


async def test_a_passkey_is_added_and_signs_in(house: House, window: BrowserContext) -> None:
    page = await window.new_page()
    devtools = await window.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    authenticator = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": authenticator})
    await come_in(house, page, "keyholder@example.com")
    await page.goto("/account/security")
    await page.get_by_role("button", name="Add a passkey").click()
    await page.locator("#passkeys ~ ul.brief").wait_for()
    await fits_and_reads_well(page)
    await page.get_by_role("button", name="Sign out here").click()
    await page.goto("/sign-in?next=/account/security")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.get_by_role("heading", name="Where you are signed in").wait_for()
    assert await page.get_by_text("keyholder@example.com").is_visible()
