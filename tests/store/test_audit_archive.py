"""Entries of long ago lie in object storage: found there, proved there, and gone from there only when their years are over."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec import Struct

from entrepot.audit import query
from entrepot.audit.archived import ArchivedRows
from entrepot.audit.archiving import Left, archive_entries
from entrepot.audit.commands import Entry
from entrepot.audit.query import Asked
from entrepot.audit.report import Report
from entrepot.audit.rows import Rows
from entrepot.audit.rules import Class, kept_since, may_be_gone, partition_of
from entrepot.audit.verify import Verifier
from entrepot.base.ids import IdSource
from entrepot.base.limits import AUDIT_TABLE_DAYS
from entrepot.base.time import FixedClock, SystemClock, utc
from entrepot.engines.objects.s3 import S3Objects
from entrepot.record.transaction import Record, open_record
from tests.store.test_audit import Books, books

__all__ = ["books"]  # the fixture

DAY_MILLIS = 86_400_000
LATER = (AUDIT_TABLE_DAYS + 2) * DAY_MILLIS
WHOSE, WHOSE_ELSE = IdSource().fresh(), IdSource().fresh()


class Archive(Struct, frozen=True):
    """Books, the owner of their tables, and where entries go."""

    books: Books
    owner: Record
    objects: S3Objects
    rows: ArchivedRows

    async def note(self) -> None:
        """Note a read that told of two people, and a command that told of nobody; link both, and publish."""
        record = self.books.record
        told: list[tuple[Class, UUID | None, list[UUID]]] = [("read", WHOSE, [WHOSE_ELSE]), ("command", None, [])]
        for kind, subject, others in told:
            entry = Entry(
                id=record.ids.fresh(), at=record.clock.tick(), kind=kind, actor="person/1", action="GET /x", object="o/1",
                subject=subject, others=others,
            )  # fmt: skip
            await self.books.auditor.note(entry)
        await self.books.link()

    async def move(self, millis: int = LATER) -> list[Left]:
        return await archive_entries(self.owner, self.objects, FixedClock(SystemClock().millis() + millis))

    async def in_table(self) -> int:
        return int(await self.books.superuser.fetchval("SELECT count(*) FROM audit.entry WHERE cell = $1", self.books.cell))

    async def verify(self) -> Report:
        books = self.books
        return await Verifier(
            books.record, books.cell, Rows(books.record, books.cell, self.rows), books.verifier._roots
        ).verify()

    async def find(self, **asked: object) -> list[str]:
        found = await query.entries(self.books.record, self.books.cell, Asked(**asked), 10, self.rows)  # type: ignore[arg-type]  # by the case
        return [one.kind for one in found]


@pytest.fixture
async def archive(books: Books, migrated_url: str, objects_url: str) -> AsyncIterator[Archive]:
    objects = S3Objects(objects_url)
    await objects.open()
    async with await open_record(migrated_url, connections=1) as owner:
        yield Archive(books, owner, objects, ArchivedRows(books.record, books.cell, objects))
    await objects.close()


async def test_what_has_left_is_found_and_proved_whole_wherever_it_lies(archive: Archive) -> None:
    await archive.note()
    left = await archive.move()
    assert [(one.rows, one.retired) for one in left if one.cell == archive.books.cell] == [(1, False), (1, False)]
    assert await archive.in_table() == 0
    await archive.books.superuser.execute("SELECT audit.ensure_partitions(now() - interval '1 day', now() + interval '1 day')")
    await archive.note()
    report = await archive.verify()
    assert (report.whole, report.entries, report.unexplained) == (True, 4, [])
    assert await archive.find() == ["command", "read"] * 2
    for asked in ({"subject": WHOSE}, {"subject": WHOSE_ELSE}):
        assert await archive.find(**asked) == ["read", "read"]
    assert await archive.find(actor="person/2") == await archive.find(subject=IdSource().fresh()) == []
    assert await archive.find(object="o") == ["command", "read"] * 2


async def test_what_no_root_vouches_for_stays_where_it_is(archive: Archive) -> None:
    await archive.note()
    await archive.books.note()
    assert await archive.move() == []
    assert await archive.in_table() == 3


async def test_what_is_young_stays_where_it_is(archive: Archive) -> None:
    await archive.note()
    assert await archive.move(millis=30 * DAY_MILLIS) == []


async def test_a_class_whose_years_are_over_is_gone_and_the_others_stay(archive: Archive) -> None:
    await archive.note()
    await archive.move()
    [gone] = [one for one in await archive.move(millis=1_200 * DAY_MILLIS) if one.cell == archive.books.cell]
    assert (gone.retired, "-read.parquet" in gone.object) == (True, True)
    assert await archive.objects.list(gone.object[: -len("read.parquet")]) == [gone.object.replace("-read", "-command")]
    assert await archive.find() == ["command"]


async def test_who_says_that_the_time_of_entries_is_over_before_it_is_hides_nothing(archive: Archive) -> None:
    await archive.note()
    await archive.move()
    await archive.books.superuser.execute("UPDATE audit.archive SET retired = true")
    assert {one.what for one in (await archive.verify()).findings} == {"deleted"}


def test_the_time_of_a_days_entries_is_over_when_the_years_of_its_class_are() -> None:
    now = utc(SystemClock().millis())
    edge = kept_since("read", now)
    assert may_be_gone(partition_of(edge - timedelta(days=1)), "read", now)
    assert not may_be_gone(partition_of(edge), "read", now)
    assert not may_be_gone(partition_of(edge - timedelta(days=1)), "command", now)
