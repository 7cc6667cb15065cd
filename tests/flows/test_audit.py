"""Each command and each read of personal data leaves exactly one entry before its answer goes out; nothing else leaves any."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from entrepot.api.application import ROOMS
from entrepot.api.edge import STREAMING
from entrepot.api.personal import IMPERSONAL, PERSONAL, UNNOTED
from entrepot.audit.archived import ArchivedRows
from entrepot.audit.query import events_of
from entrepot.console import pages
from tests.flows.conftest import filled_house
from tests.flows.test_access import guests_order
from tests.house import House

SAFE = {"GET", "HEAD", "OPTIONS"}
HANDLERS = [*(handler for room in ROOMS for handler in room.HANDLERS), *pages.handlers()]
ROUTES = sorted(
    (method, re.sub(r":\w+\}", "}", path)) for handler in HANDLERS for path in handler.paths for method in handler.http_methods
)


@pytest.fixture(scope="module")
async def house(record_url: str, objects_url: str, engines_home: Path) -> AsyncIterator[House]:
    async with filled_house(record_url, objects_url, engines_home) as opened:
        yield opened


async def left(house: House, method: str, address: str, **given: Any) -> list[dict[str, Any]]:
    """Send a request and return the entries that it left."""
    answer = await house.client.request(method, address, **given)
    request = UUID(answer.headers["entrepot-request"]) if "entrepot-request" in answer.headers else None
    async with house.app.record.committing() as connection:
        found = await connection.fetch("SELECT * FROM audit.every_entry WHERE id = $1", request)
    assert all(row["status"] == answer.status_code for row in found)
    return [dict(row) for row in found]


def address_of(route: str) -> str:
    """Return an address of a route; whether there is such a thing is all the same to the audit."""
    return re.sub(r"\{\w+_id\}|\{into\}", str(uuid4()), re.sub(r"\{(?!\w+_id\})\w+\}", "x", route))


def shape(route: str) -> str:
    """Return a route without its parameters' names: of two routes of one shape, the framework tells the name of either."""
    return re.sub(r"\{\w+\}", "{}", route)


def test_every_address_that_is_read_says_whether_it_is_personal() -> None:
    read = {route for method, route in ROUTES if method == "GET"}
    assert read - PERSONAL - IMPERSONAL == set()
    assert (PERSONAL | IMPERSONAL) - read == set()
    assert set() == PERSONAL & IMPERSONAL


async def test_every_command_leaves_one_entry(house: House) -> None:
    for method, route in ROUTES:
        if method not in SAFE:
            found = await left(house, method, address_of(route), json={}, headers={"Idempotency-Key": str(uuid4())})
            wanted = [("command", shape(f"{method} {route}"))] * (route not in UNNOTED)
            assert [(one["class"], shape(one["action"])) for one in found] == wanted


async def test_every_personal_read_leaves_one_entry_and_no_other_read_does(house: House) -> None:
    for method, route in ROUTES:
        if method == "GET" and route != STREAMING:
            found = await left(house, method, address_of(route))
            assert [one["class"] for one in found] == ["read"] * (route in PERSONAL), route


async def test_an_order_says_who_bought_it_where_and_why(house: House) -> None:
    item = (await house.client.get("/v1/orders?limit=1")).json()["items"][0]
    lines = [{"sku": (await house.client.get("/v1/search?q=mug&market=uk")).json()["hits"][0]["code"], "quantity": 1}]
    customer = uuid4()
    body = {"customer_id": str(customer), "market": "uk", "country": "GB", "currency": "GBP", "lines": lines}
    headers = {"Idempotency-Key": str(uuid4()), "Entrepot-Why": "ticket/4711", "User-Agent": "Mozilla/5.0"}
    [entry] = await left(house, "POST", "/v1/orders", json=body, headers=headers)
    assert item["id"] != entry["object"]
    assert (entry["status"], entry["subject"], entry["why"], entry["agent"]) == (201, customer, "ticket/4711", "browser")
    shown = (await house.client.get("/v1/audit", params={"object": entry["object"]})).json()["items"]
    assert [(one["id"], one["action"]) for one in shown] == [(str(entry["id"]), "POST /v1/orders")]


async def test_events_name_the_request_that_caused_them(house: House) -> None:
    item = (await house.client.get("/v1/orders?limit=1")).json()["items"][0]
    address, headers = f"/v1/orders/{item['id']}/cancellation", {"Idempotency-Key": str(uuid4())}
    [entry] = await left(house, "POST", address, json={"reason": "changed my mind"}, headers=headers)
    async with house.app.record.committing() as connection:
        kinds = await connection.fetch("SELECT DISTINCT kind FROM log.event WHERE cause = $1", entry["id"])
    assert "ordering.order_cancelled.v1" in {row["kind"] for row in kinds} or entry["problem"]
    assert entry["object"].startswith(item["id"])


async def kinds_of(house: House, request: str) -> set[str]:
    app = house.app
    archived = ArchivedRows(app.record, app.settings.cell, app.stores.objects)
    found = await events_of(app.record, app.settings.cell, UUID(request), archived)
    return {one.kind for one in found}


async def test_the_events_of_a_request_are_those_of_its_orders_stock_and_payment_too(house: House) -> None:
    line = {"sku": "MUG-ALDER-RED", "quantity": 1}
    sent = {"market": "uk", "country": "GB", "currency": "GBP", "lines": [line]}
    bought = [await house.client.post("/v1/orders", json=sent, headers={"Idempotency-Key": str(uuid4())}) for _ in range(2)]
    assert [one.status_code for one in bought] == [201, 201], bought[0].text
    for one in bought:
        placed = {"ordering.order_placed.v1", "stock.changed.v1"}
        assert await kinds_of(house, one.headers["entrepot-request"]) == placed


async def test_the_events_of_a_checkout_are_those_of_its_payment_too(house: House) -> None:
    order, _ = await guests_order(house)
    shown = (await house.client.get("/v1/audit", params={"object": order})).json()["items"]
    [begun] = [one["id"] for one in shown if one["action"] == "POST /v1/checkouts"]
    assert {"ordering.order_placed.v1", "payment.authorized.v1"} <= await kinds_of(house, begun)


@pytest.mark.parametrize("why", ["for jane@example.com", "call 0171 2345678", "x" * 81, " "])
async def test_a_reason_that_could_name_a_person_is_refused(house: House, why: str) -> None:
    answer = await house.client.get("/v1/orders", headers={"Entrepot-Why": why})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-input")


async def test_the_chain_is_linked_and_published_while_the_house_is_open(house: House) -> None:
    state = (await house.client.get("/v1/audit/state")).json()
    assert state["waiting"] >= 0
    shown = (await house.client.get("/v1/audit?limit=2")).json()
    assert len(shown["items"]) == 2
    more = (await house.client.get(f"/v1/audit?limit=2&cursor={shown['cursor']}")).json()
    assert {one["id"] for one in more["items"]}.isdisjoint(one["id"] for one in shown["items"])


async def test_an_order_of_a_checkout_names_the_request_that_began_it(house: House) -> None:
    order, _ = await guests_order(house)
    shown = (await house.client.get("/v1/audit", params={"object": order})).json()["items"]
    [begun] = [one["id"] for one in shown if one["action"] == "POST /v1/checkouts"]
    async with house.app.record.committing() as connection:
        kinds = await connection.fetch("SELECT kind FROM log.event WHERE cause = $1", UUID(begun))
    assert "ordering.order_placed.v1" in {row["kind"] for row in kinds}
