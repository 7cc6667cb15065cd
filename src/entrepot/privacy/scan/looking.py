"""The search of one source: pieces come in, findings come out, with how much was looked at."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from entrepot.privacy.scan.needles import ID_FORM, Match, Needles


class Finding(Struct, frozen=True, order=True):
    """Where something was found, which value (counted from 1) and in which form."""

    place: str
    value: int
    form: str


class Looked(Struct, frozen=True):
    """A source that was searched: how many places in it, how many bytes, and what was found."""

    source: str
    places: int
    bytes: int
    findings: list[Finding]


class Looking:
    """Collects what a source gives; ``ids``: a subject's id must not be in it either."""

    def __init__(self, source: str, needles: Needles, *, ids: bool) -> None:
        self.source, self._needles, self._ids = source, needles, ids
        self._places = self._bytes = 0
        self._found: set[Finding] = set()

    def look(self, place: str, data: bytes) -> None:
        """Search one whole place."""
        self._places += 1
        self._search(place, data)
        self._bytes += len(data)

    def pieces(self, place: str) -> Callable[[bytes], None]:
        """Return what takes a place piece by piece."""
        self._places += 1
        tail = b""

        def piece(data: bytes) -> None:
            nonlocal tail
            self._search(place, tail + data)
            self._bytes += len(data)
            tail = (tail + data)[-self._needles.longest :]

        return piece

    def unread(self, place: str) -> None:
        """Note a place that may not be read: what was not searched is not clean."""
        self._found.add(Finding(place, 0, "unread"))

    def end(self) -> Looked:
        """Return what was looked at and found."""
        return Looked(self.source, self._places, self._bytes, sorted(self._found))

    def _search(self, place: str, data: bytes) -> None:
        self._note(place, self._needles.look(data))

    def _note(self, place: str, matches: Iterable[Match]) -> None:
        self._found.update(Finding(place, one.value, one.form) for one in matches if self._ids or one.form != ID_FORM)
