"""A backup from before an erasure, restored: what was sealed in it is noise, as long as keys are not kept in backups."""

from datetime import UTC, datetime
from uuid import UUID

from entrepot.commerce.people import commands
from entrepot.commerce.people.rules import AddressDraft
from entrepot.partners.keys.file import FileKeyring
from entrepot.privacy import store
from entrepot.privacy.scan import postgresql
from entrepot.privacy.scan.needles import Needles
from entrepot.record.transaction import open_record
from entrepot.sealing.sealing import open_sealing
from tests.conftest import copied
from tests.trade import CELL

EMAIL, NAME, STREET = "nell@forget.example", "Nell Oakhurst", "3 Nightingale Row"


async def known(url: str, keyring: FileKeyring) -> UUID:
    """Let somebody be known in a database."""
    now, draft = datetime.now(UTC), AddressDraft(name=NAME, lines=[STREET], city="York", country="GB")
    async with (
        await open_sealing(url, keyring) as sealing,
        await open_record(url, connections=1, seals=sealing) as record,
        record.transaction(CELL) as tx,
    ):
        person_id = await commands.add_person(tx, sealing, EMAIL, [], now)
        await commands.save_address(tx, sealing, person_id, None, draft, now)
    return person_id


async def test_a_restored_backup_is_noise_under_the_keys_of_today(
    record_url: str, migrated_url: str, keyring: FileKeyring
) -> None:
    person_id = await known(migrated_url, keyring)
    needles = Needles([EMAIL, NAME, STREET], [])
    async with (
        copied(record_url, migrated_url.rpartition("/")[2]) as backup,
        await open_sealing(migrated_url, keyring) as sealing,
        await open_record(migrated_url, connections=1, seals=sealing) as record,
    ):
        async with record.transaction(CELL) as tx:
            await sealing.destroy(tx.connection, person_id)
        assert not (await postgresql.search("backup", backup, needles, ids=False)).findings
        assert await postgresql.keys_in(backup, [str(person_id)]) == 1  # a backup that holds keys is told of
        async with await open_record(backup, connections=1) as restored, restored.reading() as connection:
            fields = await store.sealed_of(connection, CELL, [person_id], [])
        opened = await sealing.unseal_many([(one.subject, {one.field: one.sealed}) for one in fields])
    assert len(fields) == 2
    assert all(text is None for one in opened for text in one.values())
