"""Signing in by the button of another provider, in a real browser and with a provider that we did not write."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from entrepot.api import oidc
from tests.browser.conftest import window_on
from tests.flows.django_provider.process import PASSWORD, django_provider
from tests.house import House


@pytest.fixture
async def shop(house: House, address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Have the provider run; returns the address of the house by a name that makes the provider another site."""
    named = address.replace("127.0.0.1", "localhost")
    monkeypatch.setattr(oidc, "_back", lambda _, provider: f"{named}/v1/oidc/{provider}/callback")
    async with django_provider(house, named):
        yield named


async def test_the_button_of_another_provider_leads_there_and_back(browser: Browser, shop: str) -> None:
    async with window_on(browser, shop) as context:
        page = await context.new_page()
        await page.goto("/sign-in")
        await page.get_by_role("button", name="Sign in with django").click()
        await page.get_by_label("Username").fill("grace")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("button", name="Authorize").click()
        await page.wait_for_url(f"{shop}/")
        await page.goto("/account")
        await expect(page.get_by_text("grace@provider.example")).to_be_visible()
