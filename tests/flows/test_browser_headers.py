"""What every answer tells a browser: what it may load, who may frame it, that it comes by TLS, and what it may keep."""

import pytest

from tests.house import House
from tests.people import bearer

ANSWERS = ["/", "/v1/products", "/healthz", "/nowhere", "/v1/nowhere", "/office"]


@pytest.mark.parametrize("path", ANSWERS)
async def test_every_answer_tells_the_browser_what_it_may_do_with_it(house: House, path: str) -> None:
    told = (await house.nobody.get(path, headers={"Accept": "text/html"})).headers
    policy = told["content-security-policy"]
    assert all(
        one in policy for one in ("default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'")
    )
    assert "unsafe" not in policy
    assert told["x-content-type-options"] == "nosniff"
    assert told["referrer-policy"] == "same-origin"
    assert told["cross-origin-opener-policy"] == "same-origin"
    assert told["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert "access-control-allow-origin" not in told


@pytest.mark.parametrize("path", ["/v1/me", "/v1/sessions", "/v1/me/api-keys", "/account", "/account/security"])
async def test_what_is_somebodys_own_is_kept_by_no_browser(house: House, path: str) -> None:
    told = await house.nobody.get(path, headers=await bearer(house, "kept@example.com"))
    assert (told.status_code, told.headers["cache-control"]) == (200, "no-store")


async def test_a_method_that_no_route_has_is_refused(house: House) -> None:
    answers = [await house.nobody.request("TRACE", path) for path in ("/", "/v1/products")]
    assert [one.status_code for one in answers] == [405, 405]
