"""Sends what is asked of a Redis at the same time as one pipeline: a small command costs both sides most by its packet.

One pipeline is under way at a time, and what is asked meanwhile gathers for the next: the busier, the larger. A lone command
waits for nobody.
"""

import asyncio
from typing import TypeAlias

from redis.asyncio import Redis

Command: TypeAlias = tuple[str | bytes | int | float, ...]

# Of a longer queue the rest takes the next one: a pipeline's answers all lie in memory at once.
COMMANDS_MAX = 256


class Together:
    """One client's commands, each with its own answer or its own error; none may depend on another's coming before."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._queue: list[tuple[Command, asyncio.Future[object]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def ask(self, *command: str | bytes | float) -> object:
        """Return the answer to a command, or raise its error."""
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._queue.append((command, answer))
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send())
        return await answer

    async def _send(self) -> None:
        """Send until nothing waits. When nothing can be sent, all who wait hear why: to try for each would only take longer."""
        try:
            while self._queue:
                batch, self._queue = self._queue[:COMMANDS_MAX], self._queue[COMMANDS_MAX:]
                try:
                    found = await self._answers([command for command, _ in batch])
                except Exception as error:  # noqa: BLE001  # it is told to everyone who waits
                    _tell([*batch, *self._queue], [error] * (len(batch) + len(self._queue)))
                    self._queue.clear()
                else:
                    _tell(batch, found)
                if self._queue:
                    await asyncio.sleep(0)  # whoever is about to ask still comes along
        finally:
            self._sending = None

    async def _answers(self, commands: list[Command]) -> list[object]:
        if len(commands) == 1:  # half as dear by itself as in a pipeline of one
            return [await self._redis.execute_command(*commands[0])]  # type: ignore[no-untyped-call]  # the client leaves it so
        async with self._redis.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return await pipe.execute(raise_on_error=False)


def _tell(batch: list[tuple[Command, "asyncio.Future[object]"]], found: list[object]) -> None:
    for (_, answer), one in zip(batch, found, strict=True):
        if answer.done():  # whoever asked has gone
            continue
        if isinstance(one, Exception):
            answer.set_exception(one)
        else:
            answer.set_result(one)
