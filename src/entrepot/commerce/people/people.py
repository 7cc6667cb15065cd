"""All that lets people in and knows them, put together: what the composition root opens, and the API and console are given."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from msgspec import Struct

from entrepot.base.time import Clock
from entrepot.commerce.people.ceremonies import Ceremonies
from entrepot.commerce.people.door import Door
from entrepot.commerce.people.drawer import Drawer
from entrepot.commerce.people.passkeys import Site
from entrepot.commerce.people.passwords import Passwords
from entrepot.commerce.people.sessions import Sessions
from entrepot.partners.identity.port import IdentityProvider
from entrepot.record.transaction import Record
from entrepot.sealing.sealing import Sealing


class People(Struct, frozen=True, kw_only=True):
    """The parts. ``site`` is the address that people have open; ``proxies`` of ours stand before it.

    ``second_factor``: staff act as such only where they have proved themselves by one.
    """

    sealing: Sealing
    sessions: Sessions
    door: Door
    passwords: Passwords
    ceremonies: Ceremonies
    site: Site
    providers: Mapping[str, IdentityProvider] = {}
    proxies: int = 0
    second_factor: bool = False


@asynccontextmanager
async def open_people(
    record: Record,
    cell: int,
    drawer: Drawer,
    sealing: Sealing,
    clock: Clock,
    *,
    origin: str,
    providers: Mapping[str, IdentityProvider] | None = None,
    proxies: int = 0,
    second_factor: bool = False,
    passwords: Passwords | None = None,
) -> AsyncIterator[People]:
    """Open the door; its threads end with the block."""
    hashing = passwords or Passwords()
    sessions, ceremonies = Sessions(record, drawer, sealing, clock), Ceremonies(drawer, record.ids)
    try:
        yield People(
            sealing=sealing,
            sessions=sessions,
            door=Door(record, cell, sealing, sessions, hashing, ceremonies, clock),
            passwords=hashing,
            ceremonies=ceremonies,
            site=Site(origin),
            providers=providers or {},
            proxies=proxies,
            second_factor=second_factor,
        )
    finally:
        await hashing.close()
