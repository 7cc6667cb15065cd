"""Orders, sales and the engine room, as staff and operators use them: at a desk and on a phone, light and dark."""

import re
from uuid import uuid4

from playwright.async_api import Page, expect

from entrepot.commerce.checkout.requests import LineRequest, OrderRequest
from entrepot.log import generations
from tests.browser.conftest import fits_and_reads_well
from tests.house import House


async def buy(house: House, sku: str = "TRAY-BIRCH-WHITE") -> str:
    """Place an order and return the end of its id, as pages show it."""
    order = OrderRequest(market="uk", country="FR", currency="GBP", lines=[LineRequest(sku=sku, quantity=1)])
    return str((await house.app.gatherer.place(str(uuid4()), order)).order_id)


async def test_an_order_appears_by_itself_while_one_looks_on(page: Page, house: House) -> None:
    await page.goto("/orders")
    await expect(page.locator("tbody tr").first).to_be_visible()
    await expect(page.locator("[data-live-state]").first).to_have_class(re.compile("good|warning|bad"))
    order_id = await buy(house)
    await expect(page.locator("tbody tr").first).to_contain_text(order_id[-12:])
    await fits_and_reads_well(page)


async def test_cancelling_asks_for_the_name_of_the_order(page: Page, house: House) -> None:
    order_id = await buy(house)
    await page.goto(f"/orders/{order_id}")
    await page.get_by_text("Cancel this order").click()
    await page.get_by_label("Why?").fill("ordered twice")
    await page.get_by_label("to confirm").fill("something else")
    await page.get_by_role("button", name="Cancel the order").click()
    await expect(page.get_by_role("alert")).to_contain_text(f"type {order_id[-12:]} to confirm")
    await page.get_by_text("Cancel this order").click()
    await expect(page.get_by_label("Why?")).to_have_value("ordered twice")
    await page.get_by_label("to confirm").fill(order_id[-12:])
    await page.get_by_role("button", name="Cancel the order").click()
    await expect(page.locator(".timeline")).to_contain_text("ordered twice")


async def test_sales_are_drawn_with_the_numbers_behind_them(page: Page, house: House) -> None:
    await buy(house)
    await house.seen_by_all()
    await page.goto("/sales")
    await expect(page.locator(".chart canvas").first).to_be_visible()
    await page.get_by_text("The numbers behind it").first.click()
    await expect(page.get_by_role("region", name=re.compile("numbers")).first).to_contain_text("£")
    await expect(page.get_by_role("region", name="Countries")).to_contain_text("France")
    await fits_and_reads_well(page)
    await page.get_by_role("link", name="Today").click()
    await expect(page.get_by_role("region", name="Products")).to_contain_text("Tray")


async def test_the_engine_room_shows_every_lane_and_moves(page: Page, house: House) -> None:
    await page.goto("/engine-room")
    for one in house.app.projections:
        await expect(page.locator(f'.lane[data-lane="{one.name}"]')).to_be_visible()
    head = await page.locator("[data-live=head]").inner_text()
    await buy(house)
    await expect(page.locator("[data-live=head]")).not_to_have_text(head)
    await expect(page.locator('.lane[data-lane="live_stock"] [data-field=state]')).to_have_text("up to date")
    await fits_and_reads_well(page)


async def test_a_lane_is_verified_by_a_button(page: Page) -> None:
    await page.goto("/engine-room")
    await page.get_by_role("link", name=re.compile("live stock", re.IGNORECASE)).click()
    await page.get_by_role("button", name="Verify now").click()
    await expect(page.locator("section[aria-labelledby=verify] tbody tr").first).to_contain_text("equal")
    await fits_and_reads_well(page)


async def test_a_rebuild_asks_for_its_name_and_switches(desk: Page, house: House) -> None:
    before = house.app.live.target("live_stock").generation
    await desk.goto("/engine-room/live_stock")
    await desk.get_by_label("to confirm").fill("live stock")
    await desk.get_by_role("button", name="Rebuild").click()
    await expect(desk.get_by_role("alert")).to_contain_text("type live_stock to confirm")
    await desk.get_by_label("to confirm").fill("live_stock")
    await desk.get_by_role("button", name="Rebuild").click()
    await expect(desk.get_by_role("status")).to_contain_text("The rebuild has begun")
    await expect(desk.locator("dl[data-lane=live_stock]")).to_contain_text(f"Generation{before + 1}")
    now = await generations.generations(house.app.record, ["live_stock"], ["live"])
    assert now[0].generation == before + 1


async def test_the_page_of_the_api_and_of_a_problem_read_well(page: Page) -> None:
    await page.goto("/v1/docs")
    await expect(page.get_by_role("heading", name="API")).to_be_visible()
    await fits_and_reads_well(page)
    await page.goto("/problems/stock-exhausted")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Stock exhausted")
    await fits_and_reads_well(page)
