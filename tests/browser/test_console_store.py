"""The store, as a shopper uses it: at a desk and on a phone, light and dark."""

import re

from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import fits_and_reads_well, window_on


async def test_a_shopper_searches_from_home_and_finds(page: Page) -> None:
    await page.goto("/")
    await fits_and_reads_well(page)
    await page.get_by_role("combobox", name="Search products").fill("teapot")
    await page.keyboard.press("Enter")
    await expect(page.locator(".found")).to_contain_text("9 products")
    await expect(page.locator(".hit-title")).to_have_count(9)
    await fits_and_reads_well(page)


async def test_a_shopper_narrows_results_and_takes_it_back(page: Page) -> None:
    await page.goto("/search?q=teapot")
    phone = page.viewport_size is not None and page.viewport_size["width"] < 720
    if phone:
        await page.get_by_text("Filters").click()
    narrowing = page.locator(".narrow" if phone else ".narrow-wide")
    await narrowing.get_by_role("link", name=re.compile("^Birch")).click()
    await expect(page.locator(".found")).to_contain_text("3 products")
    await expect(page).to_have_url(re.compile("brand=Birch"))
    await page.get_by_role("link", name="Remove brand Birch").click()
    await expect(page.locator(".found")).to_contain_text("9 products")
    await page.go_back()
    await expect(page.locator(".found")).to_contain_text("3 products")


async def test_a_shopper_reads_a_product_and_puts_it_into_the_cart(page: Page) -> None:
    await page.goto("/search?q=kettle+alder+black")
    await page.locator(".hit-title").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Alder Kettle black")
    await expect(page.get_by_role("region", name="Variants and stock")).to_contain_text("KETTLE-ALDER-BLACK")
    await fits_and_reads_well(page)
    await page.get_by_label("Pieces").fill("2")
    await page.get_by_role("button", name="Add to cart").click()
    drawer = page.get_by_role("dialog", name="In your cart")
    await expect(drawer).to_contain_text("Alder Kettle black")
    await fits_and_reads_well(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Add to cart")).to_be_focused()
    await page.get_by_role("button", name="Add to cart").click()
    await expect(drawer).to_contain_text("4 pieces")
    await drawer.get_by_role("link", name="To the cart").click()
    await expect(page.get_by_role("list", name="What is in your cart")).to_contain_text("KETTLE-ALDER-BLACK")
    await expect(page.get_by_role("link", name="Cart, 4 pieces")).to_be_visible()


async def test_too_many_pieces_are_told_beside_the_article(desk: Page) -> None:
    await desk.goto("/search?q=kettle+cedar+red")
    await desk.locator(".hit-title").first.click()
    await desk.get_by_label("Pieces").fill("1000")
    await desk.get_by_role("button", name="Add to cart").click()
    await desk.get_by_role("link", name="To the cart").click()
    await desk.get_by_role("button", name="more").click()
    await expect(desk.locator(".cart-line .note")).to_contain_text("Only 1000 are left, 1001 wanted")
    await desk.get_by_role("button", name="Take 1,000").click()
    await expect(desk.locator(".cart-line .note")).to_have_count(0)


async def test_the_keyboard_searches_suggests_and_walks(desk: Page) -> None:
    await desk.goto("/search")
    await desk.keyboard.press("/")
    field = desk.get_by_role("combobox", name="Search products")
    await expect(field).to_be_focused()
    await field.press_sequentially("bir", delay=20)
    await expect(desk.get_by_role("option").first).to_be_visible()
    await desk.keyboard.press("ArrowDown")
    await expect(desk.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    await desk.keyboard.press("Escape")
    await expect(desk.get_by_role("listbox")).to_be_hidden()
    await desk.keyboard.press("Enter")
    await expect(desk.locator(".found")).to_contain_text("products")
    await desk.evaluate("document.activeElement.blur()")
    await desk.keyboard.press("ArrowDown")
    await expect(desk.locator(".hit-title").first).to_be_focused()
    await desk.keyboard.press("Enter")
    await expect(desk).to_have_url(re.compile("/products/"))


async def test_a_price_range_is_typed_as_people_write_it(desk: Page) -> None:
    await desk.goto("/search?q=mug")
    prices = desk.locator(".narrow-wide .range")
    await prices.get_by_label("Price from").fill("40")
    await prices.get_by_label("Price to").fill("60,50")
    await prices.get_by_role("button", name="Set").click()
    await expect(desk).to_have_url(re.compile(r"price=4000\.\.6050"))
    await expect(desk.get_by_role("link", name="Remove price £40.00 to £60.50")).to_be_visible()


async def test_nothing_found_says_what_to_do(page: Page) -> None:
    await page.goto("/search?q=zzzzqqqq")
    await expect(page.locator("main")).to_contain_text("Try fewer or other words")
    await fits_and_reads_well(page)


async def test_an_address_that_leads_nowhere_says_so_on_a_page(desk: Page) -> None:
    answer = await desk.goto("/nowhere")
    assert answer is not None
    assert answer.status == 404
    await expect(desk.get_by_role("heading", level=1)).to_have_text("Not found")
    await fits_and_reads_well(desk)


async def test_the_store_works_without_script(browser: Browser, address: str) -> None:
    async with window_on(browser, address, java_script_enabled=False) as context:
        plain = await context.new_page()
        await plain.goto("/")
        await plain.get_by_label("Search products").fill("tray")
        await plain.get_by_role("button", name="Search").click()
        await plain.locator(".narrow-wide").get_by_role("link", name=re.compile("^Cedar")).click()
        await expect(plain.locator(".found")).to_contain_text("3 products")


async def test_the_switch_turns_light_to_dark_and_remembers(desk: Page) -> None:
    await desk.goto("/")
    await desk.get_by_role("button", name="Switch to dark").click()
    await desk.goto("/sales")
    assert await desk.evaluate("document.documentElement.dataset.theme") == "dark"
    await expect(desk.get_by_role("button", name="Switch to light")).to_be_visible()
