"""From an HTTP request to a statement: the query, its parameters and settings, and an insert's data spooled to a file.

Data go to chDB by a file and never inside the text of the query: chDB would look for the end of the statement in them.
"""

import re
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import lz4.frame  # type: ignore[import-untyped]  # it ships no types
from aiohttp import web
from backports import zstd

from entrepot.base.engine_limits import COLUMNS_BODY_BYTES_MAX, COLUMNS_QUERY_BYTES_MAX
from entrepot.local.clickhouse.engine import RefusedError, Statement, quoted

# Spoken between client and server only, or without meaning here; everything else in the URL is a setting of ClickHouse.
TRANSPORT = frozenset(
    {
        *("query", "query_id", "database", "default_format", "user", "password", "role", "quota_key"),
        *("session_id", "session_timeout", "session_check", "client_protocol_version", "buffer_size", "wait_end_of_query"),
        *("compress", "decompress", "enable_http_compression", "cancel_http_readonly_queries_on_client_close"),
        *("send_progress_in_http_headers", "http_headers_progress_interval_ms"),
    }
)
INSERT = re.compile(
    rb"""\s*(?P<into>INSERT\s+INTO\s+(?:TABLE\s+)?(?:`[^`]*`|"[^"]*"|[\w.])+\s*(?:\((?:`[^`]*`|"[^"]*"|[^)`"])*\))?)"""
    rb"""(?P<settings>\s+SETTINGS\s.+?)?\s+FORMAT\s+(?!VALUES\b)(?P<format>\w+)[ \t]*(?:\r?\n|\Z)""",
    re.IGNORECASE | re.DOTALL,
)
FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
KEYWORD = re.compile(r"(?:\s+|--[^\n]*\n|/\*.*?\*/|\()*(\w*)", re.DOTALL)  # the first word after comments and parentheses
WITH_ROWS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK", "VALUES", "FROM"})
# Had block by block: chDB streams these, and these formats have neither head nor foot, so that blocks in a row are one answer.
STREAMED_KEYWORDS = frozenset({"SELECT", "WITH"})
STREAMED_FORMATS = frozenset({"Native", "TabSeparated", "TSV", "CSV", "RowBinary", "JSONEachRow"})

Decoder = Callable[[bytes], bytes]


async def read_statement(request: web.Request, spool: Path) -> Statement:
    """Return what the request asks for; an insert's data lie in a new file in ``spool``, which the caller deletes."""
    fields = dict(request.query)
    if request.content_type == "multipart/form-data":  # curl calls any body a form; ClickHouse takes only these for one
        for name, value in (await request.post()).items():
            if not isinstance(value, str):
                raise RefusedError(f"Code: 48. DB::Exception: External table {name} is not supported here. (NOT_IMPLEMENTED)")
            fields[name] = value
        return _statement(request, fields, fields.get("query", ""), None)
    head = fields.get("query", "").encode()
    body = _decoded(request)
    if head:
        head += b"\n"
    async for chunk in body:
        head += chunk
        if found := INSERT.match(head):
            if found.end() == len(head) and not head.endswith(b"\n"):
                continue  # the name of the format may go on in the next chunk
            return await _insert(request, fields, found, head[found.end() :], body, spool)
        if len(head) > COLUMNS_QUERY_BYTES_MAX:
            raise _too_large(f"The query is longer than {COLUMNS_QUERY_BYTES_MAX} bytes")
    if found := INSERT.match(head):
        return await _insert(request, fields, found, head[found.end() :], body, spool)
    return _statement(request, fields, head.decode(errors="surrogateescape"), None)


async def _insert(
    request: web.Request, fields: dict[str, str], found: re.Match[bytes], first: bytes, rest: AsyncIterator[bytes], spool: Path
) -> Statement:
    with tempfile.NamedTemporaryFile(dir=spool, delete=False) as file:
        try:
            file.write(first)
            async for chunk in rest:
                file.write(chunk)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)  # noqa: ASYNC240  # a file of this machine, gone in no time
            raise
    data = Path(file.name)
    into, settings, form = (found[group].decode() if found[group] else "" for group in ("into", "settings", "format"))
    return _statement(
        request, fields, f"{into} FROM INFILE {quoted(str(data))} COMPRESSION 'none'{settings} FORMAT {form}", data
    )


def _statement(request: web.Request, fields: dict[str, str], sql: str, data: Path | None) -> Statement:
    settings = {name: value for name, value in fields.items() if name not in TRANSPORT and not name.startswith("param_")}
    if request.method != "POST":
        settings.setdefault("readonly", "2")  # as ClickHouse does: what a GET asks for changes nothing
    named = FORMAT.search(sql)
    form = named[1] if named else fields.get("default_format", "TabSeparated")
    keyword = KEYWORD.match(sql)[1].upper()  # type: ignore[index]  # it matches the empty string too
    return Statement(
        sql=sql,
        parameters={name[6:]: value for name, value in fields.items() if name.startswith("param_")},
        settings=settings,
        database=fields.get("database", request.headers.get("X-ClickHouse-Database", "")),
        format=form,
        rows=keyword in WITH_ROWS,
        blocks=keyword in STREAMED_KEYWORDS and form in STREAMED_FORMATS,
        data=data,
    )


async def _decoded(request: web.Request) -> AsyncIterator[bytes]:
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    decode = _decoder(encoding)
    size = 0
    async for chunk in request.content.iter_any():
        try:
            plain = decode(chunk)
        except (zlib.error, zstd.ZstdError, RuntimeError, EOFError) as error:
            raise RefusedError(f"Code: 354. DB::Exception: The body is no {encoding}: {error}. (INCORRECT_DATA)") from error
        size += len(plain)
        if size > COLUMNS_BODY_BYTES_MAX:
            raise _too_large(f"The body is longer than {COLUMNS_BODY_BYTES_MAX} bytes")
        yield plain


def _decoder(encoding: str) -> Decoder:
    match encoding:
        case "identity" | "":
            return bytes
        case "gzip" | "deflate":
            return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress
        case "lz4":
            return _Frames(lz4.frame.LZ4FrameDecompressor)
        case "zstd":
            return _Frames(zstd.ZstdDecompressor)
    raise RefusedError(
        f"Code: 48. DB::Exception: No compression {quoted(encoding)} here: send lz4, zstd, gzip or none. (NOT_IMPLEMENTED)"
    )


class _Frames:
    """A body of one frame after the other, as the client writes one per block."""

    def __init__(self, frame: type[lz4.frame.LZ4FrameDecompressor] | type[zstd.ZstdDecompressor]) -> None:
        self._make = frame
        self._frame = frame()

    def __call__(self, data: bytes) -> bytes:
        plain = b""
        while data:
            if self._frame.eof:
                self._frame = self._make()
            plain += self._frame.decompress(data)
            data = (self._frame.unused_data or b"") if self._frame.eof else b""
        return plain


def _too_large(why: str) -> RefusedError:
    return RefusedError(f"Code: 307. DB::Exception: {why}: send less at a time. (QUERY_IS_TOO_LARGE)")
