"""Signing in with a provider of identities that we did not write: django-oauth-toolkit, walked through as a browser does."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from entrepot.base import limits
from entrepot.cli.people import sign_in_link
from tests.flows.django_provider.process import PASSWORD, django_provider
from tests.house import House


@pytest.fixture(scope="module", autouse=True)
async def provider(house: House) -> AsyncIterator[None]:
    """Have the provider run, and the house know it."""
    async with django_provider(house, house.app.people.site.origin):
        yield


@asynccontextmanager
async def browser_of(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """Open a browser: one jar of cookies, the house by its address, everything else over the network."""
    ours = httpx.ASGITransport(house.asgi)  # type: ignore[arg-type]  # httpx and litestar each have their own types of ASGI
    origin = house.app.people.site.origin
    async with httpx.AsyncClient(base_url=origin, mounts={origin: ours}, follow_redirects=True, trust_env=False) as browser:
        yield browser


def hidden(page: httpx.Response) -> dict[str, str]:
    """Return what a form sends along without being asked, its token against forged requests among it."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in found}


async def sent(browser: httpx.AsyncClient, *, link: bool = False) -> str:
    """Begin at the house; returns where it sends the browser."""
    begun = await browser.post("/v1/oidc/django/authorizations", params={"link": link})
    assert begun.status_code == 201, begun.text
    return str(begun.json()["address"])


async def asked(browser: httpx.AsyncClient, address: str, who: str) -> httpx.Response:
    """Go to the provider and sign in there; returns its question whether the house may know who this is."""
    login = await browser.get(address)
    assert login.url.path == "/accounts/login/", login.text
    page = await browser.post(login.url, data={**hidden(login), "username": who, "password": PASSWORD})
    assert (page.status_code, page.url.path) == (200, "/o/authorize/"), page.text
    return page


async def allowed(browser: httpx.AsyncClient, page: httpx.Response) -> httpx.Response:
    """Answer yes; returns what the house says in the end."""
    return await browser.post(page.url, data={**hidden(page), "allow": "Authorize"})


async def come(browser: httpx.AsyncClient, who: str, *, link: bool = False) -> httpx.Response:
    """Go all the way."""
    return await allowed(browser, await asked(browser, await sent(browser, link=link), who))


async def people_in(house: House) -> int:
    async with house.app.record.committing() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM identity.person"))


def refused(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["type"]) == (401, "/problems/sign-in-refused")


async def test_whom_a_real_provider_vouches_for_comes_in_and_is_the_same_in_another_browser(house: House) -> None:
    seen = []
    for _ in range(2):
        async with browser_of(house) as browser:
            came = await come(browser, "grace")
            assert (came.status_code, str(came.url)) == (200, f"{house.app.people.site.origin}/"), came.text
            me = (await browser.get("/v1/me")).json()
            seen.append((me["id"], me["email"], me["signs_in_by"]))
    assert seen[0] == seen[1]
    assert seen[0][1:] == ("grace@provider.example", ["django"])


async def test_who_is_still_signed_in_at_a_real_provider_is_asked_for_no_password_again(house: House) -> None:
    async with browser_of(house) as browser:
        await come(browser, "grace")
        assert (await browser.delete("/v1/sessions")).is_success
        assert (await browser.get("/v1/me")).status_code == 401
        page = await browser.get(await sent(browser))
        assert page.url.path == "/o/authorize/"
        await allowed(browser, page)
        assert (await browser.get("/v1/me")).json()["email"] == "grace@provider.example"


async def test_who_signed_in_at_a_real_provider_too_long_ago_is_asked_for_the_password_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browser_of(house) as browser:
        page = await asked(browser, await sent(browser), "grace")
        with monkeypatch.context() as long_ago:
            long_ago.setattr(limits, "PROVIDER_SECONDS", -2 * limits.PROVIDER_LEEWAY_SECONDS)  # whatever was proved so far
            login = await allowed(browser, page)
        assert login.url.path == "/accounts/login/"
        page = await browser.post(login.url, data={**hidden(login), "username": "grace", "password": PASSWORD})
        await allowed(browser, page)
        assert (await browser.get("/v1/me")).json()["email"] == "grace@provider.example"


@pytest.mark.parametrize("what", ["state", "nonce", "code_challenge"])
async def test_what_was_changed_on_the_way_to_a_real_provider_lets_nobody_in(house: House, what: str) -> None:
    async with browser_of(house) as browser:
        address = urlsplit(await sent(browser))
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        changed = address._replace(query=urlencode({**query, what: query[what][::-1]})).geturl()
        assert refused(await allowed(browser, await asked(browser, changed, "grace")))
        assert (await browser.get("/v1/me")).status_code == 401


async def test_what_a_real_provider_gave_one_browser_lets_in_no_other(house: House) -> None:
    async with browser_of(house) as one, browser_of(house) as another:
        page = await asked(one, await sent(one), "grace")
        answer = await one.post(page.url, data={**hidden(page), "allow": "Authorize"}, follow_redirects=False)
        await sent(another)
        assert refused(await another.get(answer.headers["location"]))
        assert (await one.get(answer.headers["location"])).is_success


async def test_who_does_not_let_the_house_know_them_stays_outside(house: House) -> None:
    async with browser_of(house) as browser:
        page = await asked(browser, await sent(browser), "grace")
        answer = await browser.post(page.url, data=hidden(page))
        assert answer.url.params["error"] == "access_denied"
        assert refused(answer)


async def test_an_address_that_a_real_provider_has_not_verified_makes_no_account_and_opens_none(house: House) -> None:
    before = await people_in(house)
    async with browser_of(house) as browser:
        assert refused(await come(browser, "eve"))
    assert await people_in(house) == before
    link = await sign_in_link(house.app.record, house.app.people, house.app.settings, "owner@provider.example", [])
    async with browser_of(house) as browser:
        assert refused(await come(browser, "eve"))  # though the address has an account now
        await browser.post("/link", data={"token": urlsplit(link.link).fragment})
        page = await browser.get(await sent(browser, link=True))
        assert (await allowed(browser, page)).is_success  # its owner adds the provider
    async with browser_of(house) as browser:
        await come(browser, "eve")
        assert (await browser.get("/v1/me")).json()["email"] == "owner@provider.example"
