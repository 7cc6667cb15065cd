"""Storefronts on other hosts: what their pages may send and read, and that nobody else's may."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, get

from entrepot.api.storefronts import Storefronts
from entrepot.base.errors import BadInputError
from entrepot.settings import load

SHOP, EVIL = "https://shop.example", "https://shop.example.evil.example"


@get("/v1/heard", sync_to_thread=False)
def heard(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Answer with the headers that came."""
    return dict(request.headers)


@get("/page", sync_to_thread=False)
def page() -> str:
    """Answer what a browser shows."""
    return "a page"


def visitor() -> httpx.AsyncClient:
    inside = Litestar([heard, page], openapi_config=None)
    return httpx.AsyncClient(transport=httpx.ASGITransport(Storefronts(inside, [SHOP])), base_url="http://house")  # type: ignore[arg-type]  # httpx and litestar each have their own types of ASGI


async def test_a_storefronts_page_is_heard_as_a_program_and_reads_the_answer() -> None:
    sent = {"Origin": SHOP, "Sec-Fetch-Site": "cross-site", "Cookie": "entrepot_session=x", "Authorization": "Bearer y"}
    async with visitor() as asks:
        answer = await asks.get("/v1/heard", headers=sent)
    assert answer.json()["authorization"] == "Bearer y"
    assert not {"origin", "sec-fetch-site", "cookie"} & set(answer.json())
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "access-control-allow-credentials" not in answer.headers
    assert {"ETag", "Entrepot-Position"} <= set(answer.headers["access-control-expose-headers"].split(", "))


@pytest.mark.parametrize("origin", [EVIL, "https://SHOP.example.", "null", ""])
async def test_another_page_is_told_nothing_and_stays_what_it_is(origin: str) -> None:
    sent = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Cookie": "a=b"}
    async with visitor() as asks:
        answer = await asks.get("/v1/heard", headers=sent)
        asked = await asks.options("/v1/heard", headers={**sent, "Access-Control-Request-Method": "GET"})
    assert answer.json()["cookie"] == "a=b"
    assert answer.json()["sec-fetch-site"] == "cross-site"
    assert answer.headers["vary"] == "origin"  # a cache keeps it apart from what a storefront is answered
    assert not any("access-control" in name for name in [*answer.headers, *asked.headers])


async def test_a_browser_is_told_before_it_asks_what_it_may_send() -> None:
    async with visitor() as asks:
        answer = await asks.options("/v1/heard", headers={"Origin": SHOP, "Access-Control-Request-Method": "PUT"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert {"Authorization", "Idempotency-Key"} <= set(answer.headers["access-control-allow-headers"].split(", "))


async def test_pages_of_the_console_are_read_by_no_storefront() -> None:
    async with visitor() as asks:
        answer = await asks.get("/page", headers={"Origin": SHOP})
    assert answer.text == "a page"
    assert not any("access-control" in name for name in answer.headers)


def test_storefronts_are_named_by_their_addresses_alone(tmp_path: Path) -> None:
    def named(text: str) -> tuple[str, ...]:
        return load({"ENTREPOT_HOME": str(tmp_path), "ENTREPOT_STOREFRONTS": text}).storefronts

    assert named("") == ()
    assert named("https://shop.example/, http://localhost:3000") == (SHOP, "http://localhost:3000")
    for bad in ("*", "shop.example", "https://shop.example/fr", "null"):
        with pytest.raises(BadInputError, match="ENTREPOT_STOREFRONTS"):
            named(bad)
