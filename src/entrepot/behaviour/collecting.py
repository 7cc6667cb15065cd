"""Takes events in: decides whose they are, acknowledges them once they lie in the spool, and sends what waits.

Who has signed in is known by a sealed id, made with that person's own key, if they have agreed to it; another browser by one
made with the house's, if it brings the id that it keeps for who agrees. Whatever else comes is kept without any.
"""

from asyncio import create_task, gather
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from string import hexdigits
from uuid import UUID

import msgspec

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.principal import Principal
from entrepot.base.time import Clock
from entrepot.behaviour import rules
from entrepot.behaviour.events import Collected
from entrepot.behaviour.reading import read
from entrepot.behaviour.table import Table
from entrepot.commerce.people.query import consents
from entrepot.record.gathering import Gathering
from entrepot.record.transaction import Record
from entrepot.sealing.sealing import Sealing

Restricted = Callable[[Record, Sequence[UUID]], Awaitable[set[UUID]]]

SEALED_ID_CHARS = 32
FIELD, VISITOR, MASK = "behaviour.who", "behaviour.visitor", "behaviour.mask"
# For so long an answer about somebody's consent is taken to be the same: who agrees no longer is believed that soon.
CONSENT_MILLIS = 10_000
CONSENTS_KNOWN_MAX = 10_000

_lines = msgspec.json.Encoder().encode_lines


class Collecting:
    """The collector of one process."""

    def __init__(self, record: Record, sealing: Sealing, clock: Clock, table: Table, restricted: Restricted) -> None:
        self._record, self._sealing, self._clock, self._restricted = record, sealing, clock, restricted
        self._mask = sealing.blind(MASK, "")
        self._forwarder = table.forwarder()
        self._known: dict[UUID, tuple[str, int]] = {}
        # One sync at a time: what comes meanwhile gathers for the next.
        self._gathering: Gathering[bytes, None] = Gathering(self._keep, calls_max=1)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator["Collecting"]:
        """Send what waits until the block ends; what waits then is sent by whoever comes next."""
        task = create_task(self._forwarder.run())
        try:
            yield self
        finally:
            await self._gathering.close()
            task.cancel()
            await gather(task, return_exceptions=True)

    async def collect(self, who: Principal, body: bytes) -> Collected:
        """Take in what was sent; returns once it can no longer be lost. Nothing that can be kept is an error."""
        sent = read(body)
        found = rules.sort_out(sent.events, await self._whose(who, sent.visitor), self._mask, self._clock.millis())
        refused = rules.told([*sent.refused, *found.refused])
        count = len(sent.refused) + len(found.refused)
        if not found.kept:
            raise BadInputError(f"None of {count} events can be kept. The first: {refused[0].why}", accepted=0, refused=count)
        await self._gathering.ask(_lines(found.kept))
        return Collected(accepted=len(found.kept), refused=count, refusals=refused)

    async def _keep(self, packs: Sequence[bytes]) -> Sequence[None]:
        await self._forwarder.keep(b"".join(packs))
        return [None] * len(packs)

    async def _whose(self, who: Principal, visitor: UUID | None) -> str:
        if who.kind == "person" and who.id is not None:
            return await self._person(who.id)
        return self._sealing.blind(VISITOR, str(visitor)).hex()[:SEALED_ID_CHARS] if visitor is not None else ""

    async def _person(self, person_id: UUID) -> str:
        """Return the sealed id of somebody who has agreed; nothing of another, nor while nobody can say whether they have."""
        now = self._clock.millis()
        sealed_id, until = self._known.get(person_id, ("", 0))
        if now >= until:
            try:
                sealed_id = await self._ask(person_id)
            except EngineAwayError:
                return ""
            if len(self._known) >= CONSENTS_KNOWN_MAX:
                self._known.clear()
            self._known[person_id] = sealed_id, now + CONSENT_MILLIS
        return sealed_id

    async def _ask(self, person_id: UUID) -> str:
        async with self._record.committing() as connection:
            given = await consents(connection, person_id)
        agreed = any(one.purpose == rules.PURPOSE and one.withdrawn_at is None for one in given)
        if not agreed or await self._restricted(self._record, [person_id]):
            return ""
        return await sealed_id_of(self._sealing, person_id) or ""


async def sealed_id_of(sealing: Sealing, person_id: UUID) -> str | None:
    """Return the id that somebody's rows bear: nobody can make it without their key. None: they were forgotten."""
    made = await sealing.pseudonym(person_id, FIELD)
    return made.hex()[:SEALED_ID_CHARS] if made is not None else None


def is_sealed_id(value: str) -> bool:
    """Say whether a value has the form of a sealed id."""
    return len(value) == SEALED_ID_CHARS and set(value) <= set(hexdigits)
