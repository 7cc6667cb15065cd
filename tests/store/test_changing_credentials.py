"""A password of PostgreSQL that changes, as secrets' managers have it: it lies in a file, read anew at each connection."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from entrepot.base.errors import BadInputError
from entrepot.base.trust import trusting
from entrepot.record.transaction import Record, open_record


async def change(record_url: str, user: str, file: Path, password: str) -> None:
    """Give the user another password, and write it to the file that the URL names."""
    connection = await asyncpg.connect(record_url)
    await connection.execute(f"ALTER ROLE {user} PASSWORD '{password}'")
    await connection.close()
    file.write_text(f"*:*:*:{user}:{password}\n")
    file.chmod(0o600)


async def answers(record: Record) -> int:
    async with record.reading() as connection:
        await connection.execute("SELECT pg_sleep(0.1)")  # so that two who ask at once have a connection each
        found: int = await connection.fetchval("SELECT 1")
    return found


async def test_a_password_that_changes_in_its_file_counts_at_the_next_connection(database: str, tmp_path: Path) -> None:
    user, file, parts = f"changing_{uuid4().hex[:12]}", tmp_path / "password", urlsplit(database)
    connection = await asyncpg.connect(database)
    await connection.execute(f"CREATE ROLE {user} LOGIN")
    await connection.close()
    netloc = f"{user}@{parts.hostname}:{parts.port}"
    url = trusting("record", urlunsplit(parts._replace(netloc=netloc, query=f"passfile={file}")))
    await change(database, user, file, "first")
    async with await open_record(url, connections=3) as record:
        await change(database, user, file, "second")
        assert await asyncio.gather(*(answers(record) for _ in range(3))) == [1, 1, 1]
    async with await open_record(url, connections=1) as record:
        assert await answers(record) == 1
    file.write_text(f"*:*:*:{user}:first\n")
    with pytest.raises(BadInputError, match="refuses ENTREPOT_RECORD_URL"):
        await open_record(url, connections=1)
