"""Storefronts of the operator's own that speak to the API from a browser, on other hosts than ours (CORS, Fetch Standard 3.2).

What one of them sends is taken as a program's: by its token or in nobody's name, never by a cookie of ours. So nothing
that the rule against other sites' pages keeps out comes in by this door, and no answer needs ``Allow-Credentials``.
"""

from collections.abc import Collection

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from entrepot.api.auditing import REQUEST
from entrepot.api.carts import SEEN
from entrepot.api.edge import API
from entrepot.api.headers import AT_LEAST, KEY, POSITION
from entrepot.api.place import WHY, header

_SENT = ("Authorization", "Content-Type", "If-None-Match", KEY, AT_LEAST, SEEN, WHY.decode())
_TOLD = ("ETag", "Location", "Retry-After", "Content-Disposition", POSITION, REQUEST)
_ASKS = b"access-control-request-method"
_OF_A_BROWSER = {b"cookie", b"origin", b"sec-fetch-site"}
_MOMENTS = b"7200"  # seconds; browsers remember for no longer what they were told

_PREFLIGHT: list[tuple[bytes, bytes]] = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", ", ".join(_SENT).encode()),
    (b"access-control-max-age", _MOMENTS),
]
_ANSWER: list[tuple[bytes, bytes]] = [(b"access-control-expose-headers", ", ".join(_TOLD).encode())]


class Storefronts:
    """An ASGI application around another, for pages of these origins (such as ``https://shop.example``)."""

    def __init__(self, inside: ASGIApp, origins: Collection[str]) -> None:
        self._inside = inside
        self._origins = {origin.lower().encode() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a storefront's request in as a program's, and let the page read the answer; nobody else notices anything."""
        if scope["type"] != ScopeType.HTTP or not scope["path"].startswith(API):
            await self._inside(scope, receive, send)
            return
        origin = header(scope, b"origin")
        known = origin.lower() in self._origins
        # What a cache keeps for one page is not for another: also where no storefront asks.
        more = [(b"vary", b"origin"), *([(b"access-control-allow-origin", origin)] if known else [])]
        if known and scope["method"] == "OPTIONS" and header(scope, _ASKS):
            await send({"type": "http.response.start", "status": 204, "headers": [*more, *_PREFLIGHT]})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *more, *(_ANSWER if known else [])]
            await send(message)

        if known:
            headers = [(name, value) for name, value in scope["headers"] if name not in _OF_A_BROWSER]
            scope = {**scope, "headers": headers}
        await self._inside(scope, receive, told)
