"""A cache in Redis: entries that expire, and messages that reach whoever listens now. It keeps nothing for good."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio.client import PubSub

from entrepot.base.limits import CACHE_SECONDS_MAX
from entrepot.engines import answering
from entrepot.engines.redis_connection import AWAY, connect

ROLE = "memory"


class RedisCache:
    """``Cache`` on a Redis; its names begin with ``cache:``, so that nothing else on the server is touched."""

    def __init__(self, url: str) -> None:
        self._redis = connect(url, seconds_max=CACHE_SECONDS_MAX)
        self._listening = connect(url, seconds_max=CACHE_SECONDS_MAX, tries=1)  # a second try would hide what was missed

    async def open(self) -> None:
        """Make sure that Redis answers."""
        with answering(ROLE, *AWAY):
            await self._redis.ping()

    async def close(self) -> None:
        """Give every connection back."""
        await self._redis.aclose()
        await self._listening.aclose()

    async def get(self, *names: str) -> list[bytes | None]:
        """Return what is kept under each of these names, or None."""
        with answering(ROLE, *AWAY):
            async with self._redis.pipeline(transaction=False) as pipe:  # on a cluster MGET is refused, a pipeline is not
                for name in names:
                    pipe.get(_entry(name))
                return list(await pipe.execute())

    async def keep(self, name: str, value: bytes, seconds: float) -> None:
        """Keep the value under this name for so long."""
        with answering(ROLE, *AWAY):
            await self._redis.set(_entry(name), value, px=int(seconds * 1000))

    async def claim(self, name: str, seconds: float) -> bool:
        """Take this name for so long, unless it is taken; says whether it was free."""
        with answering(ROLE, *AWAY):
            return bool(await self._redis.set(_entry(name), b"", px=int(seconds * 1000), nx=True))

    async def forget(self, *names: str) -> None:
        """Keep nothing under these names any more."""
        with answering(ROLE, *AWAY):
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.unlink(_entry(name))
                await pipe.execute()

    async def tell(self, channel: str, message: bytes) -> None:
        """Send the message to everybody who listens to the channel at this moment."""
        with answering(ROLE, *AWAY):
            await self._redis.publish(_entry(channel), message)

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give every message sent from the moment of entering; raises when the connection breaks, since some may be missed."""
        async with self._listening.pubsub() as subscription:
            with answering(ROLE, *AWAY):
                await subscription.subscribe(_entry(channel))
                if await subscription.get_message(timeout=CACHE_SECONDS_MAX) is None:
                    raise TimeoutError("no answer to SUBSCRIBE")
            yield _messages(subscription)


async def _messages(subscription: PubSub) -> AsyncIterator[bytes]:
    while True:
        with answering(ROLE, *AWAY):
            # Without a bound: a listener may well hear nothing for hours.
            message = await subscription.get_message(ignore_subscribe_messages=True, timeout=None)
        if message is not None:
            yield message["data"]


def _entry(name: str) -> str:
    return f"cache:{name}"
