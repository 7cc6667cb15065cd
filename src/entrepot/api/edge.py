"""The edge of the house: every request passes here. Sets limits of size and time, refuses card numbers, adds headers, counts.

Knows nothing of routes: what is beyond is any ASGI application.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, HTTPScope, Message, Receive, ReceiveMessage, Scope, Send

from entrepot.api import problems
from entrepot.api.auditing import AuditedSend, Noting
from entrepot.api.cards import as_text, refuse_cards, refuse_cards_in_address
from entrepot.api.metrics import Metrics
from entrepot.base.cards import CARD_BYTES
from entrepot.base.errors import EntrepotError
from entrepot.base.limits import (
    BODY_BYTES_MAX,
    FILE_BYTES_MAX,
    FILE_SECONDS_MAX,
    READ_SECONDS_MAX,
    REQUEST_SECONDS_MAX,
    SUM_SECONDS_MAX,
)
from entrepot.record.cause import causing

Answer = Callable[[Request[Any, Any, Any], Exception], Response[Any]]
Identification = Callable[[HTTPScope], Awaitable[None]]


async def nobody(_: HTTPScope) -> None:
    """Take everybody for nobody: for a house without a door."""


# Scripts, styles, pictures and connections from this host only, none of them inline; nobody frames us.
SECURITY_HEADERS: list[tuple[bytes, bytes]] = [
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            b"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),  # a browser heeds it where it came by TLS
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
]

API, FORM = "/v1/", b"x-www-form-urlencoded"
STREAMING = "/v1/events/stream"
UNKNOWN_ROUTE = "(none)"
# A file that is sold: larger than any other body, and not looked through for cards, as its digits are its author's.
FILES = re.compile(r"/v1/files/[^/]+/content|/office/files")
# Sums over years of sales take longer than other reads, and may.
SUMS = {"/sales", "/v1/sales", "/behaviour"}


class Edge:
    """An ASGI application around another."""

    def __init__(
        self,
        inside: ASGIApp,
        metrics: Metrics,
        notes: Noting,
        answer: Answer = problems.answer,
        identify: Identification = nobody,
    ) -> None:
        self._inside = inside
        self._notes = notes
        self._metrics = metrics
        self._answer = answer
        self._identify = identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here when a limit is passed."""
        if scope["type"] != ScopeType.HTTP:
            await self._inside(scope, receive, send)
            return
        passage = _Passage(scope, receive, send)
        if scope["method"] == "HEAD" and scope["path"] != STREAMING:  # what GET would answer, without its body
            scope, passage.silent = {**scope, "method": "GET"}, True
        seconds = _seconds_max(scope)
        began = time.perf_counter()
        try:
            passage.count(_declared_bytes(scope))
            refuse_cards_in_address(scope["path"], scope["query_string"], scope["headers"])
            cause = self._notes.begun(scope)
            passage.audit(AuditedSend(self._notes, scope, cause, send))
            with causing(cause):
                async with asyncio.timeout(seconds):
                    await self._identify(scope)
                    await self._inside(scope, passage.receive, passage.send)
        except EntrepotError as error:
            await self._refuse(scope, passage, error)
        except TimeoutError:
            slow = problems.TooSlowError(f"The answer took longer than {seconds:.0f} s: try again.")
            await self._refuse(scope, passage, slow)
        except Exception as error:  # noqa: BLE001  # the last place: the caller gets a sentence, the log gets the rest
            await self._refuse(scope, passage, error)
        finally:
            route = scope.get("path_template") or UNKNOWN_ROUTE
            if route != STREAMING:
                self._metrics.answered(scope["method"], route, passage.status, time.perf_counter() - began)

    async def _refuse(self, scope: HTTPScope, passage: "_Passage", error: Exception) -> None:
        if passage.status:
            return  # the answer has begun: all that is left is to end the connection
        answer = self._answer(Request(scope), error)
        body = answer.content if isinstance(answer.content, bytes) else str(answer.content).encode()
        media = answer.media_type or problems.MEDIA_TYPE
        kind = f"{media}; charset=utf-8" if media.startswith("text/") else media  # as litestar says it of pages that are well
        headers = {**answer.headers, "Content-Type": kind, "Content-Length": str(len(body))}
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": answer.status_code or problems.UnexpectedError.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        await passage.send(start)
        await passage.send({"type": "http.response.body", "body": body, "more_body": False})


class _Passage:
    """One request's receive and send: counts what comes in, adds to what goes out."""

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self._file = is_file(scope)
        # Pages read what is sent to them as a form, whatever it calls itself.
        self._form = not scope["path"].startswith(API) or any(
            name == b"content-type" and FORM in value.lower() for name, value in scope["headers"]
        )
        self._receive = receive
        self._send = send
        self._bytes = 0
        self._end = b""
        self.status = 0
        self.silent = False

    async def receive(self) -> ReceiveMessage:
        message = await self._receive()
        if message["type"] == "http.request":
            self._bytes += len(message["body"])
            self.count(self._bytes)
            if self._file:
                return message
            # With the end of the part before, since a number may be cut in two.
            body = self._end + message["body"] if self._end else message["body"]
            refuse_cards("body", as_text(body) if self._form else body)
            self._end = message["body"][-CARD_BYTES:] if message.get("more_body") else b""
        return message

    def count(self, size: int) -> None:
        """Refuse a body that is larger than any request needs."""
        most = FILE_BYTES_MAX if self._file else BODY_BYTES_MAX
        if size > most:
            raise problems.too_large(size, most)

    def audit(self, send: Send) -> None:
        """Have what is sent from now on go this way."""
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *SECURITY_HEADERS]
        elif message["type"] == "http.response.body" and self.silent:
            message = {**message, "body": b""}
        await self._send(message)


def is_file(scope: HTTPScope) -> bool:
    """Say whether a request brings a file that is sold."""
    return scope["method"] in {"PUT", "POST"} and FILES.fullmatch(scope["path"]) is not None


def _declared_bytes(scope: HTTPScope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _seconds_max(scope: HTTPScope) -> float | None:
    """Return the deadline: a reader hears soon that an engine hangs; a stream of events has no end but its client's."""
    if scope["path"] == STREAMING:
        return None
    if is_file(scope):
        return FILE_SECONDS_MAX
    if scope["method"] != "GET":
        return REQUEST_SECONDS_MAX
    return SUM_SECONDS_MAX if scope["path"] in SUMS else READ_SECONDS_MAX
