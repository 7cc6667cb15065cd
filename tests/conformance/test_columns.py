"""Every product of the columns role keeps the store contract, and gives values back as they went."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psutil
import pytest

from entrepot.base.engine_limits import COLUMNS_LOOKUP_IDS_MIN
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.event import Position
from entrepot.base.projection import Body, Item, Shape
from entrepot.engines.clickhouse_connection import connect
from entrepot.engines.columns import clickhouse_cluster
from entrepot.engines.columns.clickhouse import _DELETE, _POSITION_SHAPE, _PURGE, ClickHouseColumns
from entrepot.local.columns import ClickHouse
from entrepot.local.place import Place
from entrepot.local.process import free_ports, launch, stop, until_ready
from tests.conformance.store_suite import Case, RefusingStoreSuite, fresh, tombstone
from tests.conftest import SECRET

SHAPE = Shape("""
CREATE TABLE IF NOT EXISTS {table} (
    id String, version UInt64, is_deleted UInt8,
    number Int64, small UInt8, ratio Float64, flag Bool, text String, kind LowCardinality(String),
    day Date, at DateTime64(6, 'UTC'), thing Nullable(UUID), note Nullable(String)
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY id
SETTINGS non_replicated_deduplication_window = 100
""")
CHANGES = (SHAPE.text, _POSITION_SHAPE, "DROP TABLE IF EXISTS {table} SYNC", _DELETE, _PURGE)
TEXTS = ("", "plain", "quoted ' and \\", "Fahrräder", "自行车", "🚲", "line\nbreak\tand NUL\0")


def body(number: int) -> Body:
    """Return a body with a value of every kind of column; each number another."""
    return {
        "number": -(2**62) - number,
        "small": number % 256,
        "ratio": number / 8,
        "flag": number % 2 == 0,
        "text": TEXTS[number % len(TEXTS)],
        "kind": f"kind {number % 3}",
        "day": date(1970, 1, 1) + timedelta(days=number),
        "at": datetime(2011, 12, 9, 12, 50, 0, 123_456, UTC) + timedelta(microseconds=number),
        "thing": str(UUID(int=number)) if number % 3 else None,
        "note": None if number % 2 else "",
    }


@pytest.fixture(scope="module")
async def store(columns_url: str) -> AsyncIterator[ClickHouseColumns]:
    store = ClickHouseColumns(columns_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(scope="module")
def case(store: ClickHouseColumns) -> Case:
    return Case(store, body, SHAPE)


UNFIT: dict[str, Body] = {
    "a column missing": {name: value for name, value in body(1).items() if name != "text"},
    "a column too many": {**body(1), "more": 1},
    "a value of another type": {**body(1), "text": 5},
    "a fraction for a whole number": {**body(1), "number": 1.5},
    "a number out of range": {**body(1), "small": 256},
    "nothing where something must be": {**body(1), "day": None},
    "a moment without zone": {**body(1), "at": datetime(2011, 12, 9)},  # noqa: DTZ001  # the fault it is about
    "a UUID in another writing": {**body(1), "thing": "0" * 32},
    "half a surrogate pair": {**body(1), "text": "\ud83d"},
}


@pytest.fixture(params=UNFIT)
def unfit(request: pytest.FixtureRequest) -> Body:
    return UNFIT[request.param]


class TestClickHouse(RefusingStoreSuite):
    """Columns in ClickHouse."""


async def test_every_type_comes_back_equal_to_what_was_put(case: Case) -> None:
    async with fresh(case) as home:
        items = [home.item(f"thing/{number}", 1, body=number) for number in range(7)]
        await home.apply(*items)
        found = await home.live()
    assert found == items
    assert [[type(value) for value in (item.body or {}).values()] for item in found] == [
        [type(value) for value in (item.body or {}).values()] for item in items
    ]


async def test_a_row_that_was_put_away_can_come_back_as_it_was(case: Case, store: ClickHouseColumns) -> None:
    async with fresh(case) as home:
        await home.apply(home.item("thing/1", 1))
        await store.put(home.target, [tombstone("thing/1", 1)])
        await home.apply(home.item("thing/1", 1))
        assert await home.live() == [home.item("thing/1", 1)]


async def test_new_versions_far_apart_among_many_rows_are_told_from_old_ones(case: Case) -> None:
    async with fresh(case) as home:
        await home.apply(*(home.item(f"thing/{number:05}", 2, body=1) for number in range(300)))
        await home.apply(home.item("thing/00000", 1), home.item("thing/00299", 2), home.item("thing/00150", 3))
        found = await home.read("thing/00000", "thing/00150", "thing/00299")
    assert {id_: item.version for id_, item in found.items()} == {"thing/00000": 2, "thing/00150": 3, "thing/00299": 2}
    assert found["thing/00299"].body == body(1)


async def test_many_new_ids_with_many_old_ones_between_them_are_told_apart(case: Case) -> None:
    few = COLUMNS_LOOKUP_IDS_MIN
    async with fresh(case) as home:
        await home.apply(*(home.item(f"thing/b/{number:05}", 2, body=1) for number in range(8 * few)))
        mixed = [f"thing/{part}/{number:05}" for part in "abc" for number in range(few)]
        await home.apply(*(home.item(id_, 1) for id_ in mixed))
        versions = {id_: item.version for id_, item in (await home.read(*mixed)).items()}
    assert versions == {id_: 2 if id_.startswith("thing/b") else 1 for id_ in mixed}


async def test_a_query_binds_its_parameters(case: Case, store: ClickHouseColumns) -> None:
    strange = "'; DROP TABLE x; -- {table} %s \\"
    async with fresh(case) as home:
        await home.apply(Item("thing/1", 1, {**body(1), "text": strange}), home.item("thing/2", 1))
        sql = "SELECT id, number + {more:Int64} AS sum FROM {table} FINAL WHERE text = {text:String}"
        rows = await store.query(home.target, sql, {"text": strange, "more": 1})
    assert rows == [{"id": "thing/1", "sum": -(2**62)}]


async def test_a_generation_that_was_never_made_is_told_as_away(case: Case, store: ClickHouseColumns) -> None:
    async with fresh(case) as home:
        await store.drop(home.target)
        with pytest.raises(EngineAwayError, match="columns engine does not answer"):
            await store.query(home.target, "SELECT count() FROM {table}", {})


@pytest.mark.parametrize("sql", CHANGES, ids=lambda sql: " ".join(sql.split()[:2]))
async def test_the_form_of_a_cluster_is_understood_by_one_server(columns_url: str, sql: str) -> None:
    """One server has no cluster to run it on; its parser takes every statement, and names the engines."""
    client = await connect(columns_url, "columns")
    told = [
        (await client.query(f"EXPLAIN AST {one}", parameters={"ids": ["a"]})).result_rows
        for one in clickhouse_cluster.statements(sql, "things_g1", "eu")
    ]
    await client.close()
    assert all(told)
    if sql.lstrip().startswith("CREATE"):
        assert [any(engine in row[0] for row in rows) for rows, engine in zip(told, ("Replicated", "Distributed"), strict=True)]


async def test_a_server_that_is_not_there_is_told_as_away() -> None:
    with pytest.raises(EngineAwayError, match="columns engine does not answer"):
        await ClickHouseColumns("clickhouse://127.0.0.1:1/default").open()


async def start(place: Place) -> psutil.Process:
    process = launch(ClickHouse(), place)
    await until_ready(ClickHouse(), place, process)
    return process


async def test_a_wrong_password_is_told_as_one(columns_url: str) -> None:
    with pytest.raises(BadInputError, match="Authentication failed"):
        await ClickHouseColumns(columns_url.replace(SECRET, "guess")).open()


async def test_a_server_that_was_killed_is_away_until_it_is_back_and_has_lost_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path, "columns", free_ports(tmp_path, 1, ()), SECRET)
    process = await start(place)
    store = ClickHouseColumns(ClickHouse().urls(place)["columns"])
    await store.open()
    async with fresh(Case(store, body, SHAPE)) as home:
        await home.apply(home.item("thing/1", 1), at=1)
        process.kill()
        with pytest.raises(EngineAwayError):
            await home.apply(home.item("thing/1", 2), at=2)
        process = await start(place)
        assert (await home.live(), await home.position()) == ([home.item("thing/1", 1)], Position(1, 1))
        await home.apply(home.item("thing/1", 2), at=2)
        assert (await home.live(), await home.position()) == ([home.item("thing/1", 2)], Position(2, 2))
    await store.close()
    await stop(ClickHouse(), process)
