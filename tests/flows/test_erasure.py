"""A person is forgotten in every engine; the search that proves it finds whatever is planted again, wherever it is planted."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from entrepot.app import privacy_of
from entrepot.privacy.certificate import Certificate, certificate_of, verify
from entrepot.privacy.scanner import Scanner
from entrepot.verify.verify import Verifier
from tests.faults.erasure_process import STEPS
from tests.forgetting import AT_ONCE, contact, fill_cart, forget, settle
from tests.house import House
from tests.planting import PLANTS

KILLED_SECONDS_MAX = 60.0


async def proof(house: House, person_id: UUID) -> Certificate:
    """Return what the latest certificate about somebody says, its signature proved."""
    async with house.app.record.reading() as connection:
        return verify(await certificate_of(connection, house.app.settings.cell, person_id))


async def test_a_person_is_forgotten_everywhere_with_a_certificate(house: House) -> None:
    person_id = await settle(house, "Xanthe")
    await fill_cart(house, contact("Xanthe"))
    erasure = await forget(house, str(person_id))
    certificate = await proof(house, person_id)
    assert certificate.clean, [one.findings for one in certificate.sources]
    assert erasure.state == "certified"
    assert {source.source for source in certificate.sources} >= {"record", "memory", "graph", "columns", "search", "objects"}
    assert certificate.values >= 4
    assert (certificate.removed["order_contacts"], certificate.removed["customer_groups"]) == (2, 1)
    assert certificate.removed["carts"] == 0  # a guest's, under a subject that no order has: it fades with its own key


async def test_facts_of_who_was_forgotten_name_nobody_and_agree_with_the_truth(house: House) -> None:
    person_id = await settle(house, "Yolande")
    await forget(house, str(person_id))
    facts = next(one for one in house.app.projections if one.name == "sales_facts")
    target = house.app.live.target("sales_facts")
    rows = await house.app.stores.columns.query(
        target, "SELECT count() AS n FROM {table} WHERE customer_id = {id:UUID}", {"id": str(person_id)}
    )
    assert rows[0]["n"] == 0
    report = await Verifier(house.app.record, house.app.live, cells=(1,)).verify(facts, house.app.stores.columns)
    assert report.differs == 0, report.differences


async def test_what_is_planted_again_is_found_in_every_engine(house: House) -> None:
    person_id = await settle(house, "Wilhelmina")
    who, settings = contact("Wilhelmina"), house.app.settings
    await forget(house, str(person_id))
    values = [who.email, who.name, who.phone, who.address.line1]
    for source, plant in PLANTS.items():
        async with plant(house, who):
            scan = await Scanner(settings).search(values, [])
        assert {one.source for one in scan.sources if one.findings} == {source}, scan.findings
    assert not (await Scanner(settings).search(values, [])).findings


async def test_an_erasure_that_was_cut_after_any_step_goes_on_and_ends_once(house: House) -> None:
    person_id = await settle(house, "Ursula")
    await house.seen_by_all()
    await house.until_reacted()
    erasing = privacy_of(house.app).erasing
    asked = await erasing.ask(contact("Ursula").email.upper(), "test", AT_ONCE)
    assert (await erasing.ask(str(person_id), "test", AT_ONCE)).id == asked.id
    assert await erasing._step(asked.id)
    assert (await erasing.of(asked.id) or asked).state == "erased"
    assert await erasing._step(asked.id)
    assert (await erasing.finish(asked.id)).state == "certified"
    assert (await erasing.of(asked.id) or asked).known_sealed is None


async def killed(house: House, told: Path, erasure: UUID, step: str) -> str:
    """Have the erasure done by a process that is killed at a step; returns how far it came."""
    told.write_bytes(msgspec.json.encode(house.app.settings, enc_hook=str))
    command = [sys.executable, "-m", "tests.faults.erasure_process", str(told), str(erasure), step]
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    try:
        async with asyncio.timeout(KILLED_SECONDS_MAX):
            assert (await child.stdout.readline()).strip() == step.encode()
    finally:
        child.kill()
        await child.wait()
    one = await privacy_of(house.app).erasing.of(erasure)
    assert one is not None
    return one.state


async def test_an_erasure_that_is_killed_at_each_step_goes_on_and_ends_with_its_certificate(
    house: House, tmp_path: Path
) -> None:
    person_id = await settle(house, "Quilla")
    await house.seen_by_all()
    await house.until_reacted()
    asked = await privacy_of(house.app).erasing.ask(str(person_id), "test", timedelta(days=1))
    came = [await killed(house, tmp_path / "settings.json", asked.id, step) for step in STEPS]
    assert came == ["asked", "erased", "cleared"]
    assert (await privacy_of(house.app).erasing.finish(asked.id)).state == "certified"
    certificate = await proof(house, person_id)
    assert certificate.clean
    assert certificate.removed["order_contacts"] == 2
