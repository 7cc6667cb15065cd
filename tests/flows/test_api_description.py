"""The API describes itself: every operation, its examples, its refusals, and what each takes."""

from entrepot.api.openapi import examples
from tests.house import House


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
