"""Whoever has every right in PostgreSQL can change the audit and the log, and cannot hide it: verify names what was changed."""

import asyncio
import sys
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from msgspec import Struct

from entrepot.audit.commands import Auditor, Entry
from entrepot.audit.linking import link_new
from entrepot.audit.publishing import Publisher, key_of, prefix_of
from entrepot.audit.report import Report
from entrepot.audit.roots import Roots
from entrepot.audit.rows import Rows
from entrepot.audit.signing import Signer
from entrepot.audit.verify import Verifier
from entrepot.base.ids import IdSource
from entrepot.engines.objects.s3_locked import S3Locked
from entrepot.partners.keys.file import FileKeyring
from entrepot.record.transaction import Fact, Record
from tests.conftest import superuser

# Each test has a cell of its own: they share one bucket, whose objects nobody can remove.
CELLS = count(2)
SECONDS_MAX = 30.0


class Happened(Struct, frozen=True):
    """What an event of these tests tells."""

    what: str


class Books(Struct, frozen=True):
    """An audit, and what tries to change it: ``superuser`` has the triggers off."""

    record: Record
    cell: int
    auditor: Auditor
    publisher: Publisher
    verifier: Verifier
    superuser: asyncpg.Connection

    async def note(self, many: int = 1) -> list[str]:
        """Note entries and return their ids in commit order."""
        ids = [self.record.ids.fresh() for _ in range(many)]
        for id_ in ids:
            await self.auditor.note(
                Entry(id=id_, at=self.record.clock.tick(), kind="read", actor="person/1", action="GET /x", object="o")
            )
        return [str(id_) for id_ in ids]

    async def tell(self) -> None:
        """Append an event to the log."""
        async with self.record.transaction(self.cell) as tx:
            key = f"thing/{self.record.ids.fresh()}"
            await tx.append([Fact("test.happened.v1", key, 1, Happened('an "é\n\u2028" is told'))])

    async def link(self) -> int:
        """Link until all is linked, and publish."""
        linked = await link_new(self.record, self.cell)
        await self.publisher.publish()
        return linked

    async def verify(self) -> Report:
        return await self.verifier.verify()


@pytest.fixture
async def books(record: Record, migrated_url: str, objects_url: str, tmp_path: Path) -> AsyncIterator[Books]:
    keys = FileKeyring(tmp_path / "keyring.json")
    signer, cell = Signer(record, keys), next(CELLS)
    objects = S3Locked(objects_url)
    superuser = await asyncpg.connect(migrated_url)
    await superuser.execute("SET session_replication_role = replica")
    auditor = Auditor(record, cell)
    yield Books(
        record,
        cell,
        auditor,
        Publisher(record, cell, signer, objects, tmp_path / "roots.jsonl"),
        Verifier(record, cell, Rows(record, cell), Roots(objects, cell, signer)),
        superuser,
    )
    await auditor.close()
    await superuser.close()
    await objects.close()


async def kinds(books: Books) -> set[str]:
    return {finding.what for finding in (await books.verify()).findings}


async def test_what_nobody_changed_is_whole_entries_and_events_alike(books: Books) -> None:
    for _ in range(3):
        await books.note(4)
        await books.tell()
        await books.link()
    report = await books.verify()
    assert (report.findings, report.entries, report.events, report.roots) == ([], 12, 3, 3)


async def test_what_was_written_cannot_be_changed_not_even_by_its_owner(books: Books) -> None:
    await books.note()
    await books.link()
    partition = await books.superuser.fetchval("SELECT tableoid::regclass::text FROM audit.entry")
    for table in ("audit.entry", "audit.link", "audit.root", partition):
        for verb in ("UPDATE {} SET at = 0", "DELETE FROM {}", "TRUNCATE {}"):
            async with superuser(books.record) as connection:
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                    await connection.execute(verb.format(table))


async def test_an_altered_entry_is_named(books: Books) -> None:
    ids = await books.note(5)
    await books.link()
    await books.superuser.execute("UPDATE audit.entry SET actor = 'person/2' WHERE id = $1", ids[2])
    [finding] = (await books.verify()).findings
    assert (finding.what, str(finding.id), finding.source) == ("altered", ids[2], "entry")


async def test_an_entry_that_names_no_longer_who_else_was_told_of_is_named(books: Books) -> None:
    id_, others = books.record.ids.fresh(), [books.record.ids.fresh(), books.record.ids.fresh()]
    entry = Entry(id=id_, at=books.record.clock.tick(), kind="read", actor="person/1", action="GET /x", others=others)
    await books.auditor.note(entry)
    await books.link()
    assert (await books.verify()).whole
    await books.superuser.execute("UPDATE audit.entry SET others = others[2:] WHERE id = $1", id_)
    [finding] = (await books.verify()).findings
    assert (finding.what, finding.id) == ("altered", id_)


async def test_an_altered_event_of_the_log_is_named(books: Books) -> None:
    await books.tell()
    await books.link()
    changed = await books.superuser.fetchval('UPDATE log.event SET body = \'{"what": "nothing"}\' RETURNING id')
    [finding] = (await books.verify()).findings
    assert (finding.what, finding.id, finding.source) == ("altered", changed, "event")


async def test_a_deleted_entry_is_named(books: Books) -> None:
    ids = await books.note(5)
    await books.link()
    await books.superuser.execute("DELETE FROM audit.entry WHERE id = $1", ids[1])
    [finding] = (await books.verify()).findings
    assert (finding.what, str(finding.id)) == ("deleted", ids[1])


async def test_entries_that_changed_places_are_named(books: Books) -> None:
    ids = await books.note(4)
    await books.link()
    await books.superuser.execute(
        "UPDATE audit.entry AS e SET seq = o.seq, txid = o.txid FROM audit.entry AS o "
        "WHERE e.id = ANY ($1) AND o.id = ANY ($1) AND o.id <> e.id",
        ids[:2],
    )
    report = await books.verify()
    assert {(finding.what, str(finding.id)) for finding in report.findings} == {("reordered", ids[0]), ("reordered", ids[1])}


async def test_an_entry_that_was_slipped_in_is_named(books: Books) -> None:
    await books.note(3)
    await books.link()
    forged = IdSource().fresh()
    await books.superuser.execute(
        "INSERT INTO audit.entry SELECT (e).* FROM (SELECT (jsonb_populate_record(e, jsonb_build_object('id', $1::uuid))) AS e "
        "FROM audit.entry AS e ORDER BY seq LIMIT 1) AS f",
        forged,
    )
    [finding] = (await books.verify()).findings
    assert (finding.what, finding.id) == ("inserted", forged)


async def cut_off(books: Books) -> None:
    """Take the last link away with its rows, and say that the chain has always ended there."""
    await books.superuser.execute(
        "DELETE FROM audit.entry WHERE (txid, seq) > (SELECT last_txid::text::xid8, last_seq FROM audit.link WHERE place = 1)"
    )
    await books.superuser.execute("DELETE FROM audit.link WHERE place = 2")
    await books.superuser.execute("DELETE FROM audit.root WHERE number = 2")
    await books.superuser.execute("UPDATE audit.head SET place = 1, hash = (SELECT hash FROM audit.link WHERE place = 1)")


async def test_an_end_that_was_cut_off_is_told_by_what_was_published(books: Books) -> None:
    for _ in range(2):
        await books.note(2)
        await books.link()
    await cut_off(books)
    [finding] = (await books.verify()).findings
    assert (finding.what, finding.place, finding.root) == ("cut off", 2, 2)


async def test_a_chain_that_was_written_anew_is_told_by_what_was_published(books: Books) -> None:
    ids = await books.note(3)
    await books.link()
    await books.superuser.execute("UPDATE audit.entry SET actor = 'person/2' WHERE id = $1", ids[1])
    await books.superuser.execute("DELETE FROM audit.link")
    await books.superuser.execute("DELETE FROM audit.head")
    await link_new(books.record, books.cell)
    [finding] = (await books.verify()).findings
    assert (finding.what, finding.root) == ("link altered", 1)


async def test_a_link_that_was_removed_is_named(books: Books) -> None:
    for _ in range(3):
        await books.note()
        await books.link()
    await books.superuser.execute("DELETE FROM audit.link WHERE place = 2")
    assert "link missing" in await kinds(books)


async def test_a_root_that_somebody_wrote_over_is_named_and_its_first_version_counts(books: Books) -> None:
    await books.note()
    await books.link()
    objects = books.publisher._objects
    assert isinstance(objects, S3Locked)
    client = objects._opened()
    await asyncio.to_thread(client.put_object, Bucket=objects._bucket, Key=key_of(books.cell, 1), Body=b"{}")
    await asyncio.to_thread(client.delete_object, Bucket=objects._bucket, Key=key_of(books.cell, 1))
    [finding] = (await books.verify()).findings
    assert finding.what == "root altered"


async def test_a_published_root_lies_under_a_lock_that_even_its_owner_cannot_lift(books: Books) -> None:
    await books.note()
    await books.link()
    [version] = await books.publisher._objects.versions(prefix_of(books.cell))
    assert version.locked


async def test_entries_of_a_transaction_that_is_still_open_hold_back_what_came_after_it(books: Books) -> None:
    async with books.record.transaction(books.cell) as tx:
        await tx.connection.execute("SELECT pg_current_xact_id()")
        await books.note(2)
        assert await books.link() == 0
    assert await books.link() == 2
    assert (await books.verify()).whole


async def test_many_who_note_and_link_at_once_make_one_whole_chain(books: Books) -> None:
    async def work() -> None:
        for _ in range(5):
            await asyncio.gather(books.note(3), books.tell(), link_new(books.record, books.cell))

    await asyncio.gather(*[work() for _ in range(4)])
    await books.link()
    report = await books.verify()
    assert (report.findings, report.entries, report.events) == ([], 60, 20)


async def test_a_linker_killed_between_any_two_steps_leaves_a_whole_chain(
    books: Books, migrated_url: str, objects_url: str, tmp_path: Path
) -> None:
    for step in ("linked", "put"):
        await books.note(3)
        told = [migrated_url, objects_url, str(tmp_path), str(books.cell), step]
        command = [sys.executable, "-m", "tests.faults.audit_process", *told]
        child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert child.stdout is not None
        async with asyncio.timeout(SECONDS_MAX):
            assert (await child.stdout.readline()).strip() == step.encode()
        child.kill()
        await child.wait()
    await books.note()
    await books.link()
    report = await books.verify()
    assert (report.findings, report.entries) == ([], 7)
