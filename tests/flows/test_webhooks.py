"""Events go out signed, at least once, in order per key; what is refused is tried again; anyone can read from a position."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from tests.flows.test_api_flow import key
from tests.flows.test_api_refusals import refused
from tests.house import House
from tests.listener import Listener, listening

KINDS = ["catalog.product_*"]


def product(code: str, title: str = "A thing") -> dict[str, Any]:
    return {"code": code, "texts": {"en": {"title": title}}, "variants": [{"sku": code}]}


@asynccontextmanager
async def subscribed(house: House, kinds: list[str]) -> AsyncIterator[tuple[Listener, dict[str, Any]]]:
    """Give a listener that is subscribed, and what the subscription was answered."""
    async with listening() as listener:
        made = await house.client.post("/v1/webhook-endpoints", json={"url": listener.url, "kinds": kinds}, headers=key())
        assert made.status_code == 201, made.text
        try:
            yield listener, made.json()
        finally:
            await house.client.delete(made.headers["Location"])


async def endpoint(house: House, id_: str) -> dict[str, Any]:
    items = (await house.client.get("/v1/webhook-endpoints")).json()["items"]
    found: dict[str, Any] = next(one for one in items if one["id"] == id_)
    return found


async def test_a_subscriber_is_told_signed_and_in_order(house: House) -> None:
    code = f"HOOK-{uuid4()}"
    async with subscribed(house, KINDS) as (listener, made):
        for title in ("One", "Two", "Three"):
            await house.client.put(f"/v1/products/{code}", json=product(code, title))
        told = await listener.until(lambda events: len(events) >= 3)
        assert [event["data"]["texts"]["en"]["title"] for event in told] == ["One", "Two", "Three"]
        assert [event["version"] for event in told] == [1, 2, 3]
        first = listener.heard[0]
    signed = f"{first.headers['webhook-id']}.{first.headers['webhook-timestamp']}.".encode() + first.body
    secret = base64.b64decode(made["secret"].removeprefix("whsec_"))
    mac = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert first.headers["webhook-signature"] == f"v1,{mac}"


async def test_what_is_refused_waits_with_all_of_its_key_while_others_go_on(house: House) -> None:
    bad, good = f"BAD-{uuid4()}", f"GOOD-{uuid4()}"
    async with subscribed(house, KINDS) as (listener, made):
        listener.answering = lambda event: 500 if event["data"]["code"] == bad else 204
        await house.client.post("/v1/products", json=product(bad, "One"))
        await house.client.put(f"/v1/products/{bad}", json=product(bad, "Two"))
        await house.client.post("/v1/products", json=product(good))
        await listener.until(lambda events: any(event["data"]["code"] == good for event in events))
        waiting = await until_parked(house, made["id"], 2)
        assert [(one["state"], one["tries"]) for one in waiting] == [("waiting", 1), ("waiting", 0)]
        listener.answering = lambda _event: 204
        listener.heard.clear()
        await house.client.post(f"/v1/webhook-endpoints/{made['id']}/retries", json={})
        told = await listener.until(lambda events: len(events) >= 2)
        assert [event["data"]["texts"]["en"]["title"] for event in told] == ["One", "Two"]
        assert await until_parked(house, made["id"], 0) == []


async def test_a_subscriber_who_is_away_rests_and_misses_nothing(house: House) -> None:
    code = f"AWAY-{uuid4()}"
    async with subscribed(house, KINDS) as (listener, made):
        listener.answering = lambda _event: 503
        await house.client.post("/v1/products", json=product(code))
        await listener.until(lambda events: len(events) >= 1)
        listener.answering = lambda _event: 204
        for state in ("paused", "active"):  # an operator does not wait for the back-off
            await house.client.post(f"/v1/webhook-endpoints/{made['id']}/state", json={"state": state})
        told = await listener.until(lambda events: len(events) >= 2)
        assert [event["data"]["code"] for event in told] == [code, code]


async def test_one_knock_tells_that_a_subscriber_is_away_and_then_all_is_told(house: House) -> None:
    codes = [f"KNOCK-{n}-{uuid4()}" for n in range(3)]
    async with subscribed(house, KINDS) as (listener, made):
        listener.answering = lambda _event: 500
        for code in codes:
            await house.client.post("/v1/products", json=product(code))
        await until_parked(house, made["id"], 3)
        listener.answering = lambda _event: 503
        listener.heard.clear()
        await house.client.post(f"/v1/webhook-endpoints/{made['id']}/retries", json={})
        await until_resting(house, made["id"])
        assert len(listener.heard) == 1
        listener.answering = lambda _event: 204
        await house.client.post(f"/v1/webhook-endpoints/{made['id']}/state", json={"state": "paused"})
        await house.client.post(f"/v1/webhook-endpoints/{made['id']}/state", json={"state": "active"})
        await house.client.post(f"/v1/webhook-endpoints/{made['id']}/retries", json={})
        assert await until_parked(house, made["id"], 0) == []
        assert (await endpoint(house, made["id"]))["failures"] == 0


async def test_a_subscriber_who_says_that_it_is_gone_is_told_no_more(house: House) -> None:
    async with subscribed(house, KINDS) as (listener, made):
        listener.answering = lambda _event: 410
        await house.client.post("/v1/products", json=product(f"GONE-{uuid4()}"))
        await listener.until(lambda events: len(events) >= 1)
        found = await until_state(house, made["id"], "disabled")
        assert "410" in found["why"]


async def test_a_subscriber_can_be_told_again_from_a_position(house: House) -> None:
    code = f"AGAIN-{uuid4()}"
    async with subscribed(house, KINDS) as (listener, made):
        await house.client.post("/v1/products", json=product(code))
        (first,) = await listener.until(lambda events: len(events) == 1)
        back = {"position": made["position"]}
        await house.client.post(f"/v1/webhook-endpoints/{made['id']}/replays", json=back)
        told = await listener.until(lambda events: len(events) >= 2)
        assert told[1] == first


async def test_events_are_read_by_position_as_far_as_the_log_reaches(house: House) -> None:
    code = f"READ-{uuid4()}"
    made = await house.client.post("/v1/products", json=product(code))
    seen: list[str] = []
    position, more = "", True
    while more:
        page = (await house.client.get(f"/v1/events?kinds=catalog.*&limit=50&after={position}")).json()
        seen += [event["data"].get("code", "") for event in page["items"]]
        position, more = page["position"], page["more"]
    assert code in seen
    assert made.status_code == 201


async def test_bad_subscriptions_are_refused_with_what_is_wrong(house: House) -> None:
    for draft, part in (
        ({"url": "ftp://here", "kinds": KINDS}, "ftp://here"),
        ({"url": "https://me:pw@here/", "kinds": KINDS}, "without user or password"),
        ({"url": "https://here/", "kinds": ["catalog.nothing.v1"]}, "catalog.nothing.v1"),
        ({"url": "https://here/", "kinds": []}, "0 kinds"),
    ):
        refused(await house.client.post("/v1/webhook-endpoints", json=draft, headers=key()), 400, part)
    unknown = uuid4()
    refused(await house.client.delete(f"/v1/webhook-endpoints/{unknown}"), 404, str(unknown))


async def until_parked(house: House, id_: str, count: int) -> list[dict[str, Any]]:
    """Wait until so many events are parked, and return them."""
    async with asyncio.timeout(45):
        while True:
            answer = await house.client.get(f"/v1/webhook-endpoints/{id_}/deliveries")
            items: list[dict[str, Any]] = answer.json()["items"]
            if len(items) == count:
                return items
            await asyncio.sleep(0.05)


async def until_state(house: House, id_: str, state: str) -> dict[str, Any]:
    """Wait until a subscriber is in a state, and return it."""
    async with asyncio.timeout(45):
        while True:
            found = await endpoint(house, id_)
            if found["state"] == state:
                return found
            await asyncio.sleep(0.05)


async def until_resting(house: House, id_: str) -> None:
    """Wait until a subscriber rests."""
    async with asyncio.timeout(45):
        while True:
            if (await endpoint(house, id_))["resting_until"] is not None:
                return
            await asyncio.sleep(0.05)
