"""Verifications under way: each runs beside the requests, since it may take longer than a caller waits."""

import asyncio
from collections.abc import Mapping

from entrepot.base.ending import ended
from entrepot.base.errors import ConflictError, EntrepotError
from entrepot.log.projector import Subscription
from entrepot.verify.verify import Verifier


class Verifying:
    """Starts verifications, one at a time for each projection; ``checked`` counts, ``failed`` says why one ended."""

    def __init__(self, verifier: Verifier, subscriptions: Mapping[str, Subscription]) -> None:
        self._verifier, self._subscriptions = verifier, subscriptions
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.checked: dict[str, int] = {}
        self.failed: dict[str, str] = {}

    def start(self, name: str) -> None:
        """Begin to compare a projection with the truth; its result is noted in the record."""
        if name in self._tasks:
            raise ConflictError(f"{name} is being verified already: wait until it is done.", projection=name)
        self.checked[name] = 0
        self.failed.pop(name, None)
        self._tasks[name] = asyncio.get_running_loop().create_task(self._run(name))

    async def close(self) -> None:
        """Stop what is under way."""
        await ended(*self._tasks.values())

    async def _run(self, name: str) -> None:
        subscription = self._subscriptions[name]

        def seen(items: int) -> None:
            self.checked[name] = items

        try:
            await self._verifier.verify(subscription.projection, subscription.store, seen=seen)
        except EntrepotError as error:
            self.failed[name] = str(error)
        finally:
            del self._tasks[name], self.checked[name]
