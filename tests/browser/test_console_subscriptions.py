"""Plans and subscriptions: made in the office, subscribed to with a kept card, paused, changed, dunned and given up."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import fits_and_reads_well, window_on
from tests.browser.test_console_checkout import fill_in, pay, put_in

SKU = "TRAY-ALDER-BLACK"


async def make_plan(page: Page, code: str, amount: str, trial: str = "0") -> None:
    """Make a monthly plan in the office."""
    await page.goto("/office/subscriptions")
    form = page.locator("form", has=page.get_by_role("button", name="Make the plan"))
    if not await form.is_visible():
        await page.get_by_text("A new plan", exact=True).click()
    for label, typed in {
        "Code": code,
        "Article, by SKU": SKU,
        "Title": f"Plan {code}",
        "Price": amount,
        "Trial": trial,
    }.items():
        await form.get_by_label(label).fill(typed)
    await form.locator("[name=market]").select_option("uk")
    await form.get_by_role("button").click()
    await expect(page.get_by_role("status")).to_have_text("The plan is saved.")


async def keep_card(page: Page, article: str, card: str = "Everyday card") -> None:
    """Buy something and have the card kept."""
    await put_in(page, article)
    await fill_in(page, card)
    await page.get_by_label("Keep this card").check()
    await pay(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")


async def subscribe(page: Page, code: str) -> None:
    """Fill in the plan's form and send it."""
    await page.goto(f"/plans/{code}")
    for label, typed in {"E-mail": "kim@example.org", "Name": "Kim Lee", "Street": "1 High St", "Town": "York"}.items():
        await page.get_by_role("textbox", name=label).fill(typed)
    await page.locator("form.pairs button").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Plan {code}")


@pytest.mark.parametrize("page", ["phone-dark", "desk-light"], indirect=True)
async def test_a_shopper_subscribes_pauses_resumes_and_cancels(page: Page, request: pytest.FixtureRequest) -> None:
    code = f"monthly-{request.node.callspec.id}"
    await make_plan(page, code, "12.50")
    await fits_and_reads_well(page)
    await keep_card(page, "tray birch black")
    await subscribe(page, code)
    await expect(page.get_by_role("region", name="List of charges")).to_contain_text("£12.50")
    await fits_and_reads_well(page)
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("status")).to_contain_text("It rests")
    await page.get_by_role("button", name="Resume").click()
    await expect(page.locator(".head .state")).to_have_text("active")
    await page.get_by_text("Cancel the subscription").click()
    await page.get_by_role("button", name="Cancel it").click()
    await expect(page.locator(".head .state")).to_have_text("ends soon")
    await page.goto("/account")
    await expect(page.get_by_role("region", name="List of subscriptions")).to_contain_text("ends")
    await fits_and_reads_well(page)


async def test_a_plan_is_changed_and_the_office_ends_what_it_names(desk: Page) -> None:
    await make_plan(desk, "small", "5", trial="14")
    await make_plan(desk, "large", "9", trial="14")
    await keep_card(desk, "tray birch white")
    await subscribe(desk, "small")
    await expect(desk.locator(".head .state")).to_have_text("on trial")
    await desk.get_by_label("Another plan").select_option("large")
    await desk.get_by_role("button", name="Change the plan").click()
    await expect(desk.get_by_role("heading", level=1)).to_have_text("Plan large")
    name = desk.url.split("?")[0][-12:]
    await desk.goto(desk.url.replace("/account/", "/office/"))
    await desk.get_by_text("End it at once").first.click()
    await desk.get_by_label("to confirm").fill("something else")
    await desk.get_by_role("button", name="End it at once").click()
    await expect(desk.get_by_role("alert")).to_contain_text(f"type {name} to confirm")
    await desk.get_by_text("End it at once").first.click()
    await desk.get_by_label("to confirm").fill(name)
    await desk.get_by_role("button", name="End it at once").click()
    await expect(desk.locator(".head .state")).to_have_text("ended")


async def test_without_a_kept_card_the_way_to_one_is_told(desk: Page) -> None:
    await make_plan(desk, "nocard", "5")
    await desk.goto("/plans/nocard")
    await expect(desk.locator("main")).to_contain_text("A kept card is needed")
    await fits_and_reads_well(desk)


async def test_another_browser_is_not_told_of_a_subscription(desk: Page, browser: Browser, address: str) -> None:
    await make_plan(desk, "mine", "5", trial="3")
    await keep_card(desk, "tray birch red")
    await subscribe(desk, "mine")
    async with window_on(browser, address) as context:
        stranger = await context.new_page()
        await stranger.goto(desk.url.removeprefix(address))
        assert "/sign-in?next=" in stranger.url
