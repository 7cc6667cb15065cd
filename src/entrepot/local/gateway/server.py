"""The HTTP side of the sandbox gateway: a bare ASGI application. Who may ask, what is asked, what is answered.

Errors are JSON: ``{"reason": ..., "message": ...}`` with the status of the refusal.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs

import msgspec

from entrepot.base.limits import SANDBOX_BODY_BYTES_MAX, SANDBOX_HANG_SECONDS
from entrepot.local.gateway.books import Books
from entrepot.local.gateway.challenge import page
from entrepot.local.gateway.messages import Amount, Asked, Decision, Evidence, RefusedError, Subscriber
from entrepot.local.gateway.tokens import TOKENS
from entrepot.local.gateway.webhooks import Sender
from entrepot.local.gateway.writer import Writer

Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

VERSION: Final = "1"
JSON: Final = ((b"content-type", b"application/json"),)
HTML: Final = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
)
TURNED_AWAY_MAX: Final = 1_000

_encode = msgspec.json.Encoder().encode
_asked = msgspec.json.Decoder(Asked)
_amounts = msgspec.json.Decoder(Amount)
_evidence = msgspec.json.Decoder(Evidence)
_decision = msgspec.json.Decoder(Decision)
_subscriber = msgspec.json.Decoder(Subscriber)


Change: TypeAlias = Callable[[Books, str, bytes, str], object]
# What POST /v1/<area>/<name>/<verb> does; each checks all before it writes anything.
CHANGES: Final[dict[tuple[str, str], Change]] = {
    ("payments", "captures"): lambda books, name, body, key: books.capture(name, _amount(body), key),
    ("payments", "refunds"): lambda books, name, body, key: books.refund(name, _amount(body), key),
    ("payments", "void"): lambda books, name, _, __: books.void(name),
    ("payments", "disputes"): lambda books, name, body, _: books.open_dispute(name, _amount(body)),
    ("references", "close"): lambda books, name, _, __: books.close_reference(name),
    ("disputes", "evidence"): lambda books, name, body, _: books.send_evidence(name, _evidence.decode(body).evidence),
    ("disputes", "decision"): lambda books, name, body, _: books.decide(name, won=_decision.decode(body).won),
    ("payouts", ""): lambda books, _, __, ___: books.pay_out(),
    ("subscriber", ""): lambda books, _, body, __: books.subscribe(_subscriber.decode(body)),
}


class Answer(msgspec.Struct, frozen=True):
    """A status, a body and headers."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = JSON


class Gateway:
    """The ASGI application over one folder's books; ``reading`` are the same books, open once more, as last committed."""

    def __init__(self, books: Books, reading: Books, writer: Writer, sender: Sender, key: str) -> None:
        self._books, self._reading, self._writer, self._sender = books, reading, writer, sender
        self._key = f"Bearer {key}".encode()
        self._turned_away: set[str] = set()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        try:
            body = await _body(receive)
            answer = await self._answer(scope["method"], scope["path"], scope["query_string"].decode(), headers, body)
        except RefusedError as refused:
            answer = Answer(refused.status, _encode({"reason": refused.reason, "message": refused.why}))
        except msgspec.MsgspecError as error:
            answer = Answer(400, _encode({"reason": "bad_request", "message": str(error)}))
        length = (b"content-length", str(len(answer.body)).encode())
        await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})

    async def _answer(self, method: str, path: str, query: str, headers: dict[bytes, bytes], body: bytes) -> Answer:
        parts = path.strip("/").split("/")
        if parts == ["ping"]:
            return Answer(200, _encode({"version": VERSION}))
        if parts[0] == "challenge" and len(parts) == 2:  # noqa: PLR2004  # challenge/<payment id>
            return await self._challenge(method, parts[1], body)
        if not hmac.compare_digest(headers.get(b"authorization", b""), self._key):
            raise RefusedError("unauthorized", "Give the key of this sandbox as a bearer token.", 401)
        if (method, parts) == ("POST", ["v1", "payments"]):
            return await self._authorize(_asked.decode(body))
        if method == "GET":
            return Answer(200, self._read(parts, parse_qs(query)))
        if method == "POST":
            return Answer(200, await self._change(parts, headers, body))
        raise _nothing_at(path)

    async def _authorize(self, asked: Asked) -> Answer:
        behaviour = TOKENS.get(asked.token)
        if behaviour and behaviour.turned_away and asked.reference not in self._turned_away:
            if len(self._turned_away) >= TURNED_AWAY_MAX:
                self._turned_away.clear()
            self._turned_away.add(asked.reference)
            raise RefusedError("unavailable", "Down for a moment: ask again.", 503)
        if behaviour and behaviour.hangs == "before":
            await asyncio.sleep(SANDBOX_HANG_SECONDS)
            raise RefusedError("unavailable", "Too late.", 503)
        payment, fresh = await self._writer.run(lambda: self._books.authorize(asked))
        self._sender.due.set()
        if fresh and behaviour and behaviour.hangs == "after":
            await asyncio.sleep(SANDBOX_HANG_SECONDS)
        return Answer(200, _encode(payment))

    def _read(self, parts: list[str], query: dict[str, list[str]]) -> bytes:
        match parts:
            case ["v1", "references", reference]:
                payment = self._reading.find(reference)
                if payment is None:
                    raise RefusedError("unknown_reference", f"Nothing was charged under {reference}.", 404)
                return _encode(payment)
            case ["v1", "payments", payment_id]:
                return _encode(self._reading.payment(payment_id))
            case ["v1", "disputes", dispute_id]:
                return _encode(self._reading.dispute(dispute_id))
            case ["v1", "payments"]:
                payments, cursor, more = self._reading.payments(_cursor(query))
                return _encode({"payments": payments, "cursor": str(cursor), "more": more})
            case ["report"]:
                movements, cursor, more = self._reading.report(_cursor(query))
                return _encode({"movements": movements, "cursor": str(cursor), "more": more})
        raise _nothing_at("/".join(parts))

    async def _change(self, parts: list[str], headers: dict[bytes, bytes], body: bytes) -> bytes:
        area, name, verb = (*parts[1:], "", "", "")[:3]
        act = CHANGES.get((area, verb))
        if act is None:
            raise _nothing_at("/".join(parts))
        key = headers.get(b"idempotency-key", b"").decode("latin-1")
        asked = f"{'/'.join(parts)} {body.decode(errors='replace')}"

        def once() -> bytes:
            known = self._books.answered(key, asked) if key else None
            if known is None:
                known = _encode(act(self._books, name, body, key))
                if key:
                    self._books.remember(key, asked, known)
            return known

        answer = await self._writer.run(once)
        self._sender.due.set()
        return answer

    async def _challenge(self, method: str, payment_id: str, body: bytes) -> Answer:
        if method == "GET":
            return Answer(200, page(self._reading.payment(payment_id)), HTML)
        approved = parse_qs(body.decode(errors="replace")).get("answer") == ["approve"]
        payment = await self._writer.run(lambda: self._books.answer_challenge(payment_id, approved=approved))
        self._sender.due.set()
        if payment.return_url:
            return Answer(303, b"", ((b"location", payment.return_url.encode()),))
        return Answer(200, page(payment), HTML)


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > SANDBOX_BODY_BYTES_MAX:
            raise RefusedError("too_large", "The body is too large.", 413)
        if not message.get("more_body"):
            return body


def _amount(body: bytes) -> int:
    return _amounts.decode(body).amount_minor


def _cursor(query: dict[str, list[str]]) -> int:
    text = query.get("cursor", ["0"])[0]
    if not text.isdecimal():
        raise RefusedError("bad_cursor", f"{text[:40]!r} is no cursor.", 400)
    return int(text)


def _nothing_at(path: str) -> RefusedError:
    return RefusedError("not_found", f"There is nothing at {path[:200]}.", 404)
