"""The examples in the API's description are what the code returns: each is called again, and the answers are compared."""

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
        "lag_seconds events_per_second licences download order_secret "
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


async def test_every_example_is_what_the_code_returns(house: House) -> None:
    ids: dict[str, str] = {}
    found: list[str] = []
    for example in examples():
        answer = await call(house, example, ids)
        if answer.status_code == example.status:
            found += differences(example.reply, answer.json(), ids, example.operation)
        else:
            found.append(f"{example.operation}: {answer.status_code} rather than {example.status}: {answer.text}")
    assert not found, "\n".join(found)  # all of them, not only the first


async def test_the_description_holds_every_example_and_names_every_operation(house: House) -> None:
    schema = (await house.client.get("/v1/openapi.json")).json()
    operations = {f"{method.upper()} {path}" for path, methods in schema["paths"].items() for method in methods}
    assert {example.operation for example in examples()} <= operations
    order = schema["paths"]["/v1/orders"]["post"]
    assert order["requestBody"]["content"]["application/json"]["example"]["market"] == "uk"
    assert "order_id" in order["responses"]["201"]["content"]["application/json"]["example"]


async def test_the_description_tells_what_is_refused_as_problems_and_what_must_be_given(house: House) -> None:
    schema = (await house.client.get("/v1/openapi.json")).json()
    order = schema["paths"]["/v1/orders"]["post"]
    refusals = {status: list(one["content"]) for status, one in order["responses"].items() if status >= "400"}
    assert refusals == {key: ["application/problem+json"] for key in ["400", "401", "403", "404", "409", "413", "422", "503"]}
    assert [(one["name"], one["required"]) for one in order["parameters"]] == [("Idempotency-Key", True)]
    assert schema["components"]["schemas"]["OrderRequest"]["additionalProperties"] is False
    product = schema["paths"]["/v1/products"]["post"]
    assert [(one["name"], one["required"]) for one in product["parameters"]] == [("Idempotency-Key", False)]


async def test_the_description_tells_what_a_page_holds_and_what_a_search_takes(house: House) -> None:
    schema = (await house.client.get("/v1/openapi.json")).json()
    page = schema["paths"]["/v1/products/{product_id}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    held = schema["components"]["schemas"][page["$ref"].rpartition("/")[2]]["properties"]
    assert {"code", "texts", "prices"} <= held.keys()
    assert "anyOf" in held["attributes"]["additionalProperties"]  # 5 is an integer and a number: it may be either
    given = {one["name"] for one in schema["paths"]["/v1/search"]["get"]["parameters"]}
    assert {"q", "market", "sort", "brand", "price", "cursor"} <= given
    assert list(schema["paths"]["/v1/events/stream"]["get"]["responses"]["200"]["content"]) == ["text/event-stream"]
