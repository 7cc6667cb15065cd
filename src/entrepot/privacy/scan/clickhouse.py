"""Every row of every table of a ClickHouse server, those too that are deleted and lie on disk still."""

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from entrepot.base.late import Late
from entrepot.base.limits import JOB_SECONDS_MAX
from entrepot.base.trust import authority
from entrepot.privacy.scan.looking import Looked, Looking
from entrepot.privacy.scan.needles import Needles
from entrepot.record.named import queries

if TYPE_CHECKING:
    import clickhouse_connect
else:
    clickhouse_connect = Late("clickhouse_connect")

SQL = queries(__package__, "clickhouse.sql")
_PIECE_BYTES = 1 << 20


async def search(source: str, url: str, needles: Needles) -> Looked:
    """Search a server."""
    return await asyncio.to_thread(_search, source, url, needles)


def _search(source: str, url: str, needles: Needles) -> Looked:
    looking, parts = Looking(source, needles, ids=True), urlsplit(url)
    client = clickhouse_connect.get_client(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 0,
        username=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.strip("/")) or "default",
        secure=parts.scheme == "clickhouses",
        ca_cert=authority(url),
        compress=False,
        send_receive_timeout=int(JOB_SECONDS_MAX),
        autogenerate_session_id=False,
    )
    try:
        for database, table in client.query(SQL["tables"]).result_rows:
            columns = "*"
            if needles.text_only:
                found = client.query(SQL["text_columns"], parameters={"database": database, "table": table}).result_rows
                columns = ", ".join(f"`{name}`" for (name,) in found)
                if not columns:
                    continue
            sql = SQL["rows_of_a_log" if database == "system" else "rows"]
            sql = sql.rstrip(";").format(columns=columns, database=database, table=table)  # names that the server has given
            piece = looking.pieces(f"{database}.{table}")
            with client.raw_stream(sql, fmt="TabSeparated") as stream:
                while data := stream.read(_PIECE_BYTES):
                    piece(data)
    finally:
        client.close()
    return looking.end()
