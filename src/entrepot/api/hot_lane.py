"""The hot lane: answers the busiest requests without the framework, whose cost would be most of theirs.

Pages that the cache holds, orders, and what shoppers look at. Whatever is not plain (a page that must be fetched, a read
that asks for freshness) goes on to the routes behind, which mean the same: ``products.py``, ``orders.py`` and ``collect.py``.
"""

import asyncio
import time
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from entrepot.access import policies
from entrepot.access.policies import Asked
from entrepot.api import problems
from entrepot.api.auditing import REQUEST, Notes, actor_of, problem_of
from entrepot.api.body import Reader
from entrepot.api.cards import refuse_cards
from entrepot.api.collect import COLLECT
from entrepot.api.edge import SECURITY_HEADERS, Identification, nobody
from entrepot.api.headers import required
from entrepot.api.orders import answer_to, placed_headers
from entrepot.api.page_cache import CachedPage, etag_of
from entrepot.api.parts import Parts
from entrepot.api.place import header
from entrepot.api.principal import KEY, who_asks
from entrepot.api.products import CACHE_CONTROL, join, parse_ids
from entrepot.base.errors import EntrepotError
from entrepot.base.limits import BODY_BYTES_MAX, REQUEST_SECONDS_MAX
from entrepot.commerce.checkout.requests import OrderRequest
from entrepot.record.cause import Cause

PRODUCTS = "/v1/products"
ORDERS = "/v1/orders"
ACCEPTED = 202

_PAGE_CHARS = len(PRODUCTS) + 1 + 36
_PAGE_HEADERS: list[tuple[bytes, bytes]] = [
    (b"content-type", b"application/json"),
    (b"cache-control", CACHE_CONTROL.encode()),
    *SECURITY_HEADERS,
]
_JSON_HEADERS: list[tuple[bytes, bytes]] = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    *SECURITY_HEADERS,
]


class HotLane:
    """An ASGI application in front of another."""

    def __init__(self, inside: ASGIApp, parts: Parts, notes: Notes, identify: Identification = nobody) -> None:
        self._inside, self._parts, self._notes, self._identify = inside, parts, notes, identify
        self._orders = Reader(OrderRequest)
        self._encode = msgspec.json.Encoder().encode

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is hot, hand on the rest."""
        if scope["type"] == ScopeType.HTTP:
            path, method = scope["path"], scope["method"]
            if method == "GET" and path.startswith(PRODUCTS) and await self._read(scope, path, send):
                return
            if method == "POST" and path == ORDERS:
                await self._order(scope, receive, send)
                return
            if method == "POST" and path == COLLECT:
                await self._collect(scope, receive, send)
                return
        await self._inside(scope, receive, send)

    async def _read(self, scope: HTTPScope, path: str, send: Send) -> bool:
        began = time.perf_counter()
        known = b""
        for name, value in scope["headers"]:
            if name == b"entrepot-at-least":
                return False
            if name == b"if-none-match":
                known = value
        if len(path) == _PAGE_CHARS:
            page = self._page(path)
            if page is None:
                return False
            body, etag, route = page.body, page.etag.encode(), "/v1/products/{product_id}"
        elif path == PRODUCTS and scope["query_string"].startswith(b"ids="):
            pages = self._pages(scope["query_string"])
            if pages is None:
                return False
            body, route = join([page.body for page in pages]), PRODUCTS
            etag = etag_of(body).encode()
        else:
            return False
        same = etag in known
        if same:
            body = b""
        headers = [(b"etag", etag), (b"content-length", str(len(body)).encode()), *_PAGE_HEADERS]
        await send({"type": "http.response.start", "status": 304 if same else 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self._parts.metrics.answered("GET", route, 304 if same else 200, time.perf_counter() - began)
        return True

    def _page(self, path: str) -> CachedPage | None:
        try:
            return self._parts.pages.found(UUID(path[len(PRODUCTS) + 1 :]))
        except (ValueError, EntrepotError):
            return None  # the route behind says what is wrong

    def _pages(self, query: bytes) -> list[CachedPage] | None:
        try:
            ids = parse_ids(",".join(parse_qs(query.decode())["ids"]))
            found = [page for product_id in ids if (page := self._parts.pages.found(product_id))]
        except (ValueError, KeyError, EntrepotError):
            return None
        return found if len(found) == len(ids) else None

    async def _order(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        cause, made = Cause(self._parts.record.ids.fresh()), ""
        try:
            refuse_cards("headers", header(scope, KEY))
            self._notes.tell(scope, cause)
            async with asyncio.timeout(REQUEST_SECONDS_MAX):
                await self._identify(scope)
                policies.check(Asked(who=who_asks(scope), permission="orders.place"))
                request = self._orders.read(await _body(receive))
                cause.subject, cause.actor = request.customer_id, actor_of(scope)
                key = header(scope, KEY).decode("latin-1")
                placed = await self._parts.gatherer.place(required(key), request, cause)
            status, body, headers, made = 201, self._encode(answer_to(placed)), placed_headers(placed), str(placed.order_id)
        except EntrepotError as error:
            status, body, headers = _refusal(error)
        except TimeoutError:
            slow = problems.TooSlowError("The order was not placed in time: send it again with the same key.")
            status, body, headers = _refusal(slow)
        except _GoneError:
            return
        except Exception as error:  # noqa: BLE001  # the last place: the caller gets a sentence, the log gets the rest
            status, body, headers = _refusal(problems.unforeseen(error, ORDERS, self._parts.record.ids))
        try:
            if not cause.noted:
                problem = "" if made else problem_of(body)
                await self._notes.write(scope, cause, "command", f"POST {ORDERS}", status, made, problem)
        except EntrepotError as error:
            status, body, headers = _refusal(error)
        headers[REQUEST] = str(cause.id)
        lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        lines.append((b"content-length", str(len(body)).encode()))
        lines += _JSON_HEADERS if status < problems.REFUSED else SECURITY_HEADERS
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self._parts.metrics.answered("POST", ORDERS, status, time.perf_counter() - began)

    async def _collect(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Take in what shoppers looked at. It changes nothing of the business: the audit has no entry of it."""
        began = time.perf_counter()
        headers: dict[str, str] = {}
        try:
            async with asyncio.timeout(REQUEST_SECONDS_MAX):
                await self._identify(scope)
                policies.check(Asked(who=who_asks(scope), permission="behaviour.tell"))
                collected = await self._parts.behaviour.collect(who_asks(scope), await _body(receive))
            status, body = ACCEPTED, self._encode(collected)
        except EntrepotError as error:
            status, body, headers = _refusal(error)
        except TimeoutError:
            status, body, headers = _refusal(problems.TooSlowError("The events were not kept in time: send them again."))
        except _GoneError:
            return
        except Exception as error:  # noqa: BLE001  # the last place: the caller gets a sentence, the log gets the rest
            status, body, headers = _refusal(problems.unforeseen(error, COLLECT, self._parts.record.ids))
        lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        lines.append((b"content-length", str(len(body)).encode()))
        lines += _JSON_HEADERS if status < problems.REFUSED else SECURITY_HEADERS
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self._parts.metrics.answered("POST", COLLECT, status, time.perf_counter() - began)


class _GoneError(Exception):
    """The client went away before its request was whole."""


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _GoneError
        parts.append(message["body"])
        size += len(message["body"])
        if size > BODY_BYTES_MAX:
            raise problems.too_large(size)
        if not message.get("more_body"):
            body = parts[0] if len(parts) == 1 else b"".join(parts)
            refuse_cards("body", body)
            return body


def _refusal(error: EntrepotError) -> tuple[int, bytes, dict[str, str]]:
    problem = problems.of(error)
    return problem.status, problem.json(), {"Content-Type": problems.MEDIA_TYPE, **problem.headers()}
