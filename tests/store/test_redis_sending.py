"""What is asked of a real Redis ends when it is cancelled, also when the answer comes at that moment."""

import asyncio

from redis.asyncio import Redis as Client

from entrepot.engines.redis_connection import connect

CANCELLED = 800
TURNS_MAX = 20  # of the loop: a command takes a few, and in some of them its cancellation was forgotten
ASKED = 100  # takes more turns than those
SECONDS_MAX = 5.0


async def ask_often(client: Client, asked: asyncio.Event) -> None:
    for _ in range(ASKED):
        await client.get("nothing")
        asked.set()


async def until_turned(times: int) -> None:
    """Let the loop turn so many times."""
    for _ in range(times):
        await asyncio.sleep(0)


async def cancelled(client: Client, turns: int) -> bool:
    """Cancel who asks, so many turns after an answer; say whether that ended it (and not that it had no more to ask)."""
    asked = asyncio.Event()
    asking = asyncio.create_task(ask_often(client, asked))
    await asked.wait()
    await until_turned(turns)
    asking.cancel()
    await asyncio.wait([asking])
    return asking.cancelled()


async def test_no_cancellation_is_forgotten_whenever_it_comes(memory_url: str) -> None:
    client = connect(memory_url, seconds_max=SECONDS_MAX)
    assert sum([await cancelled(client, number % TURNS_MAX) for number in range(CANCELLED)]) == CANCELLED
    await client.aclose()
