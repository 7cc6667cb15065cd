"""How fast history is replayed: as fast as it goes, so many documents a second, or a multiple of the time it took."""

import asyncio
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from entrepot.base.errors import BadInputError
from entrepot.base.time import millis_of
from entrepot.importing.documents import Document

_SLICES_PER_SECOND = 10
_SPEED = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(x?)")


class Pace(Struct, frozen=True):
    """``per_second`` documents, or ``times`` the real time; both zero: no waiting."""

    per_second: float = 0.0
    times: float = 0.0


def parse_pace(text: str) -> Pace:
    """Read a speed: ``0`` as fast as possible, ``200`` documents a second, ``3600x`` times as fast as it really went."""
    found = _SPEED.fullmatch(text.strip())
    if not found:
        raise BadInputError(f"{text!r} is no speed: use 0 (as fast as possible), 200 (a second) or 3600x (times real time).")
    value = float(found[1])
    return Pace(times=value) if found[2] else Pace(per_second=value)


class Metronome:
    """Lets documents through at a pace, and makes up for what it was late."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._begun: float | None = None
        self._first_millis = 0
        self._passed = 0

    def slices(self, documents: Sequence[Document]) -> Iterator[Sequence[Document]]:
        """Yield the documents as they are to be written together: all at once when there is no waiting."""
        if self._pace == Pace() or not documents:
            yield documents
        elif self._pace.per_second:
            size = max(1, int(self._pace.per_second / _SLICES_PER_SECOND))
            for start in range(0, len(documents), size):
                yield documents[start : start + size]
        else:
            together: list[Document] = []
            span = self._pace.times * 1000 / _SLICES_PER_SECOND
            for document in sorted(documents, key=lambda each: each.at):
                if together and millis_of(document.at) - millis_of(together[0].at) > span:
                    yield together
                    together = []
                together.append(document)
            yield together

    async def wait(self, documents: Sequence[Document]) -> None:
        """Wait until it is these documents' turn."""
        if self._pace == Pace() or not documents:
            return
        now = asyncio.get_running_loop().time()
        millis = millis_of(documents[0].at)
        if self._begun is None:
            self._begun, self._first_millis = now, millis
        if self._pace.per_second:
            due = self._begun + self._passed / self._pace.per_second
        else:
            due = self._begun + (millis - self._first_millis) / 1000 / self._pace.times
        self._passed += len(documents)
        await asyncio.sleep(max(0.0, due - now))
