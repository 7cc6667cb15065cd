"""Sealing on a real PostgreSQL: what is personal opens for its person and its field, never again once forgotten."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from entrepot.partners.keys.file import FileKeyring
from entrepot.partners.keys.port import KeysRefusedError
from entrepot.record.transaction import Record
from entrepot.sealing.errors import SealBrokenError, SubjectForgottenError
from entrepot.sealing.ring import keys_status, rewrap, rotate_provider, rotate_ring
from entrepot.sealing.sealing import Sealing, open_sealing

FIELD = "ordering.contact.contact"


@contextlib.asynccontextmanager
async def opened(url: str, keyring: FileKeyring) -> AsyncIterator[Sealing]:
    sealing = await open_sealing(url, keyring)
    try:
        yield sealing
    finally:
        await sealing.close()


async def until_forgotten(sealing: Sealing, subject: UUID, sealed: dict[str, bytes]) -> float:
    """Wait until a process no longer opens what is sealed for a subject; returns the seconds it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(10):
        while (await sealing.unseal(subject, sealed))[FIELD] is not None:  # noqa: ASYNC110  # no event tells of it: a deadline
            await asyncio.sleep(0.005)
    return loop.time() - began


async def test_what_one_process_seals_another_opens(migrated_url: str, keyring: FileKeyring, sealing: Sealing) -> None:
    subject = uuid4()
    sealed = await sealing.seal(subject, {FIELD: "Ada", "note": "ring twice"})
    async with opened(migrated_url, keyring) as other:
        assert await other.unseal(subject, sealed) == {FIELD: "Ada", "note": "ring twice"}
    assert b"Ada" not in sealed[FIELD]


async def test_a_sealed_value_opens_for_no_other_person_and_no_other_field(sealing: Sealing) -> None:
    ada, eve = uuid4(), uuid4()
    sealed, _ = await sealing.seal_many([(ada, {FIELD: "Ada"}), (eve, {FIELD: "Eve"})])
    with pytest.raises(SealBrokenError):
        await sealing.unseal(eve, sealed)
    with pytest.raises(SealBrokenError):
        await sealing.unseal(ada, {"note": sealed[FIELD]})


async def test_hundreds_of_subjects_are_sealed_and_opened_in_their_order(sealing: Sealing) -> None:
    many = [(uuid4(), {FIELD: f"person {n}"}) for n in range(300)]
    sealed = await sealing.seal_many(many)
    opened_again = await sealing.unseal_many([(who, one) for (who, _), one in zip(many, sealed, strict=True)])
    assert opened_again == [fields for _, fields in many]


async def test_a_destroyed_key_is_forgotten_by_every_process_within_a_second(
    migrated_url: str, keyring: FileKeyring, sealing: Sealing, record: Record
) -> None:
    subject = uuid4()
    sealed = await sealing.seal(subject, {FIELD: "Ada"})
    async with opened(migrated_url, keyring) as other:
        await other.unseal(subject, sealed)
        async with record.transaction(1) as tx:
            assert await sealing.destroy(tx.connection, subject)
        assert await until_forgotten(other, subject, sealed) < 1
        assert await until_forgotten(sealing, subject, sealed) < 1
        with pytest.raises(SubjectForgottenError):
            await other.seal(subject, {FIELD: "Ada again"})


async def test_a_person_who_was_never_sealed_for_can_be_forgotten_too(sealing: Sealing, record: Record) -> None:
    subject = uuid4()
    async with record.transaction(1) as tx:
        await sealing.destroy(tx.connection, subject)
    with pytest.raises(SubjectForgottenError):
        await sealing.seal(subject, {FIELD: "Ada"})


async def test_two_processes_that_seal_for_one_person_at_once_use_one_key(
    migrated_url: str, keyring: FileKeyring, sealing: Sealing
) -> None:
    async with opened(migrated_url, keyring) as other:
        for subject in [uuid4() for _ in range(20)]:
            one, two = await asyncio.gather(*(each.seal(subject, {FIELD: "Ada"}) for each in (sealing, other)))
            assert await sealing.unseal(subject, two) == await other.unseal(subject, one) == {FIELD: "Ada"}


async def test_keys_rotate_while_others_seal_and_nothing_is_lost(
    migrated_url: str, keyring: FileKeyring, sealing: Sealing, record: Record
) -> None:
    before = [(who := uuid4(), await sealing.seal(who, {FIELD: "Ada"})) for _ in range(20)]
    await rotate_ring(record, 1, keyring)
    meanwhile = [(who := uuid4(), await sealing.seal(who, {FIELD: "Ada"})) for _ in range(20)]
    await rotate_provider(record, keyring)
    steps = [step async for step in rewrap(record, keyring)]
    after = [(who := uuid4(), await sealing.seal(who, {FIELD: "Ada"})) for _ in range(20)]
    async with opened(migrated_url, keyring) as fresh:
        for each in (sealing, fresh):
            assert await each.unseal_many([*before, *meanwhile, *after]) == [{FIELD: "Ada"}] * 60
    assert steps[-1].retired == [1]
    assert (await keys_status(record, keyring)).to_rewrap == 0


async def test_a_wrong_keyring_stops_the_start_with_a_sentence(migrated_url: str, sealing: Sealing, tmp_path: Path) -> None:
    wrong = FileKeyring(tmp_path / "wrong.json")
    await wrong.prepare()
    with pytest.raises(KeysRefusedError, match=r"is not in the keyring .*wrong\.json"):
        await open_sealing(migrated_url, wrong)
    with pytest.raises(KeysRefusedError, match="put the keyring back from its backup"):
        await open_sealing(migrated_url, FileKeyring(tmp_path / "lost.json"))
    assert not (tmp_path / "lost.json").exists()


async def test_secrets_of_the_house_open_by_their_own_name_only(sealing: Sealing) -> None:
    sealed = sealing.seal_secret("webhook.endpoint.secret/1", "whsec")
    assert sealing.unseal_secret("webhook.endpoint.secret/1", sealed) == "whsec"
    with pytest.raises(SealBrokenError):
        sealing.unseal_secret("webhook.endpoint.secret/2", sealed)


async def test_equal_values_are_found_by_the_same_bytes_after_a_rotation_too(
    migrated_url: str, keyring: FileKeyring, sealing: Sealing, record: Record
) -> None:
    found = sealing.blind("identity.login.email", "ada@example.org")
    await rotate_ring(record, 1, keyring)
    async with opened(migrated_url, keyring) as other:
        assert other.blind("identity.login.email", "ada@example.org") == found
        assert other.blind("business.buyer.email", "ada@example.org") != found
