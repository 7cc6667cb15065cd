"""Every row of every table of a PostgreSQL database, as COPY gives it away: ours, the documents', and restored backups."""

import asyncpg

from entrepot.base.limits import CONNECT_SECONDS_MAX
from entrepot.privacy.scan.looking import Looked, Looking
from entrepot.privacy.scan.needles import Needles
from entrepot.record.named import queries

SQL = queries(__package__)


async def search(source: str, url: str, needles: Needles, *, ids: bool) -> Looked:
    """Search a database; binary, so that bytes come as bytes and text as text."""
    looking = Looking(source, needles, ids=ids)
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS_MAX)
    try:
        for row in await connection.fetch(SQL["tables"]):
            if not row["readable"]:
                looking.unread(row["name"])
                continue
            piece = looking.pieces(row["name"])

            async def take(data: bytes, piece: "object" = piece) -> None:
                assert callable(piece)
                piece(data)

            query = SQL["rows"].rstrip(";").format(table=row["quoted"])  # a name that the server has given, quoted by it
            await connection.copy_from_query(query, output=take, format="binary")
    finally:
        await connection.close()
    return looking.end()


async def keys_in(url: str, subjects: list[str]) -> int:
    """Count the keys of these subjects in a database: a restored backup that has them would open what was forgotten."""
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS_MAX)
    try:
        if await connection.fetchval(SQL["has_keys"]) is None:
            return 0
        return int(await connection.fetchval(SQL["keys"], subjects))
    finally:
        await connection.close()
