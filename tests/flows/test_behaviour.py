"""What shoppers do comes in by HTTP, is in ClickHouse once, and is told to staff in sums."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from entrepot.app import privacy_of
from entrepot.base.ids import IdSource, uuid7_at
from entrepot.base.time import SystemClock
from entrepot.behaviour import collecting
from entrepot.behaviour.collecting import sealed_id_of
from entrepot.behaviour.table import TARGET
from entrepot.privacy.scanner import Scanner
from tests.forgetting import forget
from tests.house import House
from tests.people import bearer

IDS = IdSource()
MINUTE, DAY = 60_000, 24 * 60
READY_SECONDS = 60.0

Event = dict[str, object]


def event(kind: str, ago: int = 0, **more: object) -> Event:
    """Return an event of so many minutes ago."""
    made = uuid7_at(SystemClock().millis() - ago * MINUTE, uuid4().bytes)
    return {"id": str(made), "kind": kind, **{name: str(one) if isinstance(one, UUID) else one for name, one in more.items()}}


async def tell(house: House, events: Sequence[Event], visitor: UUID | None = None, **headers: str) -> dict[str, object]:
    """Send events, and return the answer."""
    body = {"events": events, **({"visitor": str(visitor)} if visitor else {})}
    answer = await house.nobody.post("/v1/collect", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    told: dict[str, object] = answer.json()
    return told


async def rows(house: House, market: str) -> list[dict[str, object]]:
    """Return what is kept of a market, every row that a reader would see."""
    sql = "SELECT id, kind, who, words, order_id FROM {table} FINAL WHERE market = {market:String} ORDER BY at, id"
    return [dict(row) for row in await house.app.stores.columns.query(TARGET, sql, {"market": market})]


async def until_kept(house: House, market: str, count: int) -> list[dict[str, object]]:
    """Return what is kept of a market once it is so much."""
    async with asyncio.timeout(READY_SECONDS):
        while True:
            if len(found := await rows(house, market)) >= count:
                return found
            await asyncio.sleep(0.05)


async def test_what_was_accepted_is_kept_once_however_often_it_is_sent(house: House) -> None:
    sent = [event("view", market="once", product_id=uuid4()) for _ in range(5)]
    for _ in range(3):
        assert await tell(house, sent, uuid4()) == {"accepted": 5, "refused": 0, "refusals": []}
    last = event("page", market="once", page="end")
    await tell(house, [last], uuid4())
    found = await until_kept(house, "once", 6)
    assert sorted(str(row["id"]) for row in found) == sorted(str(one["id"]) for one in [*sent, last])


async def test_what_cannot_be_kept_is_counted_and_named_beside_what_is(house: House) -> None:
    told = await tell(house, [event("page", market="mixed", page="home"), event("dance"), event("cart")])
    assert (told["accepted"], told["refused"]) == (1, 2)
    assert [one["event"] for one in told["refusals"]] == [1, 2]  # type: ignore[attr-defined]  # JSON has no types
    none = await house.nobody.post("/v1/collect", json=event("dance"))
    assert (none.status_code, none.json()["refused"], "dance" in none.json()["detail"]) == (400, 1, True)


async def test_who_has_signed_in_is_known_only_while_they_agree(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "CONSENT_MILLIS", 0)
    person = await bearer(house, "counted@example.com")
    agreed = "/v1/me/consents/analytics"

    async def look() -> None:
        await tell(house, [event("view", market="agreed", product_id=uuid4())], uuid4(), **person)

    await look()
    await house.nobody.put(agreed, json={"text_version": "1", "how": "test"}, headers=person)
    await look()
    await look()
    await house.nobody.delete(agreed, headers=person)
    await look()
    found = [str(row["who"]) for row in await until_kept(house, "agreed", 4)]
    assert sorted(map(bool, found)) == [False, False, True, True]
    assert len(set(found)) == 2


async def shopped(house: House, market: str) -> str:
    """Let three visitors shop, one of them to the end and days before; returns the order that one placed."""
    placed = (await house.client.get("/v1/orders", params={"limit": 1})).json()["items"][0]
    product = uuid4()
    buyer, looker, leaver = uuid4(), uuid4(), uuid4()
    await tell(house, [event("page", 6 * DAY, market=market, page="home")], buyer)
    await tell(
        house,
        [
            event("search", 9, market=market, words="Blue mug", results=3),
            event("click", 8, market=market, words="blue mug", product_id=product, position=1),
            event("view", 7, market=market, product_id=product),
            event("cart", 6, market=market, product_id=product),
            event("checkout", 5, market=market),
            event("order", 4, market=market, order_id=UUID(placed["id"])),
        ],
        buyer,
    )
    await tell(house, [event("view", 50, market=market, product_id=product)], looker)
    await tell(house, [event("cart", 5, market=market, product_id=product)], looker)
    await tell(house, [event("search", 3, market=market, words="teleporter", results=0)], leaver)
    await tell(house, [event("search", 3, market=market, words="Teleporter", results=0)])
    return str(placed["id"])


async def test_staff_is_told_how_far_shoppers_come_and_what_they_miss(house: House) -> None:
    await shopped(house, "asked")
    await until_kept(house, "asked", 11)

    async def ask(question: str) -> dict[str, Any]:
        answer = await house.client.get(f"/v1/behaviour{question}", params={"market": "asked"})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    kinds = {one["kind"]: (one["events"], one["visitors"]) for one in (await ask(""))["items"]}
    assert (kinds["search"], kinds["cart"], kinds["order"]) == ((3, 2), (2, 2), (1, 1))
    funnel = await ask("/funnel")
    assert funnel == {"sessions": 5, "viewed": 2, "added": 1, "checked_out": 1, "ordered": 1}
    days = (await ask("/sessions"))["items"]
    assert (sum(day["sessions"] for day in days), sum(day["with_order"] for day in days)) == (5, 1)
    missed = (await ask("/missed-searches"))["items"]
    assert [(one["words"], one["searches"], one["visitors"]) for one in missed] == [("teleporter", 2, 1)]
    sold = (await ask("/selling-searches"))["items"]
    assert [(one["words"], one["currency"], one["orders"]) for one in sold] == [("blue mug", "GBP", 1)]
    assert sold[0]["net_minor"] > 0
    cohorts = (await ask("/retention"))["items"]
    assert sum(one["visitors"] for one in cohorts if one["weeks_since"] == 0) == 3
    assert sum(one["visitors"] for one in cohorts if one["weeks_since"] == 1) <= 1


async def test_sums_are_for_staff_alone(house: House) -> None:
    assert (await house.nobody.get("/v1/behaviour/funnel")).status_code == 401
    shopper = await bearer(house, "curious@example.com")
    assert (await house.nobody.get("/v1/behaviour/funnel", headers=shopper)).status_code == 403


async def test_what_somebody_looked_at_is_exported_and_then_forgotten_with_their_key(house: House) -> None:
    person = await bearer(house, "looked@example.com")
    who = (await house.nobody.get("/v1/me", headers=person)).json()["id"]
    await house.nobody.put("/v1/me/consents/analytics", json={"text_version": "1", "how": "test"}, headers=person)
    await tell(house, [event("search", market="told", words="warm socks", results=1)], None, **person)
    [row] = await until_kept(house, "told", 1)
    areas = await privacy_of(house.app).exporter.areas([UUID(who)])
    assert [one["words"] for one in areas["behaviour"]] == ["warm socks"]
    assert await sealed_id_of(house.app.sealing, UUID(who)) == row["who"]
    assert (await forget(house, who)).state == "certified"
    assert await rows(house, "told") == []
    assert await sealed_id_of(house.app.sealing, UUID(who)) is None


async def test_a_sealed_id_that_is_left_anywhere_is_found_by_the_search(house: House) -> None:
    sealed_id = uuid4().hex
    await tell(house, [event("page", market="left", page="home")], uuid4())
    [row] = await until_kept(house, "left", 1)
    scan = await Scanner(house.app.settings).search([sealed_id, str(row["who"])], [])
    assert {(one.source, found.value) for one in scan.sources for found in one.findings} == {("columns", 2)}
