"""What somebody may ask about themselves over HTTP: the archive holds what is theirs alone, and wishes can be withdrawn."""

import asyncio
import io
import json
import zipfile

import clickhouse_connect

from entrepot.behaviour.table import TARGET
from tests.forgetting import contact, fill_cart, settle
from tests.house import House
from tests.people import bearer


async def test_the_archive_holds_all_that_is_known_of_its_person_and_nobody_else(house: House) -> None:
    who = contact("Serafina")
    await settle(house, "Serafina")
    await settle(house, "Rosalind")
    await fill_cart(house, who)
    await house.until_reacted()
    answer = await house.client.get("/v1/me/export", headers=await bearer(house, who.email))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip"), answer.text
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    told = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {one["contact"]["name"] for one in json.loads(told["order_contacts.json"])} == {who.name}
    assert len(json.loads(told["orders.json"])) == 2
    assert json.loads(told["addresses.json"])[0]["address"]["lines"] == [who.address.line1]
    assert who.name in told["index.html"]
    assert "what for" in told["README.md"]
    assert not any("Rosalind" in text for text in told.values())


async def test_the_archive_is_given_where_no_event_of_a_shopper_was_taken_in_yet(house: House) -> None:
    url = house.app.settings.engines.columns.replace("clickhouse://", "http://", 1)
    client = await asyncio.to_thread(clickhouse_connect.get_client, dsn=url)
    headers = await bearer(house, "nobody-looked@example.com")
    await asyncio.to_thread(client.command, f"DROP TABLE IF EXISTS {TARGET.name} SYNC")
    answer = await house.client.get("/v1/me/export", headers=headers)
    assert answer.status_code == 200, answer.text
    assert json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("behaviour.json")) == []
    client.close()


async def test_a_wish_to_be_forgotten_is_withdrawn_within_its_grace(house: House) -> None:
    await settle(house, "Philippa")
    headers = await bearer(house, contact("Philippa").email)
    assert (await house.client.get("/v1/me/erasure", headers=headers)).status_code == 404
    asked = await house.client.post("/v1/me/erasure", headers=headers)
    assert (asked.status_code, asked.json()["state"]) == (202, "asked"), asked.text
    withdrawn = await house.client.delete("/v1/me/erasure", headers=headers)
    assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn"), withdrawn.text
    again = await house.client.delete("/v1/me/erasure", headers=headers)
    assert again.status_code == 409


async def test_a_restriction_is_set_and_lifted_and_told_once_each(house: House) -> None:
    await settle(house, "Ottilie")
    headers = await bearer(house, contact("Ottilie").email)
    for _ in range(2):
        answer = await house.client.put("/v1/me/restriction", headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"restricted": True}), answer.text
    lifted = await house.client.delete("/v1/me/restriction", headers=headers)
    assert lifted.json() == {"restricted": False}


async def test_nobody_exports_without_being_signed_in(house: House) -> None:
    assert (await house.client.get("/v1/me/export")).status_code in {401, 403}
