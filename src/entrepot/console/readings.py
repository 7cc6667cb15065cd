"""Who reads the log and where, as the engine room shows it: the relay and the projectors, each in a sentence."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from entrepot.api.parts import Parts
from entrepot.base.errors import EngineAwayError
from entrepot.base.limits import ASIDE_SECONDS_MAX
from entrepot.console.render import whole
from entrepot.log import store
from entrepot.log.store import Reader

# A relay that lies further back than this delays whoever reads by it.
BEHIND_WELL = 5_000


class ShownReading(Struct, frozen=True, kw_only=True):
    """One who reads the log, in words; ``shape`` stands for how it is."""

    kind: str
    holder: str
    reads: str
    shape: str
    says: str


def shown(readers: Sequence[Reader]) -> list[ShownReading]:
    """Return who reads the log as a person reads it; pure. Nothing where all is as it always is: projectors in the record."""
    if all(one.kind == "projector" and one.source == "record" and not one.why for one in readers):
        return []
    relays = any(one.kind == "relay" for one in readers)
    return [_shown(one, relays=relays) for one in readers]


async def shown_readings(parts: Parts) -> list[ShownReading]:
    """Return who reads the log now; nothing when the record does not answer, which the page says itself."""
    try:
        async with asyncio.timeout(ASIDE_SECONDS_MAX), parts.record.committing() as connection:
            return shown(await store.readers(connection, parts.cell))
    except (EngineAwayError, TimeoutError):
        return []


def _shown(one: Reader, *, relays: bool) -> ShownReading:
    if one.kind == "relay":
        behind = one.behind or 0
        shape = "good" if behind <= BEHIND_WELL and not one.why else "warning"
        says = f"{whole(behind)} events behind the log" + (f"; it waits: {one.why}" if one.why else "")
        return ShownReading(kind="Relay", holder=one.holder, reads="PostgreSQL", shape=shape, says=says)
    says = f"writes {whole(one.slots)} slot{'' if one.slots == 1 else 's'}"
    shape = "good"
    if one.why:
        shape, says = "warning", f"{says}; {one.why}"
    elif one.source == "stream" and not relays:
        shape, says = "warning", f"{says}; no relay runs, so nothing new comes: start entrepot relay"
    reads = "Kafka" if one.source == "stream" else "PostgreSQL"
    return ShownReading(kind="Projector", holder=one.holder, reads=reads, shape=shape, says=says)
