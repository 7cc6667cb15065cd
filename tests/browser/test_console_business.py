"""Companies, from the office and from their buyer's side: credit, limits, approvals, quotes, invoices and what pays them."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import fits_and_reads_well, window_on
from tests.browser.test_console_checkout import put_in
from tests.house import House

WHERE = {"Street and number": "3 Quay", "Postcode": "YO21 3PU", "Town or city": "Whitby"}


async def make_company(page: Page, name: str, limit: str = "2 000") -> None:
    """Make a company with one buyer, Ada, who may decide 5.00 alone, and one approver, Bo."""
    await page.goto("/office/companies")
    form = page.locator("form", has=page.get_by_role("button", name="Make the company"))
    if not await form.is_visible():
        await page.get_by_text("A new company", exact=True).click()
    await form.get_by_role("textbox", name="Name").fill(name)
    await form.get_by_label("Credit limit").fill(limit)
    await form.get_by_role("button").click()
    for buyer, role, alone in (("Ada", "buyer", "5"), ("Bo", "approver", "")):
        form = page.locator("form", has=page.get_by_role("button", name="Let them buy"))
        if not await form.is_visible():
            await page.get_by_text("Let somebody buy for it").click()
        await form.get_by_role("textbox", name="Name").fill(buyer)
        await form.get_by_label("E-mail").fill(f"{buyer.lower()}@example.org")
        await form.locator("[name=role]").select_option(role)
        await form.get_by_label("In one order alone").fill(alone)
        await form.get_by_role("button").click()
        await expect(page.get_by_role("status")).to_have_text("The buyer is saved.")


async def order_here(page: Page) -> None:
    """Fill in where it goes, on a page that asks for it."""
    for label, typed in WHERE.items():
        await page.get_by_role("textbox", name=label).fill(typed)


@pytest.mark.parametrize("page", ["phone-light", "desk-dark"], indirect=True)
async def test_what_a_buyer_may_not_decide_alone_is_approved_by_another_and_invoiced(page: Page, house: House) -> None:
    await make_company(page, "Harbour Café")
    company = page.url.split("?")[0]
    await fits_and_reads_well(page)
    await page.get_by_role("button", name="Shop as Ada").click()
    await put_in(page, "teapot alder black")
    await page.goto("/account/company")
    await fits_and_reads_well(page)
    await order_here(page)
    await page.get_by_role("button", name="Buy on invoice").click()
    await expect(page.get_by_role("status")).to_contain_text("more than you may decide alone")
    await page.goto(company)
    await page.get_by_role("button", name="Shop as Bo").click()
    await page.get_by_role("button", name="Approve").click()
    await expect(page.get_by_role("status")).to_have_text("Approved and ordered.")
    await house.until_reacted()
    await page.reload()
    await expect(page.get_by_role("region", name="List of invoices")).to_contain_text("open")
    await fits_and_reads_well(page)


async def test_a_quote_is_asked_for_offered_countered_agreed_and_ordered(desk: Page) -> None:
    await make_company(desk, "Quay Books")
    await desk.get_by_role("button", name="Shop as Bo").click()
    await put_in(desk, "teapot birch black")
    await desk.goto("/account/company")
    await desk.get_by_role("button", name="Ask for a quote").click()
    await desk.get_by_role("region", name="List of quotes").get_by_role("link").click()
    quote = desk.url.rpartition("/")[2]
    await desk.goto(f"/office/quotes/{quote}")
    await desk.get_by_label("Our price for").fill("4,50")
    await desk.get_by_role("button", name="Offer these prices").click()
    await desk.goto(f"/account/company/quotes/{quote}")
    await expect(desk.get_by_role("region", name="Articles and prices")).to_contain_text("Teapot")
    await fits_and_reads_well(desk)
    await desk.get_by_label("What you would pay").fill("4")
    await desk.get_by_role("button", name="Propose these prices").click()
    await desk.goto(f"/office/quotes/{quote}")
    await desk.get_by_role("button", name="Accept theirs").click()
    await desk.goto(f"/account/company/quotes/{quote}")
    await order_here(desk)
    await desk.get_by_role("button", name="Order at these prices").click()
    await expect(desk.get_by_role("status")).to_contain_text("It is ordered")


async def test_a_company_that_cannot_be_is_refused_beside_what_was_typed(desk: Page) -> None:
    await desk.goto("/office/companies")
    form = desk.locator("form", has=desk.get_by_role("button", name="Make the company"))
    if not await form.is_visible():
        await desk.get_by_text("A new company", exact=True).click()
    await form.get_by_role("textbox", name="Name").fill("Odd Ltd")
    await form.get_by_label("VAT id").fill("GB123")
    await form.get_by_label("Credit limit").fill("plenty")
    await form.get_by_role("button").click()
    await expect(desk.get_by_role("alert")).to_contain_text("'plenty' cannot be read")
    await form.get_by_label("Credit limit").fill("100")
    await form.get_by_role("button").click()
    await expect(desk.get_by_role("alert")).to_contain_text("'GB123' is no VAT id")
    await expect(form.get_by_role("textbox", name="Name")).to_have_value("Odd Ltd")


async def test_a_transfer_that_names_nothing_waits_until_somebody_says_whose_it_is(desk: Page) -> None:
    await make_company(desk, "Mill Lane")
    await desk.goto("/office/invoices")
    await desk.get_by_text("Note a bank transfer").click()
    await desk.get_by_label("Bank's reference").fill("BANK-1")
    await desk.get_by_label("Amount").fill("12.50")
    await desk.get_by_role("button", name="Note it").click()
    await expect(desk.get_by_role("status")).to_contain_text("settles no invoice yet")
    await fits_and_reads_well(desk)
    await desk.get_by_label("Whose money BANK-1 is").select_option(label="Mill Lane")
    await desk.get_by_role("button", name="It is theirs").click()
    await expect(desk.get_by_role("region", name="List of transfers")).to_contain_text("Mill Lane, more than it owes")


async def test_a_company_is_blocked_and_does_not_buy(desk: Page) -> None:
    await make_company(desk, "Late Payers")
    await desk.get_by_text("Change credit, terms and address").click()
    form = desk.locator("form", has=desk.get_by_label("Credit limit"))
    await form.locator("[name=state]").select_option("blocked")
    await form.get_by_role("button", name="Save").click()
    await expect(desk.locator(".head .state")).to_have_text("blocked")
    await desk.get_by_role("button", name="Shop as Ada").click()
    await put_in(desk, "teapot cedar black")
    await desk.goto("/account/company")
    await expect(desk.get_by_role("button", name="Buy on invoice")).to_be_disabled()


async def test_nobody_sees_a_company_or_a_subscription_that_is_not_theirs(browser: Browser, address: str) -> None:
    async with window_on(browser, address) as context:
        stranger = await context.new_page()
        for path in ("/account/company", "/account/company/quotes/01a2045d-d0bd-7265-a293-cb026554d5e6"):
            await stranger.goto(path)
            await expect(stranger.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
