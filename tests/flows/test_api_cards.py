"""No card number passes the edge: not by the hot lane, not in two pieces, not in a form; and the log never sees one."""

from collections.abc import AsyncIterator

import pytest

from tests.house import House

CARD = "4242 4242 4242 4242"
SLUG = "/problems/card-number-refused"


async def in_pieces(*pieces: str) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece.encode()


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/products", "/v1/returns", "/v1/webhooks/payments/sandbox"])
async def test_a_body_with_a_card_number_is_refused_unread(house: House, path: str) -> None:
    answer = await house.client.post(path, json={"note": CARD}, headers={"Idempotency-Key": "a-card"})
    assert (answer.status_code, answer.json()["type"], answer.json()["field"]) == (422, SLUG, "note")
    assert "4242" not in answer.text


async def test_a_number_cut_in_two_by_the_network_is_found(house: House) -> None:
    body = in_pieces('{"reason": "I paid with 4242 42', '42 4242 4242, why?"}')
    answer = await house.client.post("/v1/products", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (422, SLUG)


async def test_a_number_in_a_form_a_query_a_path_or_a_key_is_found(house: House) -> None:
    answers = [
        await house.client.post("/v1/products", data={"note": CARD}),
        await house.client.get("/v1/search", params={"q": CARD}),
        await house.client.get(f"/v1/stock/{CARD}"),
        await house.client.post("/v1/orders", json={}, headers={"Idempotency-Key": CARD}),
    ]
    assert [(one.status_code, one.json()["type"]) for one in answers] == [(422, SLUG)] * 4


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("kind", [f"{FORM}; charset=utf-8", FORM.title(), "text/plain"])
async def test_a_form_is_looked_through_whatever_it_calls_itself(house: House, kind: str) -> None:
    written = b"email=%34242424242424242&password=x"  # a digit, too, may be written so
    answer = await house.nobody.post("/sign-in", content=written, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["type"]) == (422, SLUG)


async def test_a_barcode_is_searched_for_as_ever(house: House) -> None:
    assert (await house.client.get("/v1/search", params={"q": "4006381333931"})).status_code == 200
