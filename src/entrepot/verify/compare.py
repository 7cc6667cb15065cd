"""Compares what must be with what is: by checksum, and only where that differs, item by item. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from entrepot.base.event import Event
from entrepot.base.projection import Item, Projection
from entrepot.log.fold import fold, needed

Why = Literal["missing", "extra", "older version", "newer version", "content differs", "cannot be projected"]

_DIGEST_BYTES = 8
_encode = msgspec.json.Encoder(order="deterministic").encode


class Difference(Struct, frozen=True):
    """An id whose item is not what the truth makes of it. ``fields`` name what differs under the same version."""

    id: str
    why: Why
    expected_version: int | None = None
    found_version: int | None = None
    fields: tuple[str, ...] = ()


class Checksum(Struct, frozen=True):
    """A range of items as two numbers. Count and sum, not XOR: rows that are all there twice would cancel out."""

    items: int = 0
    total: int = 0

    def __add__(self, other: "Checksum") -> "Checksum":
        return Checksum(self.items + other.items, (self.total + other.total) % 2**64)


class Compared(Struct, frozen=True):
    """A range compared: its checksum by the truth, the differences, and what each differing id must be (None: not there)."""

    checksum: Checksum
    differences: Sequence[Difference]
    expected: Mapping[str, Item | None]


def compare(projection: Projection, events: Sequence[Event], found: Sequence[Item]) -> Compared:
    """Run the truth's events through the projection and compare the items with those found."""
    wanted = [event for event in events if event.kind in projection.kinds]
    folded = fold(projection, wanted, needed(projection, wanted, frozenset()), {}, frozenset())
    must = {id_: item for id_, item in folded.items.items() if item.body is not None}
    checksum = checksum_of(must.values())
    if not folded.parked and checksum == checksum_of(found):
        return Compared(checksum, [], {})
    differences = [
        Difference(parked.event.key, "cannot be projected", fields=(parked.error,)) for parked in folded.parked if parked.error
    ]
    have = {item.id: item for item in found}
    # What serves of a key that cannot be projected is left: nobody knows what it should be, and a repair would delete it.
    unknown = tuple(parked.event.key for parked in folded.parked)
    for id_ in sorted(id_ for id_ in must.keys() | have.keys() if not _of_any(unknown, id_)):
        difference = _difference(id_, must.get(id_), have.get(id_))
        if difference:
            differences.append(difference)
    return Compared(checksum, differences, {difference.id: must.get(difference.id) for difference in differences})


def _of_any(keys: Sequence[str], id_: str) -> bool:
    return any(id_ == key or id_.startswith(f"{key}/") for key in keys)


def checksum_of(items: Iterable[Item]) -> Checksum:
    """Return the checksum of items, the same in whatever order they and the keys of their bodies come."""
    count = total = 0
    for item in items:
        digest = hashlib.blake2b(_encode((item.id, item.version, item.body)), digest_size=_DIGEST_BYTES)
        total += int.from_bytes(digest.digest(), "big")
        count += 1
    return Checksum(count, total % 2**64)


def _difference(id_: str, must: Item | None, have: Item | None) -> Difference | None:
    if have is None:
        return Difference(id_, "missing", must.version if must else None)
    if must is None:
        return Difference(id_, "extra", None, have.version)
    if must.version != have.version:
        why: Why = "older version" if have.version < must.version else "newer version"
        return Difference(id_, why, must.version, have.version)
    fields = _differing(must.body or {}, have.body or {})
    return Difference(id_, "content differs", must.version, have.version, fields) if fields else None


def _differing(must: Mapping[str, object], have: Mapping[str, object]) -> tuple[str, ...]:
    names = must.keys() | have.keys()
    return tuple(
        sorted(name for name in names if name not in must or name not in have or _encode(must[name]) != _encode(have[name]))
    )
