"""Nothing made up or bent, in whatever part of a request, lets anybody in, breaks the house, or reaches another's answer."""

import re
from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.api.application import ROOMS
from entrepot.api.principal import bound
from entrepot.base.limits import IDEMPOTENCY_KEY_CHARS_MAX
from entrepot.base.principal import ANONYMOUS, Principal
from entrepot.console import pages
from tests.house import House, bearing
from tests.people import bearer

NOBODY = UUID(int=0)
REFUSED = 400
BROKEN = 500
CART = {"market": "uk", "country": "GB", "lines": []}
# What may stand in a header's value as it comes: any byte but the ends of lines.
BYTES = st.binary(max_size=120).map(lambda raw: raw.replace(b"\n", b"").replace(b"\r", b"").replace(b"\0", b""))
NAMES = st.sampled_from(
    [
        *(b"authorization", b"cookie", b"idempotency-key", b"entrepot-why", b"entrepot-at-least", b"entrepot-order-secret"),
        *(b"if-none-match", b"accept", b"accept-language", b"content-length", b"sec-fetch-site", b"x-forwarded-for", b"range"),
    ]
)
FEW = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@FEW
@given(sent=st.lists(st.tuples(NAMES, BYTES), max_size=6))
async def test_no_bytes_in_headers_break_the_house_or_let_anybody_in(house: House, sent: list[tuple[bytes, bytes]]) -> None:
    for method, path in (("GET", "/v1/me"), ("GET", "/v1/orders"), ("GET", "/account/security"), ("DELETE", "/v1/me/erasure")):
        answer = await house.nobody.request(method, path, headers=sent)
        assert answer.status_code in {303, 400, 401, 403, 404, 413}, (path, sent, answer.text)


@FEW
@given(data=st.data())
async def test_a_key_that_was_bent_is_nobodys(house: House, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(house.key) - 1))
    other = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz234567_= "))
    bent = data.draw(
        st.sampled_from(
            [
                house.key[:place],
                house.key.upper(),
                house.key + other,
                house.key[:place] + other + house.key[place + 1 :],
                house.key.replace("ent_", "ses_"),
                f"{house.key},{house.key}",
            ]
        )
    )
    if bent.strip() != house.key:
        assert (await house.nobody.get("/v1/me", headers=bearing(bent))).status_code in {400, 401}


WRITES = sorted(
    (method, re.sub(r"{\w+:(\w+)}", lambda found: str(NOBODY) if found[1] == "uuid" else "x", path))
    for handler in [*(one for room in ROOMS for one in room.HANDLERS), *pages.handlers()]
    for path in handler.paths
    for method in handler.http_methods - {"GET", "HEAD", "OPTIONS"}
)
ELSEWHERE = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}]


@pytest.mark.parametrize("said", ELSEWHERE)
async def test_no_route_takes_a_change_from_another_sites_page_be_it_in_nobodys_name(
    house: House, said: dict[str, str]
) -> None:
    assert len(WRITES) > 150
    for method, path in WRITES:
        answer = await house.nobody.request(method, path, content=b"{}", headers={"Content-Type": "text/plain", **said})
        assert (answer.status_code, "foreign-request" in answer.text) == (403, True), (method, path, answer.text)
        assert "set-cookie" not in answer.headers


async def test_what_comes_by_a_token_is_no_other_sites_page_whatever_it_says(house: House) -> None:
    answer = await house.client.put("/v1/markets/fr", json={"currency": "EUR"}, headers=ELSEWHERE[0])
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ["/v1/openapi", "/v1/openapi/", "/v1/openapi/x", "/v1/openapi/openapi.json"])
async def test_what_the_framework_would_serve_by_itself_is_not_there(house: House, path: str) -> None:
    answers = [await client.get(path) for client in (house.nobody, house.client)]
    assert [(one.status_code, one.json()["type"]) for one in answers] == [(404, "/problems/not-found")] * 2


async def test_a_forms_key_is_its_senders_own(house: House) -> None:
    form = {"name": "Keys Ltd", "country": "GB", "currency": "GBP", "address": "1 High St, York", "credit_limit": "100"}
    form |= {"terms_days": "30", "key": str(uuid4())}
    made = []
    for address in ("forms-1@example.com", "forms-2@example.com"):
        headers = {"Accept": "text/html", **await bearer(house, address, "finance")}
        sent = [await house.nobody.post("/office/companies", data=form, headers=headers) for _ in range(2)]
        assert [one.status_code for one in sent] == [303, 303], sent[0].text
        made += [{one.headers["location"] for one in sent}]
    assert [len(one) for one in made] == [1, 1]
    assert made[0] != made[1]


async def test_a_key_that_calls_itself_a_session_is_refused_though_it_is_remembered(house: House) -> None:
    assert (await house.nobody.get("/v1/sessions/current", headers=bearing(house.key))).status_code == 200
    disguised = house.key.replace("ent_", "ses_")
    assert (await house.nobody.get("/v1/sessions/current", headers=bearing(disguised))).status_code == 401


@FEW
@given(key=BYTES, nested=st.integers(0, 3_000))
async def test_no_key_and_no_depth_breaks_a_command(house: House, key: bytes, nested: int) -> None:
    body = b'{"market": "uk", "country": "GB", "lines": ' + b"[" * nested + b"]" * nested + b"}"
    headers = [(b"idempotency-key", key), (b"content-type", b"application/json")]
    answer = await house.nobody.post("/v1/carts", content=body, headers=headers)
    assert answer.status_code < BROKEN, (key, nested, answer.text)


async def opened(house: House, headers: Mapping[str, str], key: str, country: str = "GB") -> tuple[int, str]:
    """Open a cart by a key; returns the status, and the cart or the problem."""
    sent = {**CART, "country": country}
    answer = await house.nobody.post("/v1/carts", json=sent, headers={**headers, "Idempotency-Key": key})
    return answer.status_code, answer.json().get("id") or answer.json()["type"]


async def test_the_same_key_by_another_caller_is_another_key(house: House) -> None:
    ann, bob, key = await bearer(house, "keys-ann@example.com"), await bearer(house, "keys-bob@example.com"), str(uuid4())
    first = await opened(house, ann, key)
    assert first[0] == 201
    assert await opened(house, ann, key) == first
    assert await opened(house, ann, key, "FR") == (422, "/problems/idempotency-key-reused")
    for other in (bob, {}):
        status, cart = await opened(house, other, key, "FR")
        assert (status, cart == first[1]) == (201, False)


async def test_a_key_is_its_owners_by_whichever_session_they_come(house: House) -> None:
    key = str(uuid4())
    told = [await opened(house, await bearer(house, "keys-cleo@example.com"), key) for _ in range(2)]
    assert told[0] == told[1]


def test_no_text_of_a_caller_is_the_key_of_another() -> None:
    ann, bob = (Principal(kind="person", id=uuid4()) for _ in range(2))
    keys = [bound(who, sent) for who in (ann, bob, ANONYMOUS) for sent in (b"k", bound(ann, b"k"), b";k", b"purchase/1")]
    assert len(set(keys)) == len(keys)
    assert b"purchase/1" not in keys
    assert bound(ann, b"") == b""


@pytest.mark.parametrize("chars", [IDEMPOTENCY_KEY_CHARS_MAX, IDEMPOTENCY_KEY_CHARS_MAX + 1])
async def test_a_key_is_as_long_as_its_caller_sent_it(house: House, chars: int) -> None:
    ann = await bearer(house, "keys-ann@example.com")
    status, told = await opened(house, ann, uuid4().hex.ljust(chars, "x"))
    assert status == (201 if chars == IDEMPOTENCY_KEY_CHARS_MAX else REFUSED), told
