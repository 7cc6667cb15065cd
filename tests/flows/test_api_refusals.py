"""What bad input gets from the API: one form, a sentence with the field and the value, never a 500."""

from uuid import uuid4

import pytest
from httpx import Response

from entrepot.base.limits import BODY_BYTES_MAX, JSON_DEPTH_MAX
from tests.house import House

ORDER = {"market": "uk", "country": "GB", "currency": "GBP", "lines": [{"sku": "MUG-ALDER-RED", "quantity": 1}]}
PRODUCT = {"code": "BAD", "texts": {"en": {"title": "Bad"}}, "variants": [{"sku": "BAD-1"}]}


def refused(answer: Response, status: int, *parts: str) -> None:
    """Check that an answer is a problem in our form, and that its sentence has these parts."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    for part in parts:
        assert part in problem["detail"], problem["detail"]


@pytest.mark.parametrize(
    ("body", "status", "parts"),
    [
        ({**ORDER, "lines": [{"sku": "NOPE", "quantity": 1}]}, 404, ["'NOPE'"]),
        ({**ORDER, "currency": "EUR"}, 400, ["GBP", "EUR"]),
        ({**ORDER, "currency": "XXQ"}, 400, ["'XXQ'", "ISO 4217"]),
        ({**ORDER, "lines": [{"sku": "MUG-ALDER-RED", "quantity": -2}]}, 400, ["-2"]),
        ({**ORDER, "lines": [{"sku": "MUG-ALDER-RED", "quantity": "many"}]}, 400, ["lines[0].quantity", '"many"', "int"]),
        ({**ORDER, "customer_id": "you"}, 400, ["customer_id", '"you"', "UUID"]),
        ({**ORDER, "colour": "red"}, 400, ["There is no field colour here"]),
        ({**ORDER, "lines": [{"sku": "MUG-ALDER-RED"}]}, 400, ["The field lines[0].quantity is missing: give it."]),
        ({**ORDER, "currency": "XXX"}, 400, ["'XXX'", "ISO 4217"]),
        ({**ORDER, "lines": [{"sku": "MUG-ALDER-RED", "quantity": 100_000}]}, 409, ["MUG-ALDER-RED", "100000 wanted"]),
    ],
)
async def test_an_order_that_cannot_be_is_refused_by_name(house: House, body: object, status: int, parts: list[str]) -> None:
    answer = await house.client.post("/v1/orders", json=body, headers={"Idempotency-Key": str(uuid4())})
    refused(answer, status, *parts)


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (b'{"code": "A",', ["no JSON", "line 1"]),
        (b"[" * (JSON_DEPTH_MAX + 1) + b"]" * (JSON_DEPTH_MAX + 1), [f"deeper than {JSON_DEPTH_MAX}"]),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, [f"deeper than {JSON_DEPTH_MAX}"]),
        (b'{"texts": {"en": {"title": "a"}, "en": {"title": "b"}}}', ["'en' twice"]),
        (b'{"weight": NaN}', ["NaN"]),
        (b'{"weight": 1e400}', ["1e400", "too large"]),
        (b'{"lines": [{"sku": "A\\ud800"}]}', ["lines[0].sku", "no character"]),
        (b'{"texts": {"en": {"title": "A\\u0000"}}}', ["texts.en.title", "no character"]),
        (b"\xff\xfe", ["UTF-8"]),
        (b"1" * 10_000, ["number"]),
        (b"[1, 2]", ["cannot be read"]),
        (b"", ["body is empty"]),
    ],
)
@pytest.mark.parametrize("path", ["/v1/products", "/v1/orders"])
async def test_a_body_that_is_no_good_json_is_refused(house: House, path: str, body: bytes, parts: list[str]) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    answer = await house.client.post(path, content=body, headers=headers)
    refused(answer, 400, *parts)


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(house: House) -> None:
    for path in ("/v1/products", "/v1/orders"):
        headers = {"Content-Type": "application/json", "Idempotency-Key": "x"}
        answer = await house.client.post(path, content=b" " * (BODY_BYTES_MAX + 1), headers=headers)
        refused(answer, 413, str(BODY_BYTES_MAX))
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("price", ["..-99999999999999999999", "1e308.."])
async def test_a_price_beyond_all_prices_finds_nothing(house: House, price: str) -> None:
    found = await house.client.get(f"/v1/search?q=mug&market=uk&price={price}")
    assert found.json()["total"] == 0, found.text


@pytest.mark.parametrize(
    ("path", "status", "part"),
    [
        ("/v1/products/not-an-id", 404, "/v1/products/not-an-id"),
        (f"/v1/products/{uuid4()}", 404, "no longer offered"),
        ("/v1/products?ids=x,y", 400, "'x'"),
        ("/v1/products?limit=0", 400, "query parameter limit cannot be read: expected int >= 1."),
        ("/v1/products?cursor=x", 400, "'x'"),
        ("/v1/orders?limit=1000", 400, "limit"),
        ("/v1/orders?cursor=%27", 400, "cursor"),
        ("/v1/shipments?state=odd", 400, "The query parameter state cannot be read"),
        (f"/v1/orders/{uuid4()}", 404, "no order"),
        ("/v1/search?colour=red", 400, "'colour'"),
        ("/v1/search?q=mug&price=cheap", 400, "'cheap'"),
        ("/v1/search?q=mug&sort=best", 400, "'best'"),
        ("/v1/search?q=mug&price=20..10&market=uk", 400, "lower bound first"),
        ("/v1/search?q=mug&attributes.=red", 400, "'attributes.'"),
        ("/v1/search?limit=" + "1" * 5000, 400, "1 to 100"),
        ("/v1/suggestions", 400, "query parameter q is missing"),
        ("/v1/search?q=" + "x" * 600, 400, "600 characters"),
        ("/v1/sales?by=moon", 400, "by"),
        ("/v1/sales?since=2020-01-01T00:00:00", 400, "time zone"),
        ("/v1/stock/NOPE", 404, "'NOPE'"),
        ("/v1/projections/nope/quarantine", 404, "'nope'"),
        ("/v1/nowhere", 404, "/v1/docs"),
    ],
)
async def test_a_read_that_cannot_be_is_refused_by_name(house: House, path: str, status: int, part: str) -> None:
    refused(await house.client.get(path), status, part)


async def test_a_product_that_cannot_be_is_refused_and_nothing_is_left(house: House) -> None:
    nameless = {**PRODUCT, "texts": {"en": {"title": " "}}}
    twice = {**PRODUCT, "texts": {"pt-BR": {"title": "a"}, "pt-br": {"title": "b"}}}
    endless = {**PRODUCT, "released_on": "0001-01-01"}  # PostgreSQL's driver takes the first day for minus infinity
    for body, part in (
        (nameless, "empty title"),
        (twice, "one language"),
        ({**PRODUCT, "variants": []}, "0 variants"),
        (endless, "0001-01-01"),
    ):
        refused(await house.client.post("/v1/products", json=body), 400, part)
    found = (await house.client.get("/v1/search?q=BAD-1&market=uk")).json()
    assert "BAD" not in [hit["code"] for hit in found["hits"]]


async def test_a_negative_price_and_a_wrong_currency_are_refused(house: House) -> None:
    found = (await house.client.get("/v1/search?q=tray&market=uk")).json()["hits"][0]
    path = f"/v1/products/{found['product_id']}/prices"
    price = {"sku": found["code"], "market": "uk", "currency": "GBP", "amount_minor": -1}
    refused(await house.client.put(path, json={"prices": [price]}), 400, "-1")
    refused(await house.client.put(path, json={"prices": [{**price, "currency": "EUR", "amount_minor": 1}]}), 400, "EUR", "GBP")
    refused(await house.client.put(path, json={"prices": [{**price, "market": "moon", "amount_minor": 1}]}), 400, "'moon'")


async def test_a_command_without_its_key_is_refused_and_a_key_means_one_thing(house: House) -> None:
    refused(await house.client.post("/v1/orders", json=ORDER), 400, "Idempotency-Key")
    key = {"Idempotency-Key": str(uuid4())}
    first = await house.client.post("/v1/orders", json=ORDER, headers=key)
    second = await house.client.post("/v1/orders", json=ORDER, headers=key)
    assert (first.json()["order_id"], second.json()["repeated"]) == (second.json()["order_id"], True)
    other = {**ORDER, "country": "FR"}
    refused(await house.client.post("/v1/orders", json=other, headers=key), 422, "different request")


async def test_every_kind_of_problem_has_a_page_that_explains_it(house: House) -> None:
    answer = await house.client.get("/problems/stock-exhausted")
    assert answer.status_code == 200
    assert "Stock exhausted" in answer.text
    refused(await house.client.get("/problems/nope"), 404, "'nope'")


async def test_a_position_that_is_none_is_refused_and_one_not_reached_is_503(house: House) -> None:
    for position, part in (("soon", "'soon'"), ("1.-5.5", "no position"), ("7.1.1", "cell 7")):
        headers = {"Entrepot-At-Least": position}
        refused(await house.client.get("/v1/stock/MUG-ALDER-RED", headers=headers), 400, part)
    answer = await house.client.get("/v1/stock/MUG-ALDER-RED", headers={"Entrepot-At-Least": "1.999999999.1"})
    refused(answer, 503, "1.999999999.1")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "parts"),
    [
        ("POST", "/v1/categories", {"code": "c", "names": {"en": " "}}, 400, ["empty name in en"]),
        ("PUT", "/v1/warehouses/w", {"rank": 10**12}, 400, ["rank 1000000000000 of warehouse w"]),
        ("POST", "/v1/orders", {**ORDER, "id": str(uuid4())}, 400, ["no UUIDv7"]),
        ("POST", "/v1/orders", {**ORDER, "id": "015ad3d6-cc50-7490-b6bf-376addbe59fb"}, 400, ["no room", "entrepot import"]),
        ("POST", "/v1/orders", {**ORDER, "placed_at": "0001-01-01T00:00:00Z"}, 400, ["0001-01-01", "out of range"]),
        ("POST", "/v1/orders", {**ORDER, "placed_at": "9999-12-31T23:59:59Z"}, 400, ["9999-12-31", "out of range"]),
    ],
)
async def test_what_the_record_could_not_keep_is_refused_by_name(
    house: House, method: str, path: str, body: object, status: int, parts: list[str]
) -> None:
    answer = await house.client.request(method, path, json=body, headers={"Idempotency-Key": str(uuid4())})
    refused(answer, status, *parts)


async def test_pieces_that_are_not_there_cannot_be_taken_out_of_stock(house: House) -> None:
    body = {"warehouse": "main", "lines": [{"sku": "MUG-ALDER-RED", "quantity": -900_000}]}
    answer = await house.client.post("/v1/stock/adjustments", json=body, headers={"Idempotency-Key": str(uuid4())})
    refused(answer, 409, "in warehouse main left, 900000 wanted: take out no more than there is")


@pytest.mark.parametrize("path", ["/", "/healthz", "/v1/products", "/nowhere"])
async def test_head_answers_as_get_does_without_the_body(house: House, path: str) -> None:
    head, get = await house.client.head(path), await house.client.get(path)
    assert (head.status_code, head.headers["content-type"]) == (get.status_code, get.headers["content-type"])
    assert head.content == b""
