"""A cache in Redis: entries that expire. It keeps nothing for good."""

from collections.abc import Mapping

from entrepot.base.limits import CACHE_SECONDS_MAX
from entrepot.engines import answering
from entrepot.engines.redis_connection import AWAY, connect

ROLE = "memory"


class RedisCache:
    """``Cache`` on a Redis; its names begin with ``cache:``, so that nothing else on the server is touched."""

    def __init__(self, url: str) -> None:
        self._redis = connect(url, seconds_max=CACHE_SECONDS_MAX)

    async def open(self) -> None:
        """Make sure that Redis answers."""
        with answering(ROLE, *AWAY):
            await self._redis.ping()

    async def close(self) -> None:
        """Give every connection back."""
        await self._redis.aclose()

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

    async def add(self, amounts: Mapping[str, int], seconds: float) -> dict[str, int]:
        """Add these amounts to what is counted under these names, kept for so long from now on; returns the sums."""
        with answering(ROLE, *AWAY):
            async with self._redis.pipeline(transaction=False) as pipe:
                for name, amount in amounts.items():
                    pipe.incrby(_entry(name), amount)
                    pipe.pexpire(_entry(name), int(seconds * 1000))
                answers = await pipe.execute()
        return dict(zip(amounts, map(int, answers[::2]), strict=True))

    async def forget(self, *names: str) -> None:
        """Keep nothing under these names any more."""
        with answering(ROLE, *AWAY):
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.execute_command("UNLINK", _entry(name))  # a cluster's pipe.unlink is a coroutine that sends nothing
                await pipe.execute()


def _entry(name: str) -> str:
    return f"cache:{name}"
