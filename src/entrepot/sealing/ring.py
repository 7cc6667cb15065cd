"""The ring: the few keys that wrap everybody's, opened at start with the key-encryption key, changed while everybody works.

A ring key that retires opens what it closed until all of that is under the active one; then it is forgotten.
"""

from collections.abc import AsyncIterator, Mapping

from msgspec import Struct

from entrepot.base.limits import KEYS_REWRAPPED_PER_STEP
from entrepot.partners.keys.port import KeyProvider
from entrepot.record.transaction import Record
from entrepot.sealing import store
from entrepot.sealing.envelope import fresh_key, unwrap, wrap
from entrepot.sealing.store import Asked, Purpose, RingStatus

_PURPOSES: tuple[Purpose, ...] = ("person", "blind")


class Ring(Struct, frozen=True):
    """The opened ring: by id, which of them wraps new keys, and what values are looked up by."""

    keys: Mapping[int, bytes]
    active: int
    blind: bytes


class KeysStatus(Struct, frozen=True):
    """How the keys are: where the key-encryption key is, every ring key, and how much is left to re-wrap."""

    provider: str
    ring: list[RingStatus]
    to_rewrap: int
    forgotten: int


class Rewrapped(Struct, frozen=True):
    """How far re-wrapping has come: keys done and to do, and the ring keys that were forgotten at the end."""

    done: int
    of: int
    retired: list[int]


async def open_ring(connection: Asked, provider: KeyProvider) -> Ring:
    """Open the ring, or make it in a database that has none; a key-encryption key that does not fit is refused."""
    rows = await store.ring_keys(connection)
    if not rows:
        await provider.prepare()
        made = [(purpose, await provider.wrap(fresh_key(), purpose)) for purpose in _PURPOSES]
        await store.first_ring_keys(connection, made)
        rows = await store.ring_keys(connection)
    opened = {row.id: await provider.unwrap(row.wrapped, row.purpose) for row in rows}
    persons = {row.id: opened[row.id] for row in rows if row.purpose == "person"}
    active = next(row.id for row in rows if row.purpose == "person" and row.state == "active")
    blind = next(opened[row.id] for row in rows if row.purpose == "blind" and row.state == "active")
    return Ring(persons, active, blind)


async def check_ring(record: Record, provider: KeyProvider) -> None:
    """Refuse a key-encryption key that does not open what is there; reads only."""
    async with record.committing() as connection:
        if await store.has_ring(connection):
            for row in await store.ring_keys(connection):
                await provider.unwrap(row.wrapped, row.purpose)


async def rotate_ring(record: Record, cell: int, provider: KeyProvider) -> int:
    """Let a fresh ring key wrap what is made from now on, and return its id; ``rewrap`` then moves what there is."""
    wrapped = await provider.wrap(fresh_key(), "person")
    async with record.transaction(cell) as tx:
        return await store.replace_active(tx.connection, wrapped)


async def rotate_provider(record: Record, provider: KeyProvider) -> str:
    """Make a new key-encryption key, put every ring key under it, and return its name."""
    name = await provider.rotate()
    await _wrap_ring_anew(record, provider)
    return name


async def rewrap(record: Record, provider: KeyProvider) -> AsyncIterator[Rewrapped]:
    """Put every person's key under the active ring key, a step at a time; one that was cut is simply begun again."""
    await _wrap_ring_anew(record, provider)  # a rotation that was cut in between
    async with record.committing() as connection:
        ring = await open_ring(connection, provider)
        done, of = 0, _waiting(await store.ring_status(connection))
        while rows := await store.to_rewrap(connection, KEYS_REWRAPPED_PER_STEP):
            fresh = [
                wrap(ring.keys[ring.active], row.subject, unwrap(ring.keys[row.ring_key_id], row.subject, row.wrapped or b""))
                for row in rows
            ]
            await store.rewrap(connection, rows, fresh, ring.active)
            done += len(rows)
            yield Rewrapped(done, max(done, of), [])
        yield Rewrapped(done, done, await store.retire_empty(connection))


async def keys_status(record: Record, provider: KeyProvider) -> KeysStatus:
    """Say how the keys are."""
    async with record.committing() as connection:
        ring = await store.ring_status(connection)
        return KeysStatus(provider.place, ring, _waiting(ring), await store.destroyed(connection))


async def _wrap_ring_anew(record: Record, provider: KeyProvider) -> None:
    async with record.committing() as connection:
        for row in await store.ring_keys(connection):
            key = await provider.unwrap(row.wrapped, row.purpose)
            await store.set_ring_wrapping(connection, row, await provider.wrap(key, row.purpose))


def _waiting(ring: list[RingStatus]) -> int:
    return sum(row.wraps for row in ring if row.state == "retiring")
