"""What shoppers do comes in by HTTP, is in ClickHouse once, and is told to staff in sums."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

from entrepot.base.ids import IdSource, uuid7_at
from entrepot.base.time import SystemClock
from entrepot.behaviour.table import TARGET
from tests.house import House

IDS = IdSource()
MINUTE = 60_000
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
