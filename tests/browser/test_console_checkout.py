"""Buying in the store, as a guest does it: at a desk and on a phone, light and dark; and whatever may come between."""

import re
from collections.abc import Mapping
from uuid import uuid4

from playwright.async_api import Browser, Page, expect

from entrepot.commerce.checkout.requests import LineRequest, OrderRequest
from tests.browser.conftest import fits_and_reads_well, window_on
from tests.house import House
from tests.shop_front import STOCK

ADDRESS: Mapping[str, str] = {
    "E-mail": "kim@example.org",
    "Name": "Kim Lee",
    "Street and number": "1 High St",
    "Town or city": "York",
    "Postcode": "YO1 7HH",
}


async def put_in(page: Page, article: str) -> None:
    """Put one piece of an article into the cart, beginning with a search."""
    await page.goto(f"/search?q={article.replace(' ', '+')}")
    await page.locator(".hit-title").first.click()
    await page.get_by_role("button", name="Add to cart").click()
    await expect(page.get_by_role("heading", name=re.compile("cart"))).to_be_visible()
    await page.goto("/cart")


async def fill_in(page: Page, card: str = "Everyday card") -> None:
    """Go to the checkout and fill its form in."""
    await page.goto("/checkout")
    for label, typed in ADDRESS.items():
        await page.get_by_role("textbox", name=label).fill(typed)
    await page.get_by_role("radio", name=card).check()


async def pay(page: Page) -> None:
    """Press the button that pays."""
    await page.get_by_role("button", name=re.compile("^Pay ")).click()


async def test_a_guest_buys_and_sees_the_order_with_its_timeline(page: Page) -> None:
    await put_in(page, "mug alder black")
    await fits_and_reads_well(page)
    await fill_in(page)
    await fits_and_reads_well(page)
    await pay(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    await expect(page.locator(".timeline")).to_contain_text("Payment authorized")
    await expect(page.get_by_role("region", name="Articles")).to_contain_text("MUG-ALDER-BLACK")
    await expect(page.get_by_role("link", name="Cart", exact=True)).to_be_visible()
    await fits_and_reads_well(page)


async def test_the_bank_asks_and_the_buyer_comes_back_with_an_order(page: Page) -> None:
    await put_in(page, "mug alder white")
    await fill_in(page, "Careful bank")
    await pay(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your bank wants to know that it is you")
    await fits_and_reads_well(page)
    await page.get_by_role("link", name="Continue to your bank").click()
    await page.get_by_role("button", name="Approve").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")


async def test_a_decline_is_told_beside_the_cards_and_the_cart_stays(page: Page) -> None:
    await put_in(page, "mug alder red")
    await fill_in(page, "Empty account")
    await pay(page)
    await expect(page.locator("#payment").get_by_role("alert")).to_contain_text("not enough money on this card")
    await expect(page.get_by_role("textbox", name="Name")).to_have_value("Kim Lee")
    await fits_and_reads_well(page)
    await page.get_by_role("radio", name="Everyday card").check()
    await pay(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")


async def test_a_buyer_who_refuses_at_the_bank_is_back_at_the_checkout(desk: Page) -> None:
    await put_in(desk, "mug birch black")
    await fill_in(desk, "Careful bank")
    await pay(desk)
    await desk.get_by_role("link", name="Continue to your bank").click()
    await desk.get_by_role("button", name="Refuse").click()
    await expect(desk.locator("#payment").get_by_role("alert")).to_contain_text("You refused the payment")
    await expect(desk.get_by_role("textbox", name="Name")).to_have_value("Kim Lee")


async def test_sold_out_is_told_as_final_with_the_way_to_the_cart(desk: Page, house: House) -> None:
    await put_in(desk, "mug birch white")
    await fill_in(desk)
    rest = OrderRequest(market="uk", country="GB", currency="GBP", lines=[LineRequest(sku="MUG-BIRCH-WHITE", quantity=STOCK)])
    await house.app.gatherer.place(str(uuid4()), rest)
    await pay(desk)
    await expect(desk.get_by_role("alert").first).to_contain_text(
        "Sold out while you were here. Only 0 of MUG-BIRCH-WHITE left"
    )
    await desk.get_by_role("link", name="Change your cart").click()
    await desk.get_by_role("button", name="Take it out").click()
    await expect(desk.get_by_role("heading", level=1)).to_have_text("Your cart is empty")


async def test_a_coupon_is_used_told_of_and_taken_away(page: Page) -> None:
    await put_in(page, "mug birch red")
    await page.get_by_label("Coupon", exact=True).fill("nope")
    await page.get_by_role("button", name="Use").click()
    await expect(page.get_by_role("alert")).to_contain_text("There is no coupon 'NOPE'")
    await page.get_by_label("Coupon", exact=True).fill("welcome10")
    await page.get_by_role("button", name="Use").click()
    await page.get_by_text("Why this price").click()
    await expect(page.get_by_label("What it costs")).to_contain_text("10% to begin with")
    await fits_and_reads_well(page)
    await page.get_by_role("button", name="Take the coupon WELCOME10 away").click()
    await expect(page.get_by_label("What it costs")).not_to_contain_text("10% to begin with")


async def test_another_country_changes_the_total_before_anything_is_paid(desk: Page) -> None:
    await put_in(desk, "mug cedar black")
    await fill_in(desk)
    before = await desk.get_by_role("button", name=re.compile("^Pay ")).inner_text()
    await desk.get_by_label("Country").select_option("US")
    await expect(desk.get_by_role("button", name=re.compile("^Pay "))).not_to_have_text(before)
    await desk.get_by_role("radio", name=re.compile("^Express")).check()
    await expect(desk.locator(".sums")).to_contain_text("express")
    await expect(desk.get_by_role("textbox", name="Name")).to_have_value("Kim Lee")


async def test_pieces_are_stepped_by_the_keyboard_and_a_note_is_kept(desk: Page) -> None:
    await put_in(desk, "mug cedar white")
    more = desk.get_by_role("button", name="One Cedar Mug white more")
    await more.focus()
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_role("link", name="Cart, 2 pieces")).to_be_visible()
    await expect(more).to_be_focused()
    await desk.get_by_text("Add a note").click()
    await desk.get_by_role("textbox", name="Note on Cedar Mug white").fill("a present")
    await desk.get_by_role("button", name="Save").click()
    await expect(desk.get_by_text("Note", exact=True)).to_be_visible()
    await desk.reload()
    await expect(desk.get_by_role("textbox", name="Note on Cedar Mug white")).to_have_value("a present")


async def test_a_guest_buys_without_script(browser: Browser, address: str) -> None:
    async with window_on(browser, address, java_script_enabled=False) as context:
        plain = await context.new_page()
        await put_in(plain, "mug cedar red")
        await plain.get_by_role("button", name="One Cedar Mug red more").click()
        await expect(plain.get_by_role("link", name="Cart, 2 pieces")).to_be_visible()
        await fill_in(plain)
        await plain.get_by_label("Country").select_option("FR")
        await plain.get_by_role("button", name="Update prices").click()
        await pay(plain)
        await expect(plain.get_by_role("heading", level=1)).to_have_text("Thank you")
