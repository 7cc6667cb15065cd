"""What may be taken and in which form it is kept: pure decisions."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from entrepot.base.ids import uuid7_at
from entrepot.behaviour.events import Behaviour, EventRefused, Kept

# By the purpose under which somebody agrees to it (``PUT /v1/me/consents/analytics``).
PURPOSE = "analytics"

HOUR_MILLIS = 3_600_000
# What waited in a browser without a connection may come so late; a clock may be so far ahead.
LATE_MILLIS, EARLY_MILLIS = 7 * 24 * HOUR_MILLIS, 5 * 60_000
REFUSALS_TOLD_MAX = 20

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "page": ("page",),
    "view": ("product_id",),
    "search": ("results",),
    "click": ("product_id",),
    "cart": ("product_id",),
    "checkout": (),
    "order": ("order_id",),
}
_UUID_7 = 7
_DIGITS = re.compile(r"\d[\d\s()./+-]{5,}\d")
_SPACES = re.compile(r"\s+")


class Sorted(Struct, frozen=True):
    """What of a batch can be kept, and what is refused."""

    kept: list[Kept]
    refused: list[EventRefused]


def sort_out(events: Iterable[tuple[int, Behaviour]], who: str, mask: bytes, now: int) -> Sorted:
    """Return the rows of what can be kept, for who it is (empty: nobody that is known), and what is refused."""
    kept: list[Kept] = []
    refused: list[EventRefused] = []
    for number, event in events:
        if why := why_not(event, now):
            refused.append(EventRefused(event=number, why=why))
        else:
            kept.append(row(event, who, mask))
    return Sorted(kept, refused)


def why_not(event: Behaviour, now: int) -> str:
    """Say why an event cannot be kept; nothing of one that can."""
    number = event.id.int
    if number >> 76 & 0xF != _UUID_7:
        return f"id is {event.id}, which is no UUIDv7: make one, it says when something was done."
    millis = number >> 80
    if millis > now + EARLY_MILLIS:
        return f"id is {event.id}, of a moment {(millis - now) // 1000} s ahead of ours: set the clock that made it."
    if millis < now - LATE_MILLIS:
        return f"id is {event.id}, of more than {LATE_MILLIS // (24 * HOUR_MILLIS)} days ago: too late to count."
    for name in _NEEDS[event.kind]:
        if getattr(event, name) in {None, ""}:
            return f"A {event.kind} needs {name}: give it."
    return ""


def row(event: Behaviour, who: str, mask: bytes) -> Kept:
    """Return an event as it is kept: for who has not agreed, with nothing that tells one visit from another.

    ``mask`` is a secret, without which nobody can tell which id became which.
    """
    return Kept(
        event.id if who else nameless(event.id, mask),
        event.kind,
        who,
        event.market,
        event.page,
        event.product_id,
        searched_for(event.words) if event.words else "",
        event.results,
        event.position,
        event.order_id if who else None,
    )


def nameless(id_: UUID, mask: bytes) -> UUID:
    """Return an id of the same hour, always the same for the same: what comes twice counts once, and no moment is told."""
    millis = id_.int >> 80
    return uuid7_at(millis - millis % HOUR_MILLIS, hashlib.blake2b(id_.bytes, key=mask, digest_size=16).digest())


def searched_for(words: str) -> str:
    """Return what was searched for as it is counted; empty where it may be an e-mail address or a telephone number."""
    plain = _SPACES.sub(" ", unicodedata.normalize("NFKC", words)).strip().lower()
    return "" if "@" in plain or _DIGITS.search(plain) else plain


def told(refused: Sequence[EventRefused]) -> list[EventRefused]:
    """Return the refusals that an answer names, in the order of their events."""
    return sorted(refused, key=lambda one: one.event)[:REFUSALS_TOLD_MAX]
