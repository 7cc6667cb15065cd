"""Calls the examples of the API's description again, and says where an answer is not what its example tells."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import msgspec
from httpx import Response

from entrepot.api.openapi import Example, examples
from tests.house import House

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")

# What differs from one run, or one house, to the next, beside moments (``_at``); the members must still be there.
MOVES = frozenset(
    (  # noqa: SIM905  # forty names as a list would be forty lines
        "number why due_on period_start period_end secret version explained earliest latest reference position at "
        "since until cursor score head passed generation name role error quarantined verified building lags lag_events "
        "lag_seconds events_per_second licences download order_secret asked "
        "hits facets total did_you_mean texts products brands categories "
        "orders orders_cancelled units units_returned gross_minor charges_minor returned_minor net_minor"
    ).split()
)


def differences(told: Any, given: Any, ids: dict[str, str], member: str = "") -> Iterator[str]:
    """Yield where an answer is not what the example tells, and learn which id stands for which."""
    if isinstance(told, dict) and isinstance(given, dict):
        if told.keys() != given.keys():
            yield f"{member}: only one of both has {sorted(told.keys() ^ given.keys())}"
        for name in told.keys() & given.keys():
            if name not in MOVES and not name.endswith("_at"):
                yield from differences(told[name], given[name], ids, f"{member}.{name}")
    elif isinstance(told, list) and isinstance(given, list):
        for first, second in zip(told, given, strict=False):  # examples hold the first of many
            if not (member.endswith(".items") and isinstance(first, int)):
                yield from differences(first, second, ids, member)
    elif isinstance(told, str) and ID.fullmatch(told) and isinstance(given, str) and ID.fullmatch(given):
        ids[told] = given
    elif told != given and not (member.endswith(".items") and isinstance(told, int)):
        yield f"{member}: told {told!r}, given {given!r}"


async def call(house: House, example: Example, ids: dict[str, str]) -> Response:
    """Make the call of an example, with the ids of this house, at least as fresh as all that was written."""

    def ours(text: str) -> str:
        return ID.sub(lambda found: ids.get(found[0], found[0]), text)

    method = example.operation.partition(" ")[0]
    await house.until_reacted()
    await house.seen_by_all()
    body = None if example.request is None else ours(msgspec.json.encode(example.request).decode())
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    return await house.client.request(method, ours(example.path), content=body, headers=headers)


async def replay(house: House) -> list[str]:
    """Call every example again, and return all differences, not only the first."""
    ids: dict[str, str] = {}
    found: list[str] = []
    for example in examples():
        answer = await call(house, example, ids)
        if answer.status_code == example.status:
            found += differences(example.reply, answer.json(), ids, example.operation)
        else:
            found.append(f"{example.operation}: {answer.status_code} rather than {example.status}: {answer.text}")
    return found
