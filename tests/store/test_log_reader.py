"""No event is ever skipped, however the transactions that write them overlap; and reading walks an index, not the table."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.base.event import START, Position
from entrepot.base.projection import Slot
from entrepot.log.reader import LogReader, Tail
from entrepot.log.store import SQL
from entrepot.record.named import queries
from tests.log_case import ALL, OTHER, SLOT, WRITTEN, House, house, until

APPEND = queries("entrepot.record", "append.sql")["append"]


@pytest.fixture
async def home(migrated_url: str) -> AsyncIterator[House]:
    async with house(migrated_url) as opened:
        yield opened


class Writers:
    """Several sessions that each write in a transaction of their own, opened and ended on purpose."""

    def __init__(self, home: House, connections: Sequence[asyncpg.Connection]) -> None:
        self._ids = home.record.ids
        self._connections = connections
        self._open: dict[int, asyncpg.transaction.Transaction] = {}
        self._unsaid: dict[int, list[str]] = {}
        self.written = 0
        self.committed: list[str] = []

    async def act(self, writer: int, what: str) -> None:
        """Write a note, or end the transaction that the writer has open."""
        if what == "write":
            if writer not in self._open:
                self._open[writer] = self._connections[writer].transaction()
                self._unsaid[writer] = []
                await self._open[writer].start()
            self.written += 1
            key = f"note/{self.written}"
            await self._connections[writer].fetch(
                APPEND,
                1,
                [self._ids.fresh()],
                [self.written],
                [WRITTEN],
                [key],
                [1],
                ['{"text": ""}'],
                [None],
                "test",
                None,
                [None],
            )
            self._unsaid[writer].append(key)
        elif writer in self._open:
            transaction = self._open.pop(writer)
            await (transaction.commit() if what == "commit" else transaction.rollback())
            self.committed += self._unsaid.pop(writer) if what == "commit" else []

    async def end(self) -> None:
        """Commit what is open."""
        for writer in list(self._open):
            await self.act(writer, "commit")


async def read_on(reader: LogReader | Tail, after: Position, limit: int) -> tuple[list[str], Position]:
    """Return the keys that can be read after a position, and how far that is."""
    keys: list[str] = []
    while True:
        batch = await reader.read(SLOT, after, ALL, limit)
        keys += [event.key for event in batch.events]
        after = batch.end
        if not batch.full:
            return keys, after


async def read_to_the_last(reader: LogReader | Tail, after: Position, keys: list[str], wanted: int) -> None:
    """Read until so many keys are there; other databases of the server may hold the horizon back for a moment."""

    async def complete() -> bool:
        nonlocal after
        found, after = await read_on(reader, after, 100)
        keys.extend(found)
        return len(keys) >= wanted

    await until(complete)


steps = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["write", "write", "commit", "rollback", "read"])), min_size=3, max_size=25
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, limit=st.integers(1, 4), shared=st.booleans())
async def test_no_interleaving_of_transactions_skips_or_doubles_an_event(
    home: House, steps: list[tuple[int, str]], limit: int, shared: bool
) -> None:
    connections = [await asyncpg.connect(home.url) for _ in range(3)]
    try:
        writers = Writers(home, connections)
        reader: LogReader | Tail = Tail(LogReader(home.record), 1, ALL) if shared else LogReader(home.record)
        _, after = await read_on(reader, START, 1000)
        seen: list[str] = []
        for writer, what in steps:
            if what == "read":
                keys, after = await read_on(reader, after, limit)
                seen += keys
            else:
                await writers.act(writer, what)
        await writers.end()
        await read_to_the_last(reader, after, seen, len(writers.committed))
        assert sorted(seen) == sorted(writers.committed)
    finally:
        await asyncio.gather(*(connection.close() for connection in connections))


async def test_a_fast_transaction_waits_for_a_slow_one_that_began_before_it(home: House) -> None:
    connections = [await asyncpg.connect(home.url) for _ in range(2)]
    slow_and_fast = Writers(home, connections)
    await slow_and_fast.act(0, "write")
    await slow_and_fast.act(1, "write")
    await slow_and_fast.act(1, "commit")
    keys, after = await read_on(LogReader(home.record), START, 100)
    assert keys == []
    await slow_and_fast.act(0, "commit")
    await read_to_the_last(LogReader(home.record), after, keys, 2)
    assert keys == ["note/1", "note/2"]
    await asyncio.gather(*(connection.close() for connection in connections))


async def test_a_batch_of_unwanted_events_still_moves_the_position(home: House) -> None:
    await home.write(*((f"{n}", 1, "") for n in range(5)), kind=OTHER)
    last = await home.write(("wanted", 1, ""))
    await home.readable(last)
    first = await LogReader(home.record).read(SLOT, START, frozenset({WRITTEN}), 3)
    assert (list(first.events), first.scanned, first.full) == ([], 3, True)
    second = await LogReader(home.record).read(SLOT, first.end, frozenset({WRITTEN}), 4)
    assert [event.key for event in second.events] == ["note/wanted"]


async def test_shards_part_the_keys_the_same_way_in_sql_and_in_memory(home: House) -> None:
    last = await home.write(*((f"{n}", 1, "") for n in range(50)))
    await home.readable(last)
    parts = []
    for shard in range(3):
        slot = Slot(1, shard, 3)
        by_sql = await LogReader(home.record).read(slot, START, ALL, 100)
        in_memory = await Tail(LogReader(home.record), 1, ALL).read(slot, START, ALL, 100)
        assert by_sql.events == in_memory.events
        parts.append({event.key for event in by_sql.events})
    assert len(set.union(*parts)) == sum(map(len, parts)) == 50


async def test_reading_far_into_a_large_log_walks_the_index(home: House) -> None:
    for start in range(0, 20_000, 1_000):
        await home.write(*((f"{n}", 1, "x" * 100) for n in range(start, start + 1_000)))
    async with home.record.committing() as connection:
        await connection.execute("ANALYZE log.event")
        middle = await connection.fetchrow("SELECT txid, seq FROM log.event ORDER BY txid, seq OFFSET 10000 LIMIT 1")
        assert middle is not None
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        plan = "\n".join(
            row[0]
            for row in await connection.fetch(
                f"EXPLAIN (ANALYZE, BUFFERS) {SQL['read_events']}", 1, middle[0], middle[1], 100, [WRITTEN], 0, 1, 1
            )
        )
        await connection.execute("RESET plan_cache_mode")
    assert "Index Scan using" in plan, plan
    assert "Seq Scan on event" not in plan, plan


async def test_no_position_lies_beyond_the_last_event(home: House) -> None:
    # A server that crashes gives the numbers of transactions that wrote nothing again: what is kept must be an event's.
    last = await home.write(("only", 1, ""))
    await home.readable(last)
    for _ in range(20):
        await home.record.pool.execute("SELECT pg_current_xact_id()")
    batch = await LogReader(home.record).read(SLOT, START, ALL, 10)
    assert batch.end == last.position
    assert (await LogReader(home.record).read(SLOT, batch.end, ALL, 10)).end == last.position


async def test_who_reads_after_another_has_passed_what_nobody_wanted_passes_it_too(home: House) -> None:
    await home.write(("a", 1, "wanted"))
    tail = Tail(LogReader(home.record), 1, frozenset({WRITTEN}))
    first = await tail.read(SLOT, START, frozenset({WRITTEN}), 100)
    token = await home.write(("b", 1, "by no one here"), kind=OTHER)
    await home.readable(token)
    for _ in range(2):  # the second finds nothing new, which says nothing of what the first has passed
        await tail.read(SLOT, token.position if _ else first.end, frozenset({WRITTEN}), 100)
    late = await tail.read(SLOT, first.end, frozenset({WRITTEN}), 100)
    assert (late.end, late.passed, bool(late.scanned)) == (token.position, token.position.seq, True)
