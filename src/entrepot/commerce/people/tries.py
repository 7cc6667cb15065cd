"""How often somebody may try: by whom and from where, never by the account alone, so that nobody can lock another out.

A device that has signed this person in before carries a proof of it, and is counted apart: what strangers do does not touch it.
A try is counted before it is looked at, so that a thousand at once are not one.
"""

import hashlib
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import TooManyTriesError
from entrepot.commerce.people import credential_store as store
from entrepot.record.transaction import Record


class Bucket(Struct, frozen=True):
    """Where tries are counted, how many there may be, and whether a success takes all of them back, or itself alone."""

    name: bytes
    most: int
    cleared: bool


def buckets(account: bytes, network: str, device: UUID | None, known: bool, what: bytes = b"sign-in") -> list[Bucket]:
    """Return where a try is counted: of this account by this device or from this network, and of all from this network.

    ``account`` is the blind of what was typed, so that one who is not there is counted like one who is. ``what`` is tried:
    who guesses passwords uses up no letters of a network, since a link by mail is the way round.
    """
    if device is not None and known:
        return [Bucket(_name(what, b"device", account, device.bytes), limits.TRIES_BY_DEVICE_MAX, cleared=True)]
    return [
        Bucket(_name(what, b"account", account, network.encode()), limits.TRIES_BY_STRANGERS_MAX, cleared=True),
        Bucket(_name(what, b"network", network.encode()), limits.TRIES_OF_NETWORK_MAX, cleared=False),
    ]


async def count(record: Record, given: Sequence[Bucket], now: datetime) -> None:
    """Count a try, or refuse it when there were too many in this window."""
    until = now + timedelta(seconds=limits.TRY_WINDOW_SECONDS)
    async with record.committing() as connection:
        found = await store.note_tries(connection, [one.name for one in given], now, until)
    full = [found[one.name].ends_at for one in given if found[one.name].tries > one.most]
    if full:
        raise TooManyTriesError(max(1, math.ceil((max(full) - now).total_seconds())))


async def take_back(record: Record, given: Sequence[Bucket]) -> None:
    """Take back what a try that succeeded has counted."""
    async with record.committing() as connection:
        await store.untry(connection, [one.name for one in given], [one.cleared for one in given])


def _name(*parts: bytes) -> bytes:
    return hashlib.sha256(b"\x1f".join(parts)).digest()
