"""People over HTTP: from a letter to a session, by passkey and by another provider, and out again in every process."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from msgspec import structs

from entrepot.base.limits import MAILED_SECONDS
from entrepot.cli.people import sign_in_link
from entrepot.partners.identity.oidc import OidcProvider
from tests.authenticator import Authenticator
from tests.house import House
from tests.people import PASSWORD, bearer, letters, link_in
from tests.provider import CLIENT, SECRET, Provider, provider

PATIENCE_SECONDS = 30.0


async def until_mailed(house: House, address: str, begins: str) -> str:
    """Wait until a letter lies in the house's folder; returns it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = [one for one in letters(house.app.settings.home / "mail", address) if one.startswith(begins)]
            if found:
                return found[-1]
            await asyncio.sleep(0.05)


async def test_somebody_registers_confirms_signs_in_and_is_known(house: House) -> None:
    address = "flow@example.com"
    asked = (await house.nobody.post("/v1/people", json={"email": address})).json()
    assert asked["told"] == "by mail"
    token = link_in(await until_mailed(house, address, "Confirm"))
    verified = await house.nobody.post(
        "/v1/people/verifications", json={"token": token, "asked": asked["asked"], "password": PASSWORD}
    )
    assert verified.status_code == 201, verified.text
    entered = await house.nobody.post("/v1/sessions", json={"email": address.upper(), "password": PASSWORD})
    assert entered.status_code == 201, entered.text
    me = await house.nobody.get("/v1/me", headers={"Authorization": f"Bearer {entered.json()['token']}"})
    assert (me.json()["email"], me.json()["signs_in_by"]) == (address, ["password"])
    async with house.app.record.committing() as connection:
        bodies = await connection.fetch("SELECT body::text FROM log.event WHERE kind LIKE 'people.%'")
    assert not [row["body"] for row in bodies if address in row["body"]]


async def test_whether_an_address_has_an_account_is_told_to_nobody(house: House) -> None:
    await bearer(house, "taken@example.com")
    for path in ("/v1/people", "/v1/people/resets", "/v1/people/sign-in-links"):
        answers = [await house.nobody.post(path, json={"email": f"{name}@example.com"}) for name in ("taken", "nobody")]
        assert [(one.status_code, one.json()["told"], len(one.text)) for one in answers] == [
            (202, "by mail", len(answers[0].text))
        ] * 2


@pytest.mark.parametrize("path", ["/v1/people", "/v1/people/resets", "/v1/people/sign-in-links"])
async def test_nor_does_the_time_tell_that_the_answer_takes(house: House, path: str) -> None:
    await bearer(house, "timed@example.com")
    for address in ("timed@example.com", f"{uuid4()}@example.com"):
        began = time.monotonic()
        await house.nobody.post(path, json={"email": address})
        assert time.monotonic() - began >= MAILED_SECONDS


async def test_a_token_that_is_not_good_is_a_401_whatever_is_asked(house: House) -> None:
    good = (await bearer(house, "tokens@example.com"))["Authorization"]
    flipped = good[:-1] + ("a" if good[-1] != "a" else "b")
    for wrong in ("Bearer ", "Bearer nonsense", flipped, good.replace("ses_", "ent_"), f"{good}=", good.upper()):
        answer = await house.nobody.get("/v1/search?q=mug&market=uk", headers={"Authorization": wrong})
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/token-refused"), wrong
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert (await house.nobody.get("/v1/me")).json()["type"] == "/problems/unauthenticated"


async def test_a_cookie_is_out_of_reach_of_scripts_and_other_sites(house: House) -> None:
    link = await sign_in_link(house.app.record, house.app.people, house.app.settings, "cookie@example.com", [])
    token = urlsplit(link.link).fragment
    page = await house.nobody.post("/link/purpose", data={"token": link.link}, headers={"Accept": "text/html"})
    assert "Sign in" in page.text
    followed = await house.nobody.post("/link", data={"token": token})
    house.nobody.cookies.clear()
    assert followed.status_code == 303
    kept = next(one for one in followed.headers.get_list("set-cookie") if one.startswith("entrepot_session="))
    assert "HttpOnly" in kept
    assert "SameSite=lax" in kept
    headers = {"Cookie": kept.partition(";")[0]}
    assert (await house.nobody.get("/v1/me", headers=headers)).status_code == 200
    foreign = await house.nobody.delete("/v1/sessions", headers={**headers, "Sec-Fetch-Site": "cross-site"})
    assert foreign.json()["type"] == "/problems/foreign-request"
    gone = {"Cookie": "entrepot_session=ses_nonsense"}
    assert (await house.nobody.get("/v1/products", params={"ids": ""}, headers=gone)).status_code != 401


async def test_what_somebody_does_is_told_in_their_name(house: House) -> None:
    headers = await bearer(house, "actor@example.com", "catalogue")
    actor = (await house.nobody.get("/v1/sessions/current", headers=headers)).json()["actor"]
    await house.nobody.put("/v1/markets/pt", json={"currency": "EUR"}, headers=headers)
    async with house.app.record.committing() as connection:
        told = await connection.fetchval("SELECT actor FROM log.event WHERE key = 'market/pt' ORDER BY seq DESC LIMIT 1")
    assert told == actor


async def test_a_passkey_is_made_signs_in_and_steps_up(house: House) -> None:
    headers = await bearer(house, "passkey@example.com")
    device = Authenticator(house.app.settings.site)
    asked = (await house.nobody.post("/v1/me/passkey-challenges", headers=headers)).json()
    made = {"challenge_id": asked["challenge_id"], "credential": device.create(asked["options"])}
    kept = await house.nobody.post("/v1/me/passkeys", json=made, headers=headers)
    assert kept.status_code == 201, kept.text
    again = await house.nobody.post("/v1/me/passkeys", json=made, headers=headers)
    assert again.json()["type"] == "/problems/token-refused"  # a challenge is good once
    entered = await by_passkey(house, device)
    assert entered.status_code == 201, entered.text
    who = await house.nobody.get("/v1/sessions/current", headers=_headers(entered))
    assert who.json()["methods"] == ["passkey"]
    device.count -= 1  # as a copy of it would count
    assert (await by_passkey(house, device)).status_code == 401


async def by_passkey(house: House, device: Authenticator, origin: str = "") -> httpx.Response:
    asked = (await house.nobody.post("/v1/sessions/passkey-challenges")).json()
    device.origin = origin or device.origin
    signed = {"challenge_id": asked["challenge_id"], "credential": device.get(asked["options"])}
    return await house.nobody.post("/v1/sessions/passkeys", json=signed)


async def test_a_passkey_of_another_site_or_nobody_or_nonsense_is_refused_alike(house: House) -> None:
    stranger = Authenticator(house.app.settings.site)
    answers = [await by_passkey(house, stranger), await by_passkey(house, stranger, "https://elsewhere.example")]
    for credential in ({}, {"id": "AAAA"}, {"id": "é", "response": 7}):
        asked = (await house.nobody.post("/v1/sessions/passkey-challenges")).json()
        body = {"challenge_id": asked["challenge_id"], "credential": credential}
        answers.append(await house.nobody.post("/v1/sessions/passkeys", json=body))
    assert {(one.status_code, one.json()["type"]) for one in answers} == {(401, "/problems/sign-in-refused")}


async def test_an_authenticator_that_does_not_ask_its_user_is_not_taken(house: House) -> None:
    headers = await bearer(house, "careless@example.com")
    asked = (await house.nobody.post("/v1/me/passkey-challenges", headers=headers)).json()
    careless = Authenticator(house.app.settings.site, verifies=False)
    made = {"challenge_id": asked["challenge_id"], "credential": careless.create(asked["options"])}
    assert (await house.nobody.post("/v1/me/passkeys", json=made, headers=headers)).status_code == 401


async def test_an_api_key_is_shown_once_and_changes_no_credentials(house: House) -> None:
    headers = await bearer(house, "keys@example.com")
    draft = {"label": "feed", "scopes": ["account:own"]}
    issued = (await house.nobody.post("/v1/me/api-keys", json=draft, headers=headers)).json()
    listed = (await house.nobody.get("/v1/me/api-keys", headers=headers)).json()["items"][0]
    assert issued["key"].startswith(listed["prefix"])
    assert issued["key"] not in str(listed)
    by_key = {"Authorization": f"Bearer {issued['key']}"}
    assert (await house.nobody.get("/v1/sessions/current", headers=by_key)).json()["actor"] == f"key/{issued['id']}"
    refused = await house.nobody.post("/v1/me/api-keys", json=draft, headers=by_key)
    assert refused.json()["type"] == "/problems/step-up-needed"


@asynccontextmanager
async def known_provider(house: House) -> AsyncIterator[Provider]:
    async with provider() as one:
        address = one.address.replace("http://", f"http://{CLIENT}:{SECRET}@")
        ours = OidcProvider("test", address)
        cast("dict[str, Any]", house.app.people.providers)["test"] = ours
        yield one
        await ours.close()
        cast("dict[str, Any]", house.app.people.providers).clear()


async def by_provider(house: House, headers: dict[str, str] | None = None) -> httpx.Response:
    """Go to the provider and come back, as a browser does."""
    link = "?link=true" if headers else ""
    begun = await house.nobody.post(f"/v1/oidc/test/authorizations{link}", headers=headers)
    assert begun.status_code == 201, begun.text
    return await there_and_back(house, begun.json()["address"], begun.headers["set-cookie"], headers)


async def there_and_back(house: House, address: str, kept: str, headers: dict[str, str] | None = None) -> httpx.Response:
    cookie = {"Cookie": kept.partition(";")[0], **(headers or {})}
    async with httpx.AsyncClient(trust_env=False) as browser:
        back = (await browser.get(address)).headers["location"]
    house.nobody.cookies.clear()
    came = await house.nobody.get(f"{urlsplit(back).path}?{urlsplit(back).query}", headers=cookie)
    house.nobody.cookies.clear()
    return came


async def test_who_is_vouched_for_by_another_provider_comes_in_and_is_the_same_next_time(house: House) -> None:
    async with known_provider(house):
        people = []
        for _ in range(2):
            came = await by_provider(house)
            assert came.status_code == 303, came.text
            kept = next(one for one in came.headers.get_list("set-cookie") if one.startswith("entrepot_session="))
            me = await house.nobody.get("/v1/me", headers={"Cookie": kept.partition(";")[0]})
            people.append((me.json()["id"], me.json()["email"], tuple(me.json()["signs_in_by"])))
    assert people[0] == people[1]
    assert people[0][1:] == ("grace@example.com", ("test",))


async def test_a_session_that_a_provider_began_ends_twelve_hours_after_its_word(house: House) -> None:
    async with known_provider(house) as one:
        proved = int(time.time()) - 3_600
        one.subject, one.email, one.claims = "mailbox-9", "hours@example.com", {"auth_time": proved}
        came = await by_provider(house)
        kept = next(one for one in came.headers.get_list("set-cookie") if one.startswith("entrepot_session="))
        who = await house.nobody.get("/v1/sessions/current", headers={"Cookie": kept.partition(";")[0]})
        told = [datetime.fromisoformat(who.json()[name]).timestamp() for name in ("proved_at", "expires_at")]
        assert told == [proved, proved + 12 * 3_600]


async def test_who_proved_it_to_a_provider_too_long_ago_is_sent_back_once_to_prove_it_anew(house: House) -> None:
    async with known_provider(house) as one:
        one.subject, one.email, one.claims = "mailbox-10", "long-ago@example.com", {"auth_time": int(time.time()) - 13 * 3_600}
        again = [await by_provider(house) for _ in range(2)]
        assert all(answer.headers["location"].endswith("prompt=login") for answer in again)
        still = await there_and_back(house, again[0].headers["location"], again[0].headers["set-cookie"])
        assert still.json()["type"] == "/problems/sign-in-refused"
        one.claims = {}
        came = await there_and_back(house, again[1].headers["location"], again[1].headers["set-cookie"])
        assert (came.status_code, came.headers["location"]) == (303, "/")


async def test_a_providers_word_takes_over_no_account_until_its_owner_adds_it(house: House) -> None:
    async with known_provider(house) as one:
        one.subject, one.email = "mailbox-8", "owner@example.com"
        headers = await bearer(house, one.email)
        assert (await by_provider(house)).json()["type"] == "/problems/address-taken"
        assert (await by_provider(house, headers)).status_code == 303
        assert (await by_provider(house)).status_code == 303


@pytest.mark.parametrize("wrong", [{"nonce": "another"}, {"aud": "somebody"}, {"iss": "https://evil"}, {"exp": 1}, {"sub": 7}])
async def test_an_id_token_that_is_not_for_this_sign_in_lets_nobody_in(house: House, wrong: dict[str, Any]) -> None:
    async with known_provider(house) as one:
        one.claims = wrong
        assert (await by_provider(house)).json()["type"] == "/problems/sign-in-refused"


@asynccontextmanager
async def other_process(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the same engines from a process of its own."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port, settings = found.getsockname()[1], house.app.settings
    urls = {f"ENTREPOT_{role.upper()}_URL": url for role, url in structs.asdict(settings.engines).items()}
    environment = {**os.environ, **urls, "ENTREPOT_HOME": str(settings.home)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "entrepot", "serve", "--port", str(port), env=environment
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            await until_serving(client)
            yield client
    finally:
        process.terminate()
        await process.wait()


async def until_serving(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await client.get("/healthz")).is_success:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)


async def test_a_session_that_ends_in_one_process_is_refused_by_another_within_a_second(house: House) -> None:
    headers = await bearer(house, "everywhere@example.com")
    async with other_process(house) as other:
        assert (await other.get("/v1/me", headers=headers)).status_code == 200
        assert (await house.nobody.delete("/v1/sessions", headers=headers)).json()["ended"] == 1
        async with asyncio.timeout(1.0):
            while (await other.get("/v1/me", headers=headers)).status_code != 401:
                pass


def _headers(entered: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {entered.json()['token']}"}
