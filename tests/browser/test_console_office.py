"""The back office, the sellers' page and a flash sale, as staff use them: at a desk and on a phone, light and dark."""

import asyncio
import re
import socket
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from entrepot.cli.serve import serving
from entrepot.partners.payment.sandbox import SandboxGateway
from tests.browser.conftest import fits_and_reads_well, window_on
from tests.flows.test_api_business import company, made, wanting
from tests.flows.test_api_payments import paid, signed
from tests.flows.test_api_sellers import buy, seller
from tests.house import READY_SECONDS, House, bearing, served

SKU = "TEAPOT-CEDAR-BLACK"
SALE_MILLIS = 60_000


async def until_planned(house: House, order_id: str) -> None:
    """Wait until the order's shipment is planned."""
    async with asyncio.timeout(READY_SECONDS):
        while True:
            if (await house.client.get(f"/v1/orders/{order_id}/shipments")).json()["items"]:
                return
            await asyncio.sleep(0.05)


async def disputed(house: House) -> str:
    """Have a payment disputed, and return the dispute's id."""
    payment_id, gateway = await paid(house, capture=True), house.app.gateway
    assert isinstance(gateway, SandboxGateway)
    reference = (await house.client.get(f"/v1/payments/{payment_id}")).json()["reference"]
    opened = await gateway.open_dispute(reference, 1_000)
    event = {"id": f"evt_{uuid4()}", "kind": "dispute.opened", "payment_id": reference, "dispute_id": opened.id}
    body, headers = signed(event, int(datetime.now(UTC).timestamp()))
    await house.client.post("/v1/webhooks/payments/sandbox", content=body, headers=headers)
    items = (await house.client.get("/v1/disputes?state=opened")).json()["items"]
    return str(next(one["id"] for one in items if one["payment_id"] == str(payment_id)))


async def subscribed(house: House) -> str:
    """Subscribe somebody who does not listen, and return the endpoint's id."""
    draft = {"url": "http://127.0.0.1:9/hooks", "kinds": ["ordering.*"]}
    return str((await made(house, "/v1/webhook-endpoints", draft))["id"])


async def test_an_order_is_sent_returned_inspected_and_refunded(page: Page, house: House) -> None:
    order_id = await buy(house, SKU)
    await until_planned(house, order_id)
    await page.goto(f"/orders/{order_id}")
    for button in ("Picked", "Packed", "Ship", "Delivered"):
        if button == "Ship":
            await page.get_by_label("book this carrier").check()
            await fits_and_reads_well(page)
        await page.get_by_role("button", name=button, exact=True).click()
    await expect(page.locator(".timeline")).to_contain_text("own EO")
    await expect(page.locator(".timeline")).to_contain_text("Payment taken")
    await page.get_by_text("Open a return").click()
    await page.get_by_role("button", name="Open the return").click()
    await fits_and_reads_well(page)
    await page.get_by_role("link", name="Changed their mind").click()
    for button in ("Note what arrived", "Note what was found", "Refund"):
        await fits_and_reads_well(page)
        await page.get_by_role("button", name=button, exact=True).click()
    await expect(page.get_by_role("heading", level=1).locator("..")).to_contain_text("refunded")
    await page.goto(f"/orders/{order_id}")
    await expect(page.locator(".timeline")).to_contain_text("Return refunded")


async def test_a_dispute_is_answered_with_evidence(page: Page, house: House) -> None:
    dispute_id = await disputed(house)
    await page.goto("/office")
    await expect(page.get_by_role("region", name="What waits")).to_contain_text("Disputes to answer")
    await page.get_by_role("link", name="Send evidence").click()
    await fits_and_reads_well(page)
    card = page.locator(f'[id="{dispute_id}"]')
    await card.get_by_role("textbox").fill("winning_evidence")
    await card.get_by_role("button", name="Send to the bank").click()
    await expect(page.get_by_role("status")).to_contain_text("The evidence is sent")
    await expect(card).to_contain_text("won")


async def test_a_purchase_is_approved_in_the_name_of_one_who_may(page: Page, house: House) -> None:
    of, ann, _ = await company(house)
    await made(house, f"/v1/companies/{of}/purchases", wanting(ann, 10))
    await page.goto("/office/purchases")
    await fits_and_reads_well(page)
    await page.get_by_role("button", name="Approve").first.click()
    await expect(page.get_by_role("status")).to_contain_text("The decision is noted")
    await expect(page.get_by_role("region", name="Purchases")).to_contain_text("ordered")


async def test_a_quote_is_offered_and_a_price_that_is_none_is_told(page: Page, house: House) -> None:
    of, ann, _ = await company(house)
    draft: dict[str, Any] = {"buyer_id": ann, "market": "uk", "lines": [{"sku": SKU, "quantity": 100}]}
    asked = await made(house, f"/v1/companies/{of}/negotiations", draft)
    await page.goto(f"/office/quotes/{asked['id']}")
    price = page.get_by_role("textbox", name="Our price for a piece of")
    await price.fill("cheap")
    await page.get_by_role("button", name="Offer these prices").click()
    await expect(page.get_by_role("alert")).to_contain_text("'cheap'")
    await fits_and_reads_well(page)
    await price.fill("12,50")
    await page.get_by_role("button", name="Offer these prices").click()
    await expect(page.get_by_role("region", name="Articles and prices")).to_contain_text("£1,250.00")


async def test_a_subscriber_is_paused_and_told_again_from_a_day(page: Page, house: House) -> None:
    endpoint_id = await subscribed(house)
    await page.goto("/office/webhooks")
    await fits_and_reads_well(page)
    await page.goto(f"/office/webhooks/{endpoint_id}")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("status")).to_contain_text("It is paused")
    await page.get_by_label("From").fill("yesterday")
    await page.get_by_role("button", name="Tell again").click()
    await expect(page.get_by_role("alert")).to_contain_text("'yesterday' is neither a position nor a moment")
    await fits_and_reads_well(page)
    await page.get_by_label("From").fill("2026-01-01")
    await page.get_by_role("button", name="Tell again").click()
    await expect(page.get_by_role("status")).to_contain_text("told again from there on")
    await house.client.delete(f"/v1/webhook-endpoints/{endpoint_id}")


@pytest.mark.parametrize("path", ["/office", "/office/returns", "/office/coupons", "/office/jobs", "/sellers", "/engine-room"])
async def test_every_page_of_the_office_reads_well(page: Page, path: str) -> None:
    await page.goto(path)
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await fits_and_reads_well(page)


async def test_the_engine_room_shows_the_gateway_jobs_and_reactions(desk: Page, house: House) -> None:
    await until_planned(house, await buy(house, SKU))
    await desk.goto("/engine-room")
    await expect(desk.locator(".engines")).to_contain_text("gateway")
    await expect(desk.get_by_role("region", name="List of reactions")).to_contain_text("Shipments")
    await expect(desk.get_by_role("region", name="List of jobs")).to_contain_text("Shipments")


async def test_a_seller_is_paused_and_goes_on(page: Page, house: House) -> None:
    _, seller_id = await seller(house)
    await page.goto(f"/sellers/{seller_id}")
    await fits_and_reads_well(page)
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("button", name="Let it go on")).to_be_visible()
    await expect(page.locator(".head").first).to_contain_text("paused")


async def test_a_flash_sale_moves_by_itself_and_oversells_nothing(browser: Browser, house: House) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    settings = msgspec.structs.replace(house.app.settings, demo=True, port=port, market="uk")
    app = msgspec.structs.replace(house.app, settings=settings)
    async with (
        serving(app) as asgi,
        served(House(app, asgi, house.client, house.nobody, house.key, house.keeping_up), port) as url,
    ):
        by = bearing(house.key)
        async with window_on(browser, url, viewport={"width": 390, "height": 844}, extra_http_headers=by) as context:
            phone = await context.new_page()
            await phone.goto("/engine-room")
            await phone.get_by_role("link", name="Flash sale").click()
            await fits_and_reads_well(phone)
            await phone.get_by_role("button", name="Hold a flash sale").click()
            await expect(phone.get_by_role("status")).to_contain_text("It is over: 100 of 100 pieces", timeout=SALE_MILLIS)
            await expect(phone.locator('[data-flash-field="told_sold_out"]')).to_have_text("400")
            await expect(phone.locator('[data-flash-field="oversold"]')).to_have_text("0")
            await fits_and_reads_well(phone)


async def test_where_no_sale_can_be_held_the_page_says_who_can(desk: Page) -> None:
    await desk.goto("/flash")
    await expect(desk.locator("main")).to_contain_text(re.compile("No flash sale can be held here"))
