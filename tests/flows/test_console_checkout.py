"""The pages of cart, checkout and office without a browser: cookies, keys, what is told where, and what other sites may not."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.house import House, bearing

PAGE = {"Accept": "text/html"}
MUG = "MUG-CEDAR-BLACK"
FORM: dict[str, str] = {
    "email": "kim@example.org", "name": "Kim", "line1": "1 High St", "city": "York", "postcode": "YO1", "country": "GB",
    "token": "tok_ok", "do": "pay",
}  # fmt: skip


@pytest.fixture
async def visitor(house: House) -> Any:
    """Return a client with cookies of its own, whose key lets it into the office too."""
    headers = PAGE | bearing(house.key)
    async with httpx.AsyncClient(transport=house.client._transport, base_url="http://house", headers=headers) as client:
        yield client


async def put_in(visitor: httpx.AsyncClient, quantity: int = 1, **more: str) -> httpx.Response:
    form = {"market": "uk", "sku": MUG, "quantity": str(quantity), "key": str(uuid4()), **more}
    return await visitor.post("/cart/lines", data=form)


async def form_of(visitor: httpx.AsyncClient, **changed: str) -> dict[str, str]:
    """Return the checkout's form as a buyer would send it: with the page's key and the total it showed."""
    text = (await visitor.get("/checkout")).text
    hidden = dict(re.findall(r'type="hidden" name="(key|total)" value="([^"]+)"', text))
    return {**FORM, **hidden, **changed}


async def test_the_cart_is_known_by_a_cookie_that_no_script_reads(visitor: httpx.AsyncClient) -> None:
    answer = await put_in(visitor)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cart")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert 'aria-label="Cart, 1 piece"' in (await visitor.get("/search")).text


async def test_a_form_sent_twice_puts_in_once_and_orders_once(visitor: httpx.AsyncClient) -> None:
    await put_in(visitor)
    key = str(uuid4())
    for _ in range(2):
        await put_in(visitor, 2, key=key)
    assert 'aria-label="Cart, 3 pieces"' in (await visitor.get("/cart")).text
    form = await form_of(visitor)
    kept = dict(visitor.cookies)
    first = await visitor.post("/checkout", data=form)
    visitor.cookies.update(kept)
    again = await visitor.post("/checkout", data=form)
    assert first.status_code == 303
    assert first.headers["location"].startswith("/thanks/")
    assert again.headers["location"] == "/cart"


async def test_nothing_to_check_out_leads_to_the_cart(visitor: httpx.AsyncClient) -> None:
    for answer in (await visitor.get("/checkout"), await visitor.post("/checkout", data=FORM)):
        assert (answer.status_code, answer.headers["location"]) == (303, "/cart")
    assert "Your cart is empty" in (await visitor.get("/cart")).text


@pytest.mark.parametrize(
    ("changed", "status", "part"),
    [
        ({"email": "kim"}, 400, "The e-mail address cannot be one"),
        ({"city": " "}, 400, "The field city is empty"),
        ({"total": "1"}, 409, "The total has changed."),
        ({"token": ""}, 400, "Choose a card to pay with."),
        ({"token": "tok_stolen"}, 402, "The bank does not accept this card."),
        ({"total": "what"}, 400, "did not say what it costs"),
    ],
)
async def test_what_stands_in_the_way_is_said_and_what_was_typed_stays(
    visitor: httpx.AsyncClient, changed: dict[str, str], status: int, part: str
) -> None:
    await put_in(visitor)
    answer = await visitor.post("/checkout", data=await form_of(visitor, name="Kim of York", **changed))
    assert answer.status_code == status
    assert part in answer.text
    assert 'value="Kim of York"' in answer.text
    assert 'aria-label="Cart, 1 piece"' in (await visitor.get("/cart")).text


async def test_a_card_number_typed_anywhere_is_refused_unread(visitor: httpx.AsyncClient) -> None:
    await put_in(visitor)
    answer = await visitor.post("/checkout", data=await form_of(visitor, name="4242 4242 4242 4242"))
    assert answer.status_code == 422
    assert "4242" not in answer.text


async def test_a_total_of_another_country_is_told_before_it_is_taken(visitor: httpx.AsyncClient) -> None:
    await put_in(visitor)
    form = await form_of(visitor, country="US")
    priced = await visitor.post("/checkout", data={**form, "do": "update"})
    assert priced.status_code == 200
    refused = await visitor.post("/checkout", data=form)
    assert (refused.status_code, "The total has changed." in refused.text) == (409, True)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/office", "Waiting for somebody"),
        ("/office/returns", "Returns"),
        ("/office/disputes", "Disputes"),
        ("/office/quotes", "Quotes"),
        ("/office/purchases", "Purchases"),
        ("/office/coupons", "WELCOME10"),
        ("/office/webhooks", "Webhooks"),
        ("/office/jobs", "Jobs and reactions"),
        ("/sellers", "Sellers"),
        ("/cart", "Your cart is empty"),
    ],
)
async def test_a_page_is_whole_without_script(visitor: httpx.AsyncClient, path: str, part: str) -> None:
    answer = await visitor.get(path)
    assert answer.status_code == 200
    assert part in answer.text
    for word in ("<style", " style=", "onclick=", "<script>"):
        assert word not in answer.text
