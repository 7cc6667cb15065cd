"""The HTTP side: who may ask, what is answered and with which headers. Owns no SQL; never blocks while a statement runs."""

import asyncio
import base64
import contextlib
import hmac
import re
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from entrepot.base.engine_limits import COLUMNS_QUERY_BYTES_MAX, COLUMNS_STATEMENTS_MAX
from entrepot.local.clickhouse.engine import Folder, RefusedError, Statement
from entrepot.local.clickhouse.request import read_statement

T = TypeVar("T")

USER = "default"
FIRST_BYTES = 1 << 20  # answers up to this are sent whole, so that an error in them still has its status
# ClickHouse's own table (exceptionCodeToHTTPStatus) by the name in its message, as far as it matters; else 500.
STATUSES: Mapping[int, str] = {
    400: "BAD_ARGUMENTS CANNOT_PARSE_TEXT CANNOT_PARSE_DATE CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER "
    "CANNOT_PARSE_UUID CANNOT_PARSE_QUOTED_STRING CANNOT_PARSE_ESCAPE_SEQUENCE CANNOT_PARSE_INPUT_ASSERTION_FAILED "
    "DUPLICATE_COLUMN ILLEGAL_COLUMN THERE_IS_NO_COLUMN VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE SYNTAX_ERROR INCORRECT_DATA "
    "TYPE_MISMATCH TOO_DEEP_AST TOO_BIG_AST",
    401: "REQUIRED_PASSWORD",
    403: "AUTHENTICATION_FAILED UNKNOWN_USER WRONG_PASSWORD ACCESS_DENIED",
    404: "UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE UNKNOWN_SETTING "
    "UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT UNKNOWN_DATABASE_ENGINE UNKNOWN_ROLE",
    408: "TIMEOUT_EXCEEDED",
    413: "QUERY_IS_TOO_LARGE",
    501: "NOT_IMPLEMENTED",
    503: "CANNOT_SCHEDULE_TASK",
}
STATUS = {name: status for status, names in STATUSES.items() for name in names.split()}
TYPES = {"JSON": "application/json; charset=UTF-8", "CSV": "text/csv; charset=UTF-8", "Native": "application/octet-stream"}


class Server:
    """Answers for one folder; ``listen`` until the caller leaves."""

    def __init__(self, folder: Folder, spool: Path, password: str) -> None:
        self._folder = folder
        self._spool = spool
        self._password = password
        self._threads = ThreadPoolExecutor(COLUMNS_STATEMENTS_MAX, "statement")
        self._turn = asyncio.Semaphore(COLUMNS_STATEMENTS_MAX)
        self.running = 0  # statements; one that outlasts the end of ``listen`` cannot be stopped, only left behind

    @contextlib.asynccontextmanager
    async def listen(self, host: str, port: int, *, drain_seconds: float) -> AsyncIterator[None]:
        """Serve inside this context; on leaving, take no new request and let the running ones end."""
        app = web.Application(client_max_size=COLUMNS_QUERY_BYTES_MAX)
        app.add_routes([web.get("/ping", _ping), web.get("/", self._asked), web.post("/", self._asked)])
        runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,
            max_line_size=1 << 20,
            max_field_size=1 << 20,
            shutdown_timeout=drain_seconds,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield
        finally:
            await runner.cleanup()
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _asked(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET" and not request.query:
            return await _ping(request)
        statement = None
        try:
            self._admit(request)
            statement = await read_statement(request, self._spool)
            async with self._turn:
                self.running += 1
                return await self._answer(request, statement)
        except RefusedError as refused:
            return self._refusal(str(refused))
        except ConnectionResetError:
            return web.Response(status=499)  # the caller has left, and nobody reads this
        finally:
            if statement and statement.data:
                statement.data.unlink(missing_ok=True)

    async def _answer(self, request: web.Request, statement: Statement) -> web.StreamResponse:
        pieces = self._folder.run(statement)
        try:
            first = await self._pull(pieces, FIRST_BYTES)
            headers = self._headers(request, statement)
            if len(first) < FIRST_BYTES:
                return web.Response(body=first, headers=headers)
            response = web.StreamResponse(headers=headers)
            await response.prepare(request)
            await self._stream(response, pieces, first)
            return response
        finally:
            await self._in_thread(pieces.close)
            self.running -= 1

    async def _stream(self, response: web.StreamResponse, pieces: Generator[bytes, None, None], first: bytes) -> None:
        piece = first
        try:
            while piece:
                await response.write(piece)
                piece = await self._pull(pieces, FIRST_BYTES)
        except RefusedError as refused:
            # Too late for a status: as ClickHouse does, the error ends the body, between marks that clients know it by.
            tag, text = response.headers["X-ClickHouse-Exception-Tag"], f"{refused}\n"
            end = f"\r\n__exception__\r\n{tag}\r\n{text}{len(text.encode())} {tag}\r\n__exception__\r\n"
            await response.write(end.encode())
        await response.write_eof()

    async def _pull(self, pieces: Generator[bytes, None, None], enough: int) -> bytes:
        def pull() -> bytes:
            taken = bytearray()
            for piece in pieces:
                taken += piece
                if len(taken) >= enough:
                    break
            return bytes(taken)

        return await self._in_thread(pull)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _admit(self, request: web.Request) -> None:
        user, password = _credentials(request)
        # Compared also when no password is set: then only the empty one fits.
        if user != USER or not hmac.compare_digest(password.encode(), self._password.encode()):
            raise RefusedError(
                f"Code: 516. DB::Exception: {user}: Authentication failed: password is incorrect, "
                "or there is no user with such name. (AUTHENTICATION_FAILED)"
            )

    def _headers(self, request: web.Request, statement: Statement) -> dict[str, str]:
        headers = {
            "X-ClickHouse-Query-Id": request.query.get("query_id") or str(uuid.uuid4()),
            "X-ClickHouse-Timezone": "UTC",
            "X-ClickHouse-Server-Display-Name": "entrepot",
            "X-ClickHouse-Exception-Tag": secrets.token_hex(8),
            "X-ClickHouse-Summary": "{}",
            "Content-Type": TYPES.get(statement.format, "text/plain; charset=UTF-8"),
        }
        if statement.rows:
            headers["X-ClickHouse-Format"] = statement.format
        return headers

    def _refusal(self, message: str) -> web.Response:
        code = re.search(r"Code: (\d+)", message)
        name = re.findall(r"\(([A-Z][A-Z0-9_]+)\)", message)
        return web.Response(
            status=STATUS.get(name[-1], 500) if name else 500,
            text=f"{message} (version {self._folder.version} (chDB))\n",
            headers={"X-ClickHouse-Exception-Code": code[1] if code else "1001", "X-ClickHouse-Timezone": "UTC"},
        )


async def _ping(_: web.Request) -> web.Response:
    return web.Response(text="Ok.\n", headers={"X-ClickHouse-Summary": "{}"})


def _credentials(request: web.Request) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return "", ""
        return user or USER, password
    if "X-ClickHouse-User" in request.headers:
        return request.headers["X-ClickHouse-User"] or USER, request.headers.get("X-ClickHouse-Key", "")
    return request.query.get("user", USER), request.query.get("password", "")
