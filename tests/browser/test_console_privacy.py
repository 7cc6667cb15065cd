"""Privacy, the second factor and the audit by page, in a real browser: what a person does, on a phone."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pyotp
import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from entrepot.base.principal import Membership
from tests.browser.conftest import fits_and_reads_well, window_on
from tests.browser.test_console_sign_in import come_in
from tests.forgetting import forget
from tests.house import House
from tests.people import bearer

PHONE = ViewportSize(width=375, height=812)
WHY = {"Entrepot-Why": "ticket/4711"}


@pytest.fixture(params=["light", "dark"])
async def phone(browser: Browser, address: str, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Return a telephone's window, where nobody has signed in."""
    async with window_on(browser, address, viewport=PHONE, color_scheme=request.param, extra_http_headers=WHY) as context:
        yield await context.new_page()


async def looks_well(page: Page, name: str) -> None:
    """Check a page, and keep a picture of it where somebody wants to look."""
    if folder := os.environ.get("PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    await fits_and_reads_well(page)


async def test_an_authenticator_is_set_up_and_its_recovery_codes_are_shown_once(house: House, phone: Page) -> None:
    await come_in(house, phone, "authenticator@example.com")
    await phone.goto("/account/security")
    await looks_well(phone, "security")
    await phone.get_by_role("button", name="Set up an authenticator").click()
    seed = (await phone.locator(".seed").inner_text()).replace(" ", "")
    assert await phone.get_by_role("img", name="QR code that holds the seed written below").is_visible()
    await looks_well(phone, "authenticator")
    await phone.get_by_label("Code").fill("000000")
    await phone.get_by_role("button", name="Use it").click()
    assert await phone.get_by_role("alert").is_visible()
    await phone.get_by_label("Code").fill(pyotp.TOTP(seed).now())
    await phone.get_by_role("button", name="Use it").click()
    codes = await phone.locator(".codes li").all_inner_texts()
    assert len(set(codes)) == len(codes) > 1
    await looks_well(phone, "codes")
    await phone.get_by_role("link", name="I have kept them").click()
    await phone.get_by_role("button", name="Use it no longer").click()
    assert await phone.get_by_text("Codes are asked for no longer.").is_visible()
    assert codes[0] not in await phone.content()


async def test_somebody_gets_a_copy_restricts_and_asks_to_be_forgotten(house: House, phone: Page) -> None:
    await come_in(house, phone, "private@example.com")
    await phone.goto("/account/privacy")
    await looks_well(phone, "privacy")
    async with phone.expect_download() as archive:
        await phone.get_by_role("button", name="Get the copy").click()
    assert (await archive.value).suggested_filename == "export.zip"
    await phone.get_by_role("button", name="Let it be used for nothing else").click()
    await phone.get_by_role("button", name="Let it be used again").click()
    await phone.get_by_role("checkbox").check()
    await phone.get_by_role("button", name="Forget me").click()
    await looks_well(phone, "forgotten")
    await phone.get_by_role("button", name="Do not forget me").click()
    assert await phone.get_by_role("button", name="Forget me").is_visible()


async def test_the_privacy_desk_finds_somebody_and_forgets_them_only_when_sure(house: House, phone: Page) -> None:
    await come_in(house, phone, "desk@example.com", Membership("privacy"))
    await phone.goto("/office/privacy")
    await phone.get_by_label("Id, or e-mail address").fill("desk@example.com")
    await phone.get_by_role("button", name="Find").click()
    assert "desk@example.com" not in phone.url
    await looks_well(phone, "desk")
    await phone.get_by_label("type the end of the id").fill("000000000000")
    await phone.get_by_role("button", name="Forget them").click()
    assert await phone.get_by_role("alert").is_visible()
    end = await phone.locator("h2 .code").inner_text()
    await phone.get_by_label("type the end of the id").fill(end)
    await phone.get_by_role("button", name="Forget them").click()
    assert await phone.get_by_text("They will be forgotten").is_visible()
    await phone.get_by_role("button", name="Do not forget them").click()
    await expect(phone.get_by_role("button", name="Forget them", exact=True)).to_be_visible()


async def test_the_certificate_of_who_was_forgotten_says_where_they_were_searched_for_and_found_nowhere(
    house: House, phone: Page
) -> None:
    gone = f"{uuid4().hex}@forget.example"
    await bearer(house, gone)
    erasure = await forget(house, gone)
    await come_in(house, phone, "proves@example.com", Membership("privacy"))
    await phone.goto(f"/office/privacy?subject={erasure.subject}")
    certificate = phone.get_by_role("region", name="Certificate")
    assert await certificate.get_by_text("found nowhere", exact=True).is_visible()
    assert "The signature is good." in await certificate.inner_text()
    searched = await certificate.locator("tbody td:first-child").all_inner_texts()
    assert {"record", "memory", "graph", "columns", "search", "objects"} <= set(searched)
    assert gone not in await phone.content()
    assert await phone.get_by_role("button", name="Forget them").count() == 0
    await looks_well(phone, "certificate")


async def test_the_audit_is_searched_and_leads_from_a_request_to_its_events(house: House, phone: Page) -> None:
    await come_in(house, phone, "auditor@example.com", Membership("auditor"))
    await phone.goto("/account/privacy")
    await phone.get_by_role("button", name="Let it be used").click()
    await phone.goto("/office/audit")
    assert await phone.get_by_text("Vouched for until").is_visible()
    await looks_well(phone, "audit")
    await phone.get_by_label("What was done").fill("POST /account/privacy")
    await phone.get_by_role("button", name="Search").click()
    assert "POST /account/privacy" in await phone.locator("tbody").inner_text()
    await phone.locator("tbody a[href*=request_id]").first.click()
    assert await phone.locator("ul.brief li").count() > 0
    await looks_well(phone, "audit-request")
