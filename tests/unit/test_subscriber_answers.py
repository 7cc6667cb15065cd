"""Subscribers that answer as none should: without end, not at all, elsewhere, packed; none of it holds anybody up."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from entrepot.base import limits
from entrepot.partners.subscriber.http import HttpSender
from entrepot.partners.subscriber.port import Answer, Message

SECRET = "whsec_b25seSBmb3IgdGVzdHM="  # noqa: S105  # nobody's
ENDLESS = b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(b"0" * 1_000_000)


@asynccontextmanager
async def answering(head: bytes, forever: bytes = b"") -> AsyncIterator[tuple[str, list[bytes]]]:
    """Give the address of a server that answers so, and then goes on for ever; and the requests that it got."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(head)
            while forever:
                writer.write(forever)
                await writer.drain()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", asked


async def told(url: str) -> Answer:
    """Send a message and return what came of it."""
    sender = HttpSender(lambda _: True)
    try:
        return await sender.send(url, SECRET, Message("1", 1, b"{}"))
    finally:
        await sender.close()


@pytest.mark.parametrize(("status", "why"), [(200, ""), (500, "0" * limits.WEBHOOK_ERROR_CHARS_MAX)])
async def test_of_an_answer_without_end_only_the_beginning_is_read(status: int, why: str) -> None:
    async with answering(ENDLESS % status, b"400\r\n" + b"0" * 1_024 + b"\r\n") as (url, _):
        assert await told(url) == Answer(status, why)


async def test_an_answer_is_not_unpacked_and_none_is_asked_for_packed() -> None:
    head = b"HTTP/1.1 500 X\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB)
    async with answering(head + BOMB) as (url, asked):
        answer = await told(url)
        assert (answer.status, len(answer.why) <= limits.WEBHOOK_ERROR_CHARS_MAX) == (500, True)
        assert "0000" not in answer.why
        assert b"accept-encoding: identity" in asked[0].lower()


async def test_a_redirect_is_told_and_not_followed() -> None:
    async with answering(b"") as (elsewhere, asked):
        head = b"HTTP/1.1 307 X\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n" % elsewhere.encode()
        async with answering(head) as (url, _):
            assert (await told(url)).status == 307
        assert asked == []


async def test_who_does_not_answer_is_not_waited_for_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEBHOOK_SECONDS_MAX", 0.1)
    async with answering(b"") as (url, asked):
        assert (await told(url)).status is None
        assert len(asked) == 1
