"""What a value looks like in every form that it may have been written in, and the search for hundreds at once. Pure."""

import base64
import html
import json
import quopri
import unicodedata
from collections.abc import Iterator, Sequence
from urllib.parse import quote, quote_plus
from uuid import UUID

from ahocorasick_rs import BytesAhoCorasick
from msgspec import Struct

ID_FORM = "id"

# What is shorter is found everywhere.
NEEDLE_CHARS_MIN = 5
PHONE_DIGITS_MIN = 7


class Match(Struct, frozen=True, order=True):
    """Which of the values was found, counted from 1, and in which form; never the value."""

    value: int
    form: str


class Needles:
    """The forms of some values, and the ids of some subjects, made ready to be searched for."""

    # Whether columns that hold no text need not be looked at.
    text_only = False

    def __init__(self, values: Sequence[str], subjects: Sequence[UUID] = ()) -> None:
        made: dict[bytes, Match] = {}
        for number, value in enumerate(values, 1):
            for form, data in forms(value):
                made.setdefault(data.lower(), Match(number, form))
        for number, subject in enumerate(subjects, 1):
            for data in (str(subject).encode(), subject.hex.encode(), subject.bytes):
                made.setdefault(data.lower(), Match(number, ID_FORM))
        self._matches = list(made.values())
        self._found = BytesAhoCorasick(list(made)) if made else None
        # What a reading in pieces keeps of the last one, so that nothing is missed between two.
        self.longest = max(map(len, made), default=0)

    def look(self, data: bytes) -> set[Match]:
        """Return what is found: letters of either case count, those of base64 too."""
        if self._found is None:
            return set()
        return {self._matches[which] for which, _, _ in self._found.find_matches_as_indexes(data.lower())}


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """Yield the forms of a value with their names."""
    digits = "".join(sign for sign in value if sign.isdecimal())
    if len(digits) >= PHONE_DIGITS_MIN and all(sign.isdecimal() or sign in " +()-/." for sign in value):
        yield "digits", digits.encode()
    for spelled in dict.fromkeys(_spellings(value)):
        data = spelled.encode()
        yield "plain", data
        yield "JSON", json.dumps(spelled)[1:-1].encode()
        yield "HTML", html.escape(spelled).encode()
        for quoted in (quote(spelled), quote(spelled, safe=""), quote_plus(spelled)):
            yield "URL", quoted.encode()
        yield "quoted-printable", quopri.encodestring(data).strip()
        yield "UTF-16", spelled.encode("utf-16-le")
        yield "UTF-16", spelled.encode("utf-16-be")
        yield "hexadecimal", data.hex().encode()
        yield from _base64(data)


def _spellings(value: str) -> Iterator[str]:
    for normal in (unicodedata.normalize("NFC", value), unicodedata.normalize("NFD", value)):
        yield from (normal, normal.lower(), normal.upper(), normal.casefold())


def _base64(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what is sure to be there wherever in a longer text the value begins: its ends may mix with others."""
    for before in range(3):
        coded = base64.b64encode(bytes(before) + data)
        start = -(-before * 8 // 6)
        end = (before + len(data)) * 8 // 6
        sure = coded[start:end]
        if len(sure) >= NEEDLE_CHARS_MIN:
            yield "base64", sure
            yield "base64", sure.translate(bytes.maketrans(b"+/", b"-_"))
