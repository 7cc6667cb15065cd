"""Sends webhooks as real gateways do at their worst: each twice, newest first and then oldest first, again until taken."""

import asyncio
import hashlib
import hmac
import time

import aiohttp
import structlog

from entrepot.base.limits import GATEWAY_SECONDS_MAX, SANDBOX_WEBHOOK_BACKOFF_SECONDS_MAX, SANDBOX_WEBHOOK_TRIES_MAX
from entrepot.local.gateway.books import SENDINGS, Books
from entrepot.local.gateway.writer import Writer

log = structlog.get_logger()

TAKEN = range(200, 300)
NEVER = float("inf")


def secret_of(key: str) -> bytes:
    """Return what webhooks are signed with: it follows from the merchant's key, so that the two are told together."""
    return hmac.digest(key.encode(), b"webhooks", "sha256")


def signature(secret: bytes, seconds: int, body: bytes) -> str:
    """Return the signature header: the time, and HMAC-SHA256 over ``<time>.<raw body>``."""
    return f"t={seconds},v1={hmac.new(secret, b'%d.%s' % (seconds, body), hashlib.sha256).hexdigest()}"


class Sender:
    """Sends what waits in the books until it is stopped."""

    def __init__(self, books: Books, writer: Writer, key: str) -> None:
        self._books, self._writer, self._secret = books, writer, secret_of(key)
        self.due = asyncio.Event()

    async def run(self) -> None:
        """Send for ever; wakes when something happened, and now and then for what was not taken."""
        timeout = aiohttp.ClientTimeout(total=GATEWAY_SECONDS_MAX)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                try:
                    async with asyncio.timeout(1.0):
                        await self.due.wait()
                except TimeoutError:
                    pass
                self.due.clear()
                while waiting := await self._writer.run(lambda: self._books.unsent(time.time())):
                    await self._round(session, waiting)

    async def _round(self, session: aiohttp.ClientSession, waiting: list[tuple[int, bytes, int, int]]) -> None:
        """Try each webhook once; what was never sent goes newest first, what comes again oldest first."""
        marks = []
        for number, body, sent, tries in sorted(waiting, key=lambda one: (one[2], one[0] if one[2] else -one[0])):
            taken = await self._send(session, body)
            given_up = tries + 1 >= SANDBOX_WEBHOOK_TRIES_MAX
            rest = 0.0 if taken else NEVER if given_up else min(0.25 * 2**tries, SANDBOX_WEBHOOK_BACKOFF_SECONDS_MAX)
            marks.append(
                (number, sent + 1 if taken else SENDINGS if given_up else sent, 0 if taken else tries + 1, time.time() + rest)
            )
        await self._writer.run(lambda: self._books.mark(marks))

    async def _send(self, session: aiohttp.ClientSession, body: bytes) -> bool:
        headers = {
            "Content-Type": "application/json",
            "Sandbox-Signature": signature(self._secret, int(time.time()), body),
        }
        try:
            async with session.post(self._books.subscriber.url, data=body, headers=headers) as answer:
                return answer.status in TAKEN
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.info("webhook.not_taken", why=type(error).__name__)
            return False
