"""A load that comes at a given rate, whatever is answered: what is late because others were slow counts as slow.

Each answer is looked at by who asked; connections are kept, as those of a browser or of a proxy are.
"""

import asyncio
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct, field

CONNECTIONS = 32

Request = Callable[[int], bytes]
Look = Callable[[int, bytes], str]


class Seen(Struct):
    """What came, by phase: answers by what was seen in them, and the milliseconds each took since it was due."""

    phase: str = ""
    answers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    millis: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def count(self, what: str) -> int:
        """Return how many answers of all phases were this."""
        return sum(answers[what] for answers in self.answers.values())

    def percentile(self, phase: str, percent: float) -> float:
        """Return the milliseconds within which this percentage of a phase's answers came."""
        found = sorted(self.millis[phase])
        return found[min(len(found) - 1, int(len(found) * percent / 100))]


class Pace:
    """Asks ``per_second`` requests, the n-th being ``request(n)``, until it is told to end; ``look`` names what came."""

    def __init__(self, at: tuple[str, int], per_second: float, request: Request, look: Look) -> None:
        self._at, self._per_second, self._request, self._look = at, per_second, request, look
        self._numbers = itertools.count()
        self._over = asyncio.Event()
        self.seen = Seen()

    def end(self) -> None:
        """Ask no more; what was asked is answered, and counts."""
        self._over.set()

    async def run(self) -> None:
        """Ask until the end."""
        self._began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CONNECTIONS):
                tasks.create_task(self._connection())

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection(*self._at)
        try:
            while not self._over.is_set():
                number = next(self._numbers)
                due = self._began + number / self._per_second
                if not await self._until_due(due):
                    return
                writer.write(self._request(number))
                status, body = await _answer(reader)
                self.seen.answers[self.seen.phase][self._look(status, body)] += 1
                self.seen.millis[self.seen.phase].append((time.perf_counter() - due) * 1000)
        finally:
            writer.close()

    async def _until_due(self, due: float) -> bool:
        """Wait until a request is due; say whether it still is wanted then."""
        if (left := due - time.perf_counter()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._over.wait()
        return not self._over.is_set()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, found, rest = head.partition(b"content-length: ")
    length = int(rest.partition(b"\r\n")[0]) if found else 0
    return int(head[9:12]), await reader.readexactly(length)
