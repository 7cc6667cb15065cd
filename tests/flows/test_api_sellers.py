"""Sellers, suppliers and digital goods over HTTP: what is answered, and what bad input gets."""

import asyncio
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
from msgspec import structs

from entrepot.cli.serve import serving
from entrepot.commerce.catalog.query import variants
from entrepot.commerce.stock.commands import adjust_stock
from entrepot.commerce.stock.rules import Change
from tests.clamd import EICAR, clamd
from tests.house import READY_SECONDS, House
from tests.shop_front import products
from tests.told import told_of

LAMP, APP, BOOK, CUP, ATLAS, SKY = (draft.code for draft in products()[20:26])
MOON = "TRAY-ALDER-WHITE"  # sold by no other test
UNKNOWN = UUID("01a20461-e57f-751a-8980-e82f16d498f2")


async def ask(house: House, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    return await house.client.request(method, path, json=body, headers={"Idempotency-Key": str(uuid4()), **headers})


async def seller(house: House, **draft: Any) -> tuple[str, str]:
    """Register a seller; returns its code and id."""
    code = f"seller-{uuid4().hex[:8]}"
    answer = await ask(house, "PUT", f"/v1/sellers/{code}", {"name": "Lamps & Sons", "country": "GB", **draft})
    assert answer.status_code == 200, answer.text
    assert "Entrepot-Position" in answer.headers
    return code, answer.json()["seller"]["id"]


async def checkout(house: House, sku: str) -> httpx.Response:
    contact = {"email": "kim@example.org", "name": "Kim", "address": {"line1": "1 High St", "city": "York", "country": "GB"}}
    body = {
        "market": "uk",
        "lines": [{"sku": sku, "quantity": 1}],
        "contact": contact,
        "payment": {"token": "tok_ok"},
    }
    return await ask(house, "POST", "/v1/checkouts", body)


async def buy(house: House, sku: str) -> str:
    answer = await checkout(house, sku)
    assert answer.status_code == 201, answer.text
    order_id: str = answer.json()["order_id"]
    return order_id


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


async def until_handed_out(house: House, order_id: str) -> dict[str, Any]:
    async with asyncio.timeout(READY_SECONDS):
        while True:
            items = (await ask(house, "GET", f"/v1/orders/{order_id}/digital")).json()["items"]
            if items and items[0]["state"] == "handed_out":
                found: dict[str, Any] = items[0]
                return found
            await asyncio.sleep(0.05)


async def test_a_seller_is_registered_changed_paused_and_read(house: House) -> None:
    code, id_ = await seller(house, commission_permille=100)
    again = await ask(house, "PUT", f"/v1/sellers/{code}", {"name": "Lamps", "country": "GB", "commission_permille": 120})
    assert (again.json()["seller"]["id"], again.json()["seller"]["commission_permille"]) == (id_, 120)
    paused = await ask(house, "POST", f"/v1/sellers/{id_}/state", {"state": "paused"})
    assert paused.json()["seller"]["state"] == "paused"
    read = (await ask(house, "GET", f"/v1/sellers/{id_}")).json()
    assert (read["seller"]["state"], read["balances"]) == ("paused", [])


async def test_what_a_paused_seller_sells_is_not_offered(house: House) -> None:
    _, id_ = await seller(house)
    assert (await ask(house, "PUT", f"/v1/selling-terms/{LAMP}", {"seller_id": id_})).json()["changed"]
    wanted = {"market": "uk", "country": "GB", "lines": [{"sku": LAMP, "quantity": 1}]}
    assert (await ask(house, "POST", "/v1/prices", wanted)).status_code == 200
    await ask(house, "POST", f"/v1/sellers/{id_}/state", {"state": "paused"})
    assert (await ask(house, "POST", "/v1/prices", wanted)).status_code in {404, 409}


async def test_feeds_come_as_json_and_as_csv_and_older_ones_are_refused(house: House) -> None:
    _, id_ = await seller(house, kind="supplier")
    base = f"/v1/sellers/{id_}/warehouses/{uuid4().hex[:8]}"
    assert (await ask(house, "PUT", base, {"country": "DE"})).json()["changed"]
    told = {"sequence": 7, "currency": "GBP", "lines": [{"sku": CUP, "quantity": 3, "cost_minor": 250}]}
    assert (await ask(house, "POST", f"{base}/feeds", told)).json()["changed"] == 1
    assert problem(await ask(house, "POST", f"{base}/feeds", told)) == (409, "/problems/stale-feed")
    text = f"sku,quantity\n{CUP},5\nUNHEARD-OF,1\n"
    headers = {"Idempotency-Key": str(uuid4()), "Content-Type": "text/csv"}
    answer = await house.client.post(f"{base}/feeds/csv?sequence=8", content=text, headers=headers)
    assert (answer.status_code, answer.json()["unknown"]) == (201, ["UNHEARD-OF"])
    wrong = await house.client.post(f"{base}/feeds/csv?sequence=9", content="sku,quantity\nA,many\n", headers=headers)
    assert problem(wrong) == (400, "/problems/bad-input")


async def test_a_sellers_page_shows_what_lies_in_its_warehouses(house: House) -> None:
    _, id_ = await seller(house, kind="supplier")
    base = f"/v1/sellers/{id_}/warehouses/{uuid4().hex[:8]}"
    await ask(house, "PUT", base, {"country": "DE"})
    lines = [{"sku": CUP, "quantity": 31, "cost_minor": 250}, {"sku": LAMP, "quantity": 17, "cost_minor": 250}]
    await ask(house, "POST", f"{base}/feeds", {"sequence": 1, "currency": "GBP", "lines": lines})
    page = (await house.client.get(f"/sellers/{id_}", headers={"Accept": "text/html"})).text
    assert page.index(f'<td class="code">{LAMP}</td>') < page.index(f'<td class="code">{CUP}</td>')
    assert '<td class="number">31</td>' in page


async def test_who_is_not_known_is_told_so_in_a_stable_type(house: House) -> None:
    for path in ("", "/orders", "/payouts", "/statement?currency=GBP&since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z"):
        assert problem(await ask(house, "GET", f"/v1/sellers/{UNKNOWN}{path}")) == (404, "/problems/seller-unknown"), path
    refused = await ask(house, "PUT", f"/v1/selling-terms/{LAMP}", {"seller_id": str(UNKNOWN)})
    assert problem(refused) == (404, "/problems/not-found")


async def test_an_empty_pool_is_sold_out_and_a_filled_one_hands_out_its_licences(house: House) -> None:
    await _only_digital(house, APP)
    assert (await ask(house, "POST", f"/v1/pools/{APP}/licences", {"codes": ["AAA-1"]})).json()["added"] == 1
    order_id = await buy(house, APP)
    assert (await until_handed_out(house, order_id))["licences"] == ["AAA-1"]
    assert problem(await checkout(house, APP)) == (409, "/problems/stock-exhausted")
    assert (await ask(house, "GET", f"/v1/pools/{APP}")).json()["handed_out"] == 1


async def test_a_download_is_the_file_that_was_put_there_until_it_is_used_up_or_revoked(house: House, tmp_path: Path) -> None:
    await _only_digital(house, BOOK)
    source, key = tmp_path / "book", f"downloads/{uuid4()}"
    source.write_bytes(b"once upon a time" * 1_000)
    await house.app.stores.objects.put(key, source)
    offer = {"object": key, "file_name": "book.txt", "media_type": "text/plain", "downloads_most": 1}
    assert (await ask(house, "PUT", f"/v1/files/{BOOK}", offer)).status_code == 200
    order_id = await buy(house, BOOK)
    item = await until_handed_out(house, order_id)
    assert (await house.nobody.get(item["download"])).status_code == 401  # an address proves nothing alone
    answer = await ask(house, "GET", item["download"])
    assert (answer.status_code, answer.content, 'filename="book.txt"' in answer.headers["Content-Disposition"]) == (
        200, source.read_bytes(), True,
    )  # fmt: skip
    assert len(await told_of(house, answer)) == 1
    assert problem(await ask(house, "GET", item["download"])) == (410, "/problems/downloads-used-up")
    await ask(house, "POST", f"/v1/orders/{order_id}/digital/revocation")
    assert problem(await ask(house, "GET", item["download"])) == (410, "/problems/download-revoked")
    assert problem(await ask(house, "GET", item["download"][:-2] + "xx")) == (403, "/problems/download-refused")


async def test_a_file_is_sent_offered_and_fetched_and_what_cannot_be_sold_leaves_nothing(house: House) -> None:
    await _only_digital(house, ATLAS)
    content, at = b"ID3" + b"\x00\xffstars" * 400_000, f"/v1/files/{ATLAS}/content?file_name=stars.mp3"
    sent = await house.client.put(at, content=content, headers={"Content-Type": "application/x-stars"})
    assert (sent.status_code, sent.json()["changed"]) == (200, True), sent.text
    item = await until_handed_out(house, await buy(house, ATLAS))
    assert (await ask(house, "GET", item["download"])).content == content
    before = await house.app.stores.objects.list("downloads/")
    for path, body, refused in (
        (at, b"", (400, "/problems/bad-input")),
        (at, b"MZ\x90\x00", (415, "/problems/file-refused")),
        (at.replace("mp3", "exe"), content, (415, "/problems/file-refused")),
        (at.replace(ATLAS, "UNHEARD-OF"), b"x", (404, "/problems/not-found")),
        (at.replace(ATLAS, CUP), b"x", (409, "/problems/conflict")),
        (at + "&days=0", b"x", (400, "/problems/bad-input")),
    ):
        assert problem(await house.client.put(path, content=body)) == refused, path
    assert await house.app.stores.objects.list("downloads/") == before


async def test_a_file_that_a_scanner_knows_as_malicious_is_kept_nowhere(house: House) -> None:
    await _only_digital(house, MOON)
    before = await house.app.stores.objects.list("downloads/")
    async with clamd() as url:
        app = structs.replace(house.app, settings=structs.replace(house.app.settings, scanner=url))
        async with serving(app) as asgi:
            transport = httpx.ASGITransport(cast("Any", asgi))
            client = httpx.AsyncClient(transport=transport, base_url="http://house", headers=house.client.headers)
            at = f"/v1/files/{MOON}/content?file_name=sky.txt"
            refused = await client.put(at, content=b"text " + EICAR)
            assert (problem(refused), "known as malicious" in refused.text) == ((415, "/problems/file-refused"), True)
            assert await house.app.stores.objects.list("downloads/") == before
            assert (await client.put(at, content=b"stars")).status_code == 200


async def test_the_office_takes_a_file_by_a_form_and_says_what_is_wrong(house: House) -> None:
    await _only_digital(house, SKY)
    form = {"sku": SKY, "downloads_most": "3", "days": "30", "key": str(uuid4())}
    page = {"Accept": "text/html"}
    none = await house.client.post("/office/files", data=form, files={"file": ("", b"")}, headers=page)
    assert (none.status_code, "No file was chosen" in none.text, SKY in none.text) == (400, True, True)
    sent = await house.client.post("/office/files", data=form, files={"file": ("sky.txt", b"stars")}, headers=page)
    assert (sent.status_code, sent.headers["location"]) == (303, "/office/files?done=yes"), sent.text
    assert "sky.txt" in (await house.client.get("/office/files", headers=page)).text
    card = {**form, "file_name": "4242 4242 4242 4242"}
    refused = await house.client.post("/office/files", data=card, files={"file": ("sky.txt", b"stars")}, headers=page)
    assert (refused.status_code, "looks like a card number" in refused.text) == (422, True)


async def _only_digital(house: House, sku: str) -> None:
    """Make an article digital, of which nothing lies in a warehouse of parcels."""
    assert (await ask(house, "PUT", f"/v1/selling-terms/{sku}", {"delivery": "digital"})).status_code == 200
    async with house.app.record.transaction(house.app.settings.cell) as tx:
        variant = (await variants(tx.connection, [sku]))[sku].variant_id
        there = await tx.connection.fetchval("SELECT sum(available) FROM stock.level WHERE variant_id = $1", variant)
        await adjust_stock(tx, [Change(variant_id=variant, warehouse="main", delta=-there)])
