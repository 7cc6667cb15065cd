"""From a product that is posted to the page, the search, the stock and the sales that tell of it."""

from uuid import uuid4

from httpx import Response

from tests.house import House

DRAFT = {
    "code": "LANTERN",
    "texts": {"en": {"title": "Storm lantern"}, "de": {"title": "Sturmlaterne"}},
    "variants": [{"sku": "LANTERN-1"}],
    "brand": "Alder",
    "category_codes": ["kitchen"],
}


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def at_least(house: House, written: Response, path: str) -> Response:
    """Read a path that is at least as fresh as what was written."""
    answer = await house.client.get(path, headers={"Entrepot-At-Least": written.headers["Entrepot-Position"]})
    assert answer.status_code == 200, answer.text
    return answer


async def test_what_is_posted_is_found_sold_and_counted(house: House) -> None:
    made = await house.client.post("/v1/products", json=DRAFT)
    page = (await at_least(house, made, made.headers["Location"])).json()
    assert page["texts"]["de"]["title"] == "Sturmlaterne"
    price = {"sku": "LANTERN-1", "market": "uk", "currency": "GBP", "amount_minor": 4_995}
    priced = await house.client.put(f"{made.headers['Location']}/prices", json={"prices": [price]})
    found = (await at_least(house, priced, "/v1/search?q=storm+lantern&market=uk")).json()
    assert found["hits"][0]["price"]["amount_minor"] == 4_995
    receipt = {"warehouse": "main", "lines": [{"sku": "LANTERN-1", "quantity": 3}]}
    received = await house.client.post("/v1/stock/receipts", json=receipt, headers=key())
    assert (await at_least(house, received, "/v1/stock/LANTERN-1")).json()["available"] == 3
    order = {"market": "uk", "country": "GB", "currency": "GBP", "lines": [{"sku": "LANTERN-1", "quantity": 2}]}
    placed = await house.client.post("/v1/orders", json=order, headers=key())
    assert placed.json()["total_minor"] == 9_990
    assert (await at_least(house, placed, "/v1/stock/LANTERN-1")).json()["available"] == 1
    sales = (await at_least(house, placed, "/v1/sales?by=product&limit=100")).json()["items"]
    assert next(row for row in sales if row["product_id"] == made.json()["id"])["net_minor"] == 9_990


async def test_an_order_is_read_as_it_stands_and_cancelled_once(house: House) -> None:
    order = {"market": "uk", "country": "GB", "currency": "GBP", "lines": [{"sku": "MUG-CEDAR-RED", "quantity": 2}]}
    placed = await house.client.post("/v1/orders", json=order, headers=key())
    address = placed.headers["Location"]
    again = key()
    first = await house.client.post(f"{address}/cancellation", json={"reason": "changed my mind"}, headers=again)
    second = await house.client.post(f"{address}/cancellation", json={"reason": "changed my mind"}, headers=again)
    assert (first.status_code, first.json()) == (201, second.json())
    read = (await house.client.get(address)).json()
    assert (read["state"], read["cancelled_for"]) == ("cancelled", "changed my mind")


async def test_goods_come_back_once_however_often_it_is_said(house: House) -> None:
    order = {"market": "uk", "country": "GB", "currency": "GBP", "lines": [{"sku": "TRAY-CEDAR-RED", "quantity": 2}]}
    placed = (await house.client.post("/v1/orders", json=order, headers=key())).json()
    back = {**order, "order_id": placed["order_id"], "reason": "broken", "lines": [{"sku": "TRAY-CEDAR-RED", "quantity": 1}]}
    again = key()
    first = await house.client.post("/v1/returns", json=back, headers=again)
    second = await house.client.post("/v1/returns", json=back, headers=again)
    assert first.json()["return_id"] == second.json()["return_id"]
    assert second.json()["repeated"] is True
    read = (await house.client.get(f"/v1/orders/{placed['order_id']}")).json()
    assert read["lines"][0]["returned"] == 1
    assert [one["reason"] for one in read["returns"]] == ["broken"]


async def test_orders_are_listed_newest_first_page_by_page(house: House) -> None:
    first = (await house.client.get("/v1/orders?limit=4")).json()
    second = (await house.client.get(f"/v1/orders?limit=4&cursor={first['cursor']}")).json()
    ids = [one["id"] for one in (*first["items"], *second["items"])]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 8


async def test_a_withdrawn_product_has_no_page(house: House) -> None:
    made = await house.client.post("/v1/products", json={**DRAFT, "code": "GONE", "variants": [{"sku": "GONE-1"}]})
    await at_least(house, made, made.headers["Location"])
    gone = await house.client.delete(made.headers["Location"])
    fresh = {"Entrepot-At-Least": gone.headers["Entrepot-Position"]}
    answer = await house.client.get(made.headers["Location"], headers=fresh)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
