"""Passed partitions leave the table for object storage, whole and proved; a rebuild reads both as one sequence."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import Struct

from entrepot.audit.archived import ArchivedRows
from entrepot.audit.query import events_of
from entrepot.base.event import START, Position, Token
from entrepot.base.ids import lowest_at
from entrepot.base.time import FixedClock, SystemClock, millis_of
from entrepot.engines.objects.s3 import S3Objects
from entrepot.log.archive import Moved, archive_passed
from entrepot.log.archived import ArchiveDamagedError, ArchivedLog
from entrepot.log.generations import rebuild
from entrepot.log.reader import LogReader
from entrepot.log.status import status
from entrepot.log.store import head, request_replay
from entrepot.record.cause import Cause, causing
from entrepot.record.transaction import Fact
from tests.log_case import ALL, OTHER, SLOT, Forgiving, House, IdsOf, Notes, Written, days_ago, finished, house, until

DAY = timedelta(days=1)


class Lossy:
    """Object storage that loses the end of what it gives back."""

    def __init__(self, store: S3Objects) -> None:
        self._store = store

    async def put(self, key: str, source: Path) -> None:
        await self._store.put(key, source)

    async def get(self, key: str, destination: Path) -> None:
        await self._store.get(key, destination)
        destination.write_bytes(destination.read_bytes()[:-1])


@pytest.fixture
async def home(migrated_url: str) -> AsyncIterator[House]:
    async with house(migrated_url) as opened:
        async with opened.record.committing() as connection:
            await connection.execute("SELECT log.ensure_partitions('log.event', 'day', now() - interval '5 days', now())")
        yield opened


@pytest.fixture
async def objects(objects_url: str) -> AsyncIterator[S3Objects]:
    store = S3Objects(objects_url)
    await store.open()
    yield store
    await store.close()


async def write_on(home: House, days: int, *notes: tuple[str, int, str]) -> None:
    """Write notes whose ids are of an earlier day, as if it had been then."""
    present, home.record.ids = home.record.ids, IdsOf(days_ago(days))
    try:
        await home.write(*notes)
    finally:
        home.record.ids = present


async def write_poison_on(home: House, days: int) -> None:
    """Write an event of an earlier day that the notes cannot read."""
    present, home.record.ids = home.record.ids, IdsOf(days_ago(days))
    try:
        await home.write_poison("poisoned", 1)
    finally:
        home.record.ids = present


async def ask_to_replay(home: House) -> int:
    async with home.record.committing() as connection:
        return await request_replay(connection, "notes", None)


async def is_live(home: House, generation: int) -> bool:
    await home.live.refresh()
    return home.live.target("notes").generation == generation


async def says(home: House, notes: dict[str, object]) -> bool:
    return await home.notes() == notes


async def project_all(home: House) -> None:
    """Let the projection pass all that is there."""
    await home.passed(await home.write(("last", 1, "of all"), kind=OTHER))


async def archive(home: House, objects: S3Objects) -> list[Moved]:
    return await archive_passed(home.record, objects, SystemClock())


async def partitions(home: House) -> set[str]:
    async with home.record.committing() as connection:
        return {
            row[0]
            for row in await connection.fetch(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'log.event'::regclass"
            )
        }


async def read_all(home: House, archived: ArchivedLog, limit: int) -> list[tuple[Position, str, int]]:
    found: list[tuple[Position, str, int]] = []
    after = START
    while True:
        batch = await LogReader(home.record, archived).read(SLOT, after, ALL, limit)
        found += [(event.position, event.key, event.version) for event in batch.events]
        after = batch.end
        if not batch.full:
            return found


async def three_days(home: House) -> None:
    """Write notes whose commit order and days overlap: the archives of two days and the table each hold parts of it all."""
    for version in range(1, 4):
        for day in (3, 2, 0):
            await write_on(home, day, *((f"{n}", 10 * version - day, f"{version} of day {day}") for n in range(7)))


class Placed(Struct, frozen=True):
    """As much of an order as names what was written beside it."""

    id: str
    lines: list[dict[str, str]]


async def test_events_that_left_are_told_under_the_request_that_caused_them_still(home: House, objects: S3Objects) -> None:
    present, home.record.ids = home.record.ids, IdsOf(days_ago(3))
    request, placed = lowest_at(millis_of(days_ago(3)) - 1), Placed("1", [{"variant_id": "v", "warehouse": "w"}])
    async with home.record.transaction(SLOT.cell) as tx:
        with causing(Cause(id=request)):
            await tx.append([Fact("ordering.order_placed.v1", "order/1", 1, placed)])
        await tx.append([Fact(OTHER, key, 1, Written("")) for key in ("payment/1", "stock/v/w", "payment/2")])
    home.record.ids = present
    async with home.projecting():
        await project_all(home)
    archived = ArchivedRows(home.record, SLOT.cell, objects)
    before = await events_of(home.record, SLOT.cell, request, archived)
    assert [one.key for one in before] == ["order/1", "payment/1", "stock/v/w"]
    assert await archive(home, objects)
    assert await events_of(home.record, SLOT.cell, request, archived) == before


async def test_a_passed_partition_moves_to_the_archive_and_leaves_the_table(home: House, objects: S3Objects) -> None:
    await three_days(home)
    async with home.projecting():
        await project_all(home)
    before = await partitions(home)
    moved = await archive(home, objects)
    assert [one.rows for one in moved] == [21, 21]
    # Today's stays, and those of the days to come; yesterday's too, while it may still be written.
    assert len(before - await partitions(home)) in {6 - 2, 6 - 1}
    assert await archive(home, objects) == []
    assert all([await objects.exists(one.object) for one in moved])


@pytest.mark.parametrize("limit", [1, 5, 1000])
async def test_archive_and_table_are_read_as_one_sequence(home: House, objects: S3Objects, tmp_path: Path, limit: int) -> None:
    await three_days(home)
    async with home.projecting():
        await project_all(home)
    archived = ArchivedLog(home.record, objects, tmp_path)
    before = await read_all(home, archived, 1000)
    assert len(before) == 64
    await archive(home, objects)
    assert await read_all(home, archived, limit) == before


async def test_a_rebuild_reads_the_archive_and_then_the_table(home: House, objects: S3Objects, tmp_path: Path) -> None:
    await three_days(home)
    archived = ArchivedLog(home.record, objects, tmp_path)
    async with home.projecting(archived=archived):
        await project_all(home)
        before = await home.notes()
        await archive(home, objects)
        await rebuild(home.record, Notes())
        await until(lambda: is_live(home, 2))
        await home.passed(await home.write(("new", 1, "after it all")))
    assert await home.notes() == {**before, "new": "after it all"}


async def test_what_a_rebuild_cannot_take_out_of_the_archive_is_replayed_from_there(
    home: House, objects: S3Objects, tmp_path: Path
) -> None:
    archived = ArchivedLog(home.record, objects, tmp_path)
    async with home.projecting(Forgiving()):
        await write_on(home, 3, ("well", 1, "an old note"))
        await write_poison_on(home, 3)
        await write_on(home, 3, ("poisoned", 2, "a younger one"))
        await project_all(home)
        assert len(await archive(home, objects)) == 1
    async with home.projecting(Notes(), archived=archived):
        await rebuild(home.record, Notes())
        await until(lambda: is_live(home, 2))
        assert await home.notes() == {"well": "an old note"}
    async with home.projecting(Forgiving(), archived=archived):
        assert await ask_to_replay(home) == 2
        await until(lambda: says(home, {"well": "an old note", "poisoned": "a younger one"}))


async def test_the_head_of_a_log_that_is_wholly_in_the_archive_is_its_last_event(home: House, objects: S3Objects) -> None:
    async with home.projecting():
        await write_on(home, 3, ("one", 1, "an old note"), ("two", 1, "the last"))
        async with home.record.committing() as connection:
            before = await head(connection, 1)
            await home.passed(Token(1, before))
        assert len(await archive(home, objects)) == 1
    async with home.record.committing() as connection:
        assert await head(connection, 1) == before != START
    told = await status(home.record, ["notes"], [1], SystemClock())
    assert told.heads[0].position == before
    assert told.projections[0].live
    assert (told.projections[0].live.lag_events, told.projections[0].live.done) == (0, 2)


async def test_what_a_projection_has_not_passed_stays(home: House, objects: S3Objects) -> None:
    async with home.projecting():
        await project_all(home)
    await three_days(home)
    assert await archive(home, objects) == []
    assert len(await read_all(home, ArchivedLog(home.record, objects, Path()), 1000)) == 64


async def test_a_partition_with_a_quarantined_event_stays(home: House, objects: S3Objects) -> None:
    present, home.record.ids = home.record.ids, IdsOf(days_ago(2))
    await home.write_poison("a", 1)
    home.record.ids = present
    async with home.projecting():
        await project_all(home)
    assert await archive(home, objects) == []


async def test_a_day_that_is_not_over_for_long_stays(home: House, objects: S3Objects) -> None:
    await three_days(home)
    async with home.projecting():
        await project_all(home)
    just_over = datetime.now(UTC).replace(hour=0, minute=30) - DAY * 2
    assert await archive_passed(home.record, objects, FixedClock(millis_of(just_over))) == []


async def test_a_partition_that_somebody_holds_waits_and_the_next_is_moved(home: House, objects: S3Objects) -> None:
    await three_days(home)
    async with home.projecting():
        await project_all(home)
    async with home.record.transaction(1) as tx:
        await tx.connection.execute(f"LOCK TABLE log.event_{days_ago(3):%Y%m%d} IN SHARE MODE")
        assert [one.partition for one in await archive(home, objects)] == [f"event_{days_ago(2):%Y%m%d}"]
    assert [one.partition for one in await archive(home, objects)] == [f"event_{days_ago(3):%Y%m%d}"]


async def test_two_who_archive_at_once_move_each_event_once(home: House, objects: S3Objects, tmp_path: Path) -> None:
    await three_days(home)
    async with home.projecting():
        await project_all(home)
    before = await read_all(home, ArchivedLog(home.record, objects, tmp_path), 1000)
    await asyncio.gather(archive(home, objects), archive(home, objects))
    assert await archive(home, objects) == []
    assert await read_all(home, ArchivedLog(home.record, objects, tmp_path), 1000) == before


async def test_an_archive_cut_at_any_step_is_completed_by_the_next(home: House, objects: S3Objects, tmp_path: Path) -> None:
    await three_days(home)
    async with home.projecting():
        await project_all(home)
    archived = ArchivedLog(home.record, objects, tmp_path)
    before = await read_all(home, archived, 1000)
    for step in range(4, 24):
        if await finished(archive(home, objects), turns=2**step):
            break
        assert await read_all(home, ArchivedLog(home.record, objects, tmp_path), 1000) == before
    assert await archive(home, objects) == []
    assert await read_all(home, ArchivedLog(home.record, objects, tmp_path), 1000) == before


async def test_a_damaged_object_is_refused_before_anything_is_dropped(home: House, objects: S3Objects) -> None:
    await three_days(home)
    async with home.projecting():
        await project_all(home)
    with pytest.raises(ArchiveDamagedError):
        await archive_passed(home.record, Lossy(objects), SystemClock())
    assert await partitions(home) >= {f"log.event_{days_ago(3):%Y%m%d}", f"log.event_{days_ago(2):%Y%m%d}"}


async def test_a_damaged_archive_leaves_no_file_however_often_it_is_read(
    home: House, objects: S3Objects, tmp_path: Path
) -> None:
    await three_days(home)
    async with home.projecting():
        await project_all(home)
    await archive(home, objects)
    archived = ArchivedLog(home.record, Lossy(objects), tmp_path)
    for _ in range(2):
        with pytest.raises(ArchiveDamagedError):
            await archived.read(SLOT, START, ALL, 10)
    assert not list(tmp_path.iterdir())
