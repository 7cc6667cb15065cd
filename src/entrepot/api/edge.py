"""The edge of the house: every request passes here. Sets limits of size and time, adds the headers of security, counts.

Knows nothing of routes: what is beyond is any ASGI application.
"""

import asyncio
import time

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, HTTPScope, Message, Receive, ReceiveMessage, Scope, Send

from entrepot.api import problems
from entrepot.api.metrics import Metrics
from entrepot.base.errors import EntrepotError
from entrepot.base.ids import IdSource
from entrepot.base.limits import BODY_BYTES_MAX, REQUEST_SECONDS_MAX

# Scripts, styles, pictures and connections from this host only, none of them inline; nobody frames us.
SECURITY_HEADERS: list[tuple[bytes, bytes]] = [
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            b"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
]

STREAMING = "/v1/events/stream"
UNKNOWN_ROUTE = "(none)"


class Edge:
    """An ASGI application around another."""

    def __init__(self, inside: ASGIApp, metrics: Metrics) -> None:
        self._inside = inside
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here when a limit is passed."""
        if scope["type"] != ScopeType.HTTP:
            await self._inside(scope, receive, send)
            return
        passage = _Passage(receive, send)
        began = time.perf_counter()
        try:
            passage.count(_declared_bytes(scope))
            # A stream of events has no end, so it has no deadline either; it ends with its client.
            async with asyncio.timeout(None if scope["path"] == STREAMING else REQUEST_SECONDS_MAX):
                await self._inside(scope, passage.receive, passage.send)
        except EntrepotError as error:
            await _refuse(passage, error)
        except TimeoutError:
            await _refuse(
                passage, problems.TooSlowError(f"The answer took longer than {REQUEST_SECONDS_MAX:.0f} s: try again.")
            )
        except Exception as error:  # noqa: BLE001  # the last place: the caller gets a sentence, the log gets the rest
            await _refuse(passage, problems.unforeseen(error, scope["path"], IdSource()))
        finally:
            route = scope.get("path_template") or UNKNOWN_ROUTE
            if route != STREAMING:
                self._metrics.answered(scope["method"], route, passage.status, time.perf_counter() - began)


class _Passage:
    """One request's receive and send: counts what comes in, adds to what goes out."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._bytes = 0
        self.status = 0

    async def receive(self) -> ReceiveMessage:
        message = await self._receive()
        if message["type"] == "http.request":
            self._bytes += len(message["body"])
            self.count(self._bytes)
        return message

    def count(self, size: int) -> None:
        """Refuse a body that is larger than any request needs."""
        if size > BODY_BYTES_MAX:
            raise problems.too_large(size)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *SECURITY_HEADERS]
        await self._send(message)


def _declared_bytes(scope: HTTPScope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


async def _refuse(passage: _Passage, error: EntrepotError) -> None:
    if passage.status:
        return  # the answer has begun: all that is left is to end the connection
    problem = problems.of(error)
    body = problem.json()
    headers = {"Content-Type": problems.MEDIA_TYPE, "Content-Length": str(len(body)), **problem.headers()}
    start: HTTPResponseStartEvent = {
        "type": "http.response.start",
        "status": problem.status,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    await passage.send(start)
    await passage.send({"type": "http.response.body", "body": body, "more_body": False})
