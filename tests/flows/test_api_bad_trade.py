"""What bad trade gets over HTTP: a problem of a stable kind with the value and what to do, and nothing half done."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.flows.test_api_business import company, made, wanting
from tests.flows.test_api_checkout import BUYER, OK, call
from tests.house import House

TRAY = "TRAY-CEDAR-WHITE"
BOX = {**BUYER, "address": {**BUYER["address"], "line1": "PO Box 7"}}  # type: ignore[dict-item]  # an address is a dict
ABROAD = {**BUYER, "address": {"line1": "1 Base", "city": "McMurdo", "country": "AQ"}}
LINE = [{"sku": TRAY, "quantity": 1}]
QUANTITIES = [0, -1, 10**9, 10**30]


async def standing(house: House) -> tuple[int, ...]:
    """Return what lies on the shelf, is held and was sold of the tray: the same before and after whatever was refused."""
    async with house.app.record.committing() as connection:
        row = await connection.fetchrow(
            "SELECT (SELECT sum(l.available) FROM stock.level AS l WHERE l.variant_id = s.variant_id),"
            " (SELECT sum(l.reserved) FROM stock.level AS l WHERE l.variant_id = s.variant_id),"
            " (SELECT count(*) FROM ordering.line AS o WHERE o.sku = s.sku) FROM catalog.sku AS s WHERE s.sku = $1",
            TRAY,
        )
    assert row is not None
    return tuple(row)


async def until_past(moment: datetime) -> None:
    """Wait until a moment is over."""
    while True:
        if datetime.now(UTC) > moment:
            return
        await asyncio.sleep(0.05)


async def refused(house: House, path: str, body: object, status: int, slug: str, *parts: str) -> None:
    """Ask for what cannot be: a problem of this kind, whose sentence names these and ends with what to do."""
    before = await standing(house)
    given, problem = await call(house, "POST", path, body)
    assert (given, problem["type"], problem["status"]) == (status, f"/problems/{slug}", status), problem
    assert [part for part in parts if part not in problem["detail"]] == [], problem["detail"]
    assert problem["detail"].rstrip(".") != problem["title"]
    assert await standing(house) == before


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("path", ["/v1/checkouts", "/v1/orders", "/v1/carts", "/v1/prices"])
async def test_a_quantity_that_cannot_be_is_refused_with_its_value(house: House, path: str, quantity: int) -> None:
    more = {"/v1/checkouts": {"contact": BUYER, "payment": OK}}.get(path, {"country": "GB"})
    body = {"market": "uk", "lines": [{"sku": TRAY, "quantity": quantity}], **more}
    body |= {"currency": "GBP"} if path == "/v1/orders" else {}
    given, problem = await call(house, "POST", path, body)
    assert given == 400, problem
    assert problem["type"] in {"/problems/quantity-refused", "/problems/bad-input"}
    assert str(quantity)[:20] in problem["detail"] or "integer" in problem["detail"], problem["detail"]


@pytest.mark.parametrize("quantity", QUANTITIES[:3])
async def test_a_company_s_quantity_that_cannot_be_is_refused_with_its_value(house: House, quantity: int) -> None:
    of, ann, _ = await company(house)
    wish = {"buyer_id": ann, "market": "uk", "lines": [{"sku": TRAY, "quantity": quantity}]}
    for path, body in ((f"/v1/companies/{of}/negotiations", wish), (f"/v1/companies/{of}/purchases", wanting(ann, quantity))):
        before = await standing(house)
        given, problem = await call(house, "POST", path, body)
        assert (given, problem["type"]) in {(400, "/problems/quantity-refused"), (400, "/problems/bad-input")}, problem
        assert str(quantity) in problem["detail"]
        assert await standing(house) == before


@pytest.mark.parametrize(
    ("change", "status", "slug", "part"),
    [
        ({"currency": "JPY"}, 400, "currency-not-sold", "JPY"),
        ({"currency": "XXQ"}, 400, "currency-not-sold", "XXQ"),
        ({"shipping_method": "balloon"}, 400, "bad-input", "balloon"),
        ({"expected_total_minor": 1}, 409, "price-changed", "1"),
        ({"coupons": ["NOPE"]}, 404, "coupon-unknown", "NOPE"),
        ({"payment": {"token": "tok_lies"}}, 502, "gateway-lied", "sandbox"),
        ({"payment": {"token": "4111111111111111"}}, 422, "card-number-refused", "token"),
    ],
)
async def test_what_cannot_be_bought_leaves_nothing_behind(
    house: House, change: dict[str, object], status: int, slug: str, part: str
) -> None:
    asked = {"market": "uk", "lines": LINE, "contact": BUYER, "payment": OK}
    await refused(house, "/v1/checkouts", asked | change, status, slug, part)


async def test_an_address_that_nothing_goes_to_is_refused_wherever_it_is_given(house: House) -> None:
    ice = {"title": "The ice", "places": [{"country": "AQ"}]}
    assert (await house.client.put("/v1/shipping/zones/ice", json=ice)).status_code == 200
    asked = {"market": "uk", "lines": LINE, "contact": ABROAD, "payment": OK}
    await refused(house, "/v1/checkouts", asked, 409, "cannot-ship", "AQ", "another address")
    _, cart = await call(house, "POST", "/v1/carts", {"market": "uk", "country": "GB", "lines": LINE})
    status, problem = await call(house, "PUT", f"/v1/carts/{cart['id']}/delivery", ABROAD)
    assert (status, problem["type"]) == (409, "/problems/cannot-ship")


async def test_an_offer_that_is_over_is_refused_with_its_moment(house: House) -> None:
    of, ann, _ = await company(house)
    asked = {"buyer_id": ann, "market": "uk", "lines": LINE}
    at = f"/v1/negotiations/{(await made(house, f'/v1/companies/{of}/negotiations', asked))['id']}"
    until = datetime.now(UTC) + timedelta(seconds=0.5)
    await made(house, f"{at}/offer", {"units_minor": {TRAY: 400}, "valid_until": until.isoformat()})
    await until_past(until)
    await refused(house, f"{at}/acceptance", {"side": "company"}, 409, "negotiation-expired", str(until.year))


async def test_a_parcel_that_a_carrier_does_not_take_is_refused_with_the_reason_and_goes_by_hand(house: House) -> None:
    status, placed = await call(house, "POST", "/v1/checkouts", {"market": "uk", "lines": LINE, "contact": BOX, "payment": OK})
    assert status == 201, placed
    assert (await call(house, "POST", f"/v1/orders/{placed['order_id']}/shipments"))[0] == 201
    _, shipments = await call(house, "GET", f"/v1/orders/{placed['order_id']}/shipments")
    sent = f"/v1/shipments/{shipments['items'][0]['id']}/shipped"
    await refused(house, sent, {"carrier": "own", "book": True}, 409, "parcel-refused", "a van needs a door", "without booking")
    await refused(house, sent, {"carrier": "moon", "book": True}, 400, "bad-input", "'moon'", "own can")
    await refused(house, sent, {"carrier": "own", "book": True, "tracking": "T1"}, 400, "bad-input", "'T1'")
    assert (await call(house, "POST", sent, {"carrier": "post", "tracking": "RR1"}))[0] == 201
