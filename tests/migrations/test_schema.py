"""The schema that the migrations make is the one in ``schema.sql``, and every named query fits it."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend  # type: ignore[import-untyped]  # ships no types

from entrepot.base import limits
from entrepot.base.errors import ConflictError
from entrepot.record.migrate import migrate
from entrepot.record.named import queries
from entrepot.record.schema import dump
from tests.conftest import copied

ROOM_FILES = sorted(
    (f"entrepot.{'.'.join(path.relative_to(root).parent.parts)}", path.name)
    for root in [Path(str(files("entrepot")))]
    for room in ("audit", "record", "commerce", "jobs", "log", "sealing", "verify")
    for path in (root / room).rglob("*.sql")
    if "migrations" not in path.parts and path.name != "schema.sql"
)


async def test_schema_file_is_the_sum_of_the_migrations(migrated_url: str) -> None:
    written = files("entrepot.record").joinpath("schema.sql").read_text()
    assert dump(migrated_url) == written, "write src/entrepot/record/schema.sql anew with 'entrepot schema'"


async def test_migrating_twice_changes_nothing_and_says_nothing(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert migrate(database)
    assert migrate(database) == []
    assert capsys.readouterr().out == ""  # a command with --json migrates too


async def test_who_dies_before_a_migration_is_noted_down_leaves_nothing_of_it_behind(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = PostgresqlPsycopgBackend.mark_one
    turns = iter(range(3))

    def dying(self: PostgresqlPsycopgBackend, migration: object) -> None:
        if next(turns, None) is None:
            raise KeyboardInterrupt
        noted(self, migration)

    monkeypatch.setattr(PostgresqlPsycopgBackend, "mark_one", dying)
    with pytest.raises(KeyboardInterrupt):
        migrate(database)
    monkeypatch.undo()
    assert migrate(database)[0].startswith("0004_")


async def test_one_who_waits_too_long_for_another_s_migration_is_told_so(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MIGRATE_TURN_SECONDS_MAX", 1.0)
    other = await asyncpg.connect(database)
    await other.execute("SELECT pg_advisory_lock(hashtext('entrepot.migrate'))")
    try:
        with pytest.raises(ConflictError, match="Another process has been migrating"):
            await asyncio.to_thread(migrate, database)
    finally:
        await other.close()


@pytest.fixture(scope="module")
async def unwritten_url(record_url: str, migrated: str) -> AsyncIterator[str]:
    """Return the URL of a migrated database in which queries are only prepared: one serves them all."""
    async with copied(record_url, migrated) as url:
        yield url


@pytest.mark.parametrize(("package", "file"), ROOM_FILES, ids=[f"{package}/{file}" for package, file in ROOM_FILES])
async def test_every_named_query_fits_the_migrated_schema(package: str, file: str, unwritten_url: str) -> None:
    connection = await asyncpg.connect(unwritten_url)
    try:
        find = "SELECT min(relname) FROM pg_class WHERE relname ~ $1"
        event, entry = [await connection.fetchval(find, f"^{one}_[0-9]{{8}}$") for one in ("event", "entry")]
        for name, sql in queries(package, file).items():
            try:
                await connection.prepare(sql.replace("{partition}", event).replace("{entries}", entry))
            except asyncpg.PostgresError as error:
                pytest.fail(f"{package}/{file} {name}: {error}")
    finally:
        await connection.close()


def test_every_migration_waits_for_locks_only_briefly() -> None:
    migrations = [path for path in files("entrepot.record").joinpath("migrations").iterdir() if path.name.endswith(".sql")]
    assert migrations
    for path in migrations:
        assert re.search(r"SET LOCAL lock_timeout = '\d+s'", path.read_text()), f"{path.name} sets no lock_timeout"
        assert re.fullmatch(r"\d{4}_(pre|post)_[a-z0-9_]+\.sql", path.name), f"{path.name} is not NNNN_{{pre,post}}_what.sql"


def test_squawk_finds_nothing_in_the_migrations() -> None:
    folder = Path(str(files("entrepot.record"))) / "migrations"
    found = subprocess.run(
        [Path(sys.executable).with_name("squawk"), *sorted(map(str, folder.glob("*.sql")))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout
