"""A house that is stricter than others: it asks a second factor of its staff, and lets nobody read without end."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from msgspec import structs

from entrepot.cli.serve import serving
from entrepot.commerce.people.second_factor import code_at
from tests.house import House
from tests.people import PASSWORD, bearer

READS = 30
STRANGER = ("11.22.33.44", 5_000)


@pytest.fixture(scope="module")
async def strict(house: House) -> AsyncIterator[Any]:
    """Return the application of the same house with both settings on."""
    people = structs.replace(house.app.people, second_factor=True)
    settings = structs.replace(house.app.settings, reads=READS)
    async with serving(structs.replace(house.app, people=people, settings=settings)) as asgi:
        yield asgi


def coming(asgi: Any, headers: dict[str, str] | None = None, client: tuple[str, int] = ("127.0.0.1", 1)) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(asgi, client=client)
    return httpx.AsyncClient(transport=transport, base_url="http://house", headers=headers or {})


async def until_refused(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """Read until that is refused: at most twice a minute's worth, should the minute end meanwhile."""
    for _ in range(2 * READS + 2):
        answer = await client.get(path)
        if answer.status_code != 200:
            return answer
    return answer


async def until_confirmed(client: httpx.AsyncClient, seed: str) -> str:
    """Give the code of now until it is taken, should its thirty seconds end on the way; returns a recovery code."""
    async with asyncio.timeout(60):
        while True:
            answer = await client.put("/v1/me/totp", json={"code": code_at(seed, int(time.time()) // 30)})
            if answer.is_success:
                code: str = answer.json()["codes"][0]
                return code


async def test_staff_without_a_second_factor_are_customers_until_they_have_proved_themselves_by_one(
    house: House, strict: Any
) -> None:
    async with coming(strict, await bearer(house, f"{uuid4()}@example.com", "admin")) as admin:
        held = await admin.get("/v1/orders")
        assert (held.status_code, held.json()["type"]) == (403, "/problems/second-factor-needed")
        assert (await admin.get("/v1/me")).status_code == 200
        assert (await admin.put("/v1/me/password", json={"password": PASSWORD})).status_code == 200
        recovery = await until_confirmed(admin, (await admin.post("/v1/me/totp")).json()["seed"])
        proof = {"password": PASSWORD, "code": recovery}
        proved = await admin.post("/v1/sessions/current/step-up", json=proof)
        assert proved.status_code == 200, proved.text
        admin.headers["Authorization"] = f"Bearer {proved.json()['token']}"
        assert (await admin.get("/v1/orders")).status_code == 200


async def test_who_has_a_second_factor_changes_no_way_in_without_it(house: House, strict: Any) -> None:
    address = f"{uuid4()}@example.com"
    async with coming(strict, await bearer(house, address, "admin")) as admin:
        await until_confirmed(admin, (await admin.post("/v1/me/totp")).json()["seed"])
        for method, path, body in (
            ("PUT", "/v1/me/password", {"password": PASSWORD}),
            ("DELETE", "/v1/me/totp", None),
            ("POST", "/v1/me/recovery-codes", None),
            ("POST", "/v1/me/passkey-challenges", None),
            ("POST", "/v1/me/email", {"email": f"{uuid4()}@example.com"}),
        ):
            answer = await admin.request(method, path, json=body)
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/second-factor-needed"), path
        assert (await admin.get("/v1/me")).json()["email"] == address  # as any customer may


async def test_no_key_gets_round_the_second_factor(house: House, strict: Any) -> None:
    async with coming(strict, await bearer(house, f"{uuid4()}@example.com", "admin")) as admin:
        made = await admin.post("/v1/me/api-keys", json={"label": "round it", "scopes": ["*"]})
        assert (made.status_code, made.json()["type"]) == (403, "/problems/second-factor-needed")


async def test_a_page_leads_staff_to_where_a_second_factor_is_set_up(house: House, strict: Any) -> None:
    staff = {"accept": "text/html", **await bearer(house, f"{uuid4()}@example.com", "operations")}
    async with coming(strict, staff) as client:
        led = await client.get("/office")
        assert (led.status_code, led.headers["location"]) == (303, "/account/security")
        assert "Your role takes a second factor" in (await client.get("/account/security")).text


async def test_customers_and_tenants_are_asked_for_no_second_factor(house: House, strict: Any) -> None:
    async with coming(strict, await bearer(house, f"{uuid4()}@example.com")) as customer:
        assert (await customer.get("/v1/me")).status_code == 200
        assert "second factor" not in (await customer.get("/account/security", headers={"accept": "text/html"})).text


async def test_who_reads_without_end_is_told_when_to_go_on_and_others_read_meanwhile(house: House, strict: Any) -> None:
    async with coming(strict, client=STRANGER) as scraper:
        full = await until_refused(scraper, "/healthz")
        assert (full.status_code, full.json()["type"], full.json()["reads_max"]) == (429, "/problems/too-many-reads", READS)
        assert 1 <= int(full.headers["retry-after"]) <= 60
    async with coming(strict, client=("11.22.99.44", 1)) as another:
        assert (await another.get("/healthz")).status_code == 200
    async with coming(strict, await bearer(house, f"{uuid4()}@example.com"), STRANGER) as somebody:
        assert (await somebody.get("/healthz")).status_code == 200
        assert (await until_refused(somebody, "/v1/me")).status_code == 429


async def test_a_machine_of_a_private_network_is_one_reader_and_its_neighbour_another(strict: Any) -> None:
    async with coming(strict, client=("10.0.0.7", 1)) as one, coming(strict, client=("10.0.0.8", 1)) as neighbour:
        assert (await until_refused(one, "/healthz")).status_code == 429
        assert (await neighbour.get("/healthz")).status_code == 200


async def test_this_machine_itself_reads_as_much_as_it_likes(strict: Any) -> None:
    async with coming(strict, client=("127.0.0.1", 1)) as itself:
        assert (await until_refused(itself, "/healthz")).status_code == 200
