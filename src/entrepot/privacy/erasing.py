"""Forgets a person: asked for, at its time one transaction, then copies, then the search. Each step may be cut and repeated.

The transaction empties every row, tells it by an event and destroys the keys: before it nothing is forgotten, after it what
was sealed is noise wherever it lies. What is searched for afterwards is sealed under a key of the erasure's own id, which is
destroyed when the search has found nothing: after a kill between the two it can still be searched for.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from entrepot.base.errors import ConflictError, EntrepotError, NotFoundError
from entrepot.base.limits import SCAN_ITEMS_MAX
from entrepot.base.time import Clock, utc
from entrepot.commerce.people.events import PERSON_ERASED, RESTRICTION_CHANGED, PersonErased, RestrictionChanged
from entrepot.commerce.people.sessions import Sessions, tell_ended
from entrepot.privacy import rules, store
from entrepot.privacy.certificate import Certifier
from entrepot.privacy.copies import Copies
from entrepot.privacy.store import Erased, Erasure
from entrepot.privacy.subjects import named
from entrepot.record.transaction import Fact, Record, Transaction
from entrepot.sealing.sealing import Sealing

log = structlog.get_logger()

KNOWN = "privacy.erasure.known_sealed"
ACTOR = "privacy"


class Erasing:
    """The erasures of one cell."""

    def __init__(
        self,
        record: Record,
        cell: int,
        sealing: Sealing,
        sessions: Sessions,
        clock: Clock,
        copies: Copies,
        certifier: Certifier,
    ) -> None:
        self._record, self._cell, self._sealing, self._sessions, self._clock = record, cell, sealing, sessions, clock
        self._copies, self._certifier = copies, certifier
        self._finishing: dict[UUID, asyncio.Task[None]] = {}

    async def ask(self, who: str, actor: str, grace: timedelta) -> Erasure:
        """Note that somebody (an id, or an e-mail address) is to be forgotten after the grace; asked twice, it is one."""
        async with self._record.transaction(self._cell, actor) as tx:
            return await ask_to_forget(tx, self._sealing, who, utc(self._clock.millis()), grace)

    async def withdraw(self, subject: UUID, actor: str) -> Erasure:
        """Let somebody stay known after all, as long as nothing was forgotten."""
        async with self._record.transaction(self._cell, actor) as tx:
            one = await store.erasure_for_update(tx.connection, self._cell, (await _found(tx, subject)).id)
            rules.ERASURE.check(one.id, one.state, "withdrawn")
            await store.set_withdrawn(tx.connection, one, utc(self._clock.millis()))
            return await _found(tx, subject)

    async def of(self, subject: UUID) -> Erasure | None:
        """Return the erasure of somebody, if there is one."""
        async with self._record.reading() as connection:
            return await store.erasure_of(connection, self._cell, subject)

    async def run_due(self) -> int:
        """Take every erasure that is due as far as it goes, each aside; returns how many were begun.

        A search of everything may take longer than a job may: one that dies with its process is begun again by the next.
        """
        async with self._record.committing() as connection:
            due = await store.unfinished(connection, self._cell, utc(self._clock.millis()), SCAN_ITEMS_MAX)
        fresh = [id_ for id_ in due if id_ not in self._finishing]
        for id_ in fresh:
            self._finishing[id_] = asyncio.create_task(self._finish_aside(id_))
        return len(fresh)

    async def finish(self, id_: UUID, restored: Sequence[str] = ()) -> Erasure:
        """Take one erasure as far as it goes, now; one that has found something is searched again.

        ``restored`` are databases that old backups were restored into, to be searched too.
        """
        more = True
        while more:
            try:
                more = await self._step(id_, restored)
            except ConflictError:
                more = await self._is_open(id_)  # another process was quicker: it has ended it, or it is to be gone on with
        found = await self.of(id_)
        assert found is not None
        return found

    async def _is_open(self, id_: UUID) -> bool:
        one = await self.of(id_)
        return one is not None and one.state in {"asked", "erased", "cleared"}

    async def _finish_aside(self, id_: UUID) -> None:
        try:
            await self.finish(id_)
        except EntrepotError as error:  # an engine is away, somebody else was quicker: the next run goes on from there
            log.warning("erasure.waits", erasure=str(id_), why=str(error))
        finally:
            del self._finishing[id_]

    async def _step(self, id_: UUID, restored: Sequence[str] = ()) -> bool:
        """Do what comes next; says whether something may come after it."""
        one = await self.of(id_)
        if one is None or not rules.is_due(one.state, one.due_at, utc(self._clock.millis())):
            return False
        if one.state == "asked":
            return await self._erase(one.id)
        if one.state == "erased":
            removed = await self._copies.clear(one, await self._known(one))
            async with self._record.committing() as connection:
                await store.set_cleared(connection, one, removed)
            return True
        await self._certifier.certify(one, await self._known(one), restored)
        return False

    async def _erase(self, id_: UUID) -> bool:
        """Forget, in one transaction."""
        now = utc(self._clock.millis())
        async with self._record.transaction(self._cell, ACTOR) as tx:
            one = await store.erasure_for_update(tx.connection, self._cell, id_)
            if one.state != "asked":  # another process was quicker
                return True
            why = rules.waits_for(await store.waiting(tx.connection, self._cell, one.subjects))
            if why:
                await store.set_waiting(tx.connection, one, why)
                return False
            doubted = await self._forget(tx, one, now)
        await self._sessions.doubt(doubted)
        return True

    async def _forget(self, tx: Transaction, one: Erasure, now: datetime) -> list[UUID]:
        orders = await store.orders_of(tx.connection, self._cell, one.subjects)
        returns = await store.returns_of(tx.connection, self._cell, one.subjects, orders)
        values = await known_values(tx, self._sealing, one.subjects, orders)
        values += await self._copies.known(one.subjects)
        text = msgspec.json.encode(sorted(set(values))).decode()
        known = (await self._sealing.seal(one.id, {KNOWN: text}))[KNOWN]
        credentials = await store.credentials_of(tx.connection, one.subjects)
        for person_id, ids in credentials.items():
            await tell_ended(tx, person_id, ids, "erased")
        key = rules.key_of(one.subject)
        version = await store.next_version(tx.connection, self._cell, one.subject, key)
        removed = await store.erase(tx.connection, self._cell, one.subjects, orders)
        body = PersonErased(id=one.subject, subjects=list(one.subjects), erasure_id=one.id)
        position = await tx.append([Fact(PERSON_ERASED, key, version, body, one.subject)])
        for subject in one.subjects:
            await self._sealing.destroy(tx.connection, subject)
        done = Erased(at=now, position=position, orders=orders, returns=returns, known_sealed=known, removed=removed)
        await store.set_erased(tx.connection, one, done)
        return [id_ for ids in credentials.values() for id_ in ids]

    async def _known(self, one: Erasure) -> list[str]:
        assert one.known_sealed is not None, one.id
        text = (await self._sealing.unseal(one.id, {KNOWN: one.known_sealed}))[KNOWN]
        if text is None:
            raise ConflictError(f"Another process has just ended the erasure {one.id}: look at it again.")
        return msgspec.json.decode(text, type=list[str])


async def ask_to_forget(tx: Transaction, sealing: Sealing, who: str, now: datetime, grace: timedelta) -> Erasure:
    """Note that somebody (an id, or an e-mail address) is to be forgotten after the grace; asked twice, it is one."""
    subjects = await named(tx.connection, sealing, tx.cell, who)
    await store.add_erasure(tx.connection, tx.cell, tx.ids.fresh(), subjects, tx.actor, now, now + grace)
    return await _found(tx, subjects[0])


async def known_values(tx: Transaction, sealing: Sealing, subjects: Sequence[UUID], orders: Sequence[UUID]) -> list[str]:
    """Return what is known of these subjects and is to be searched for."""
    fields = await store.sealed_of(tx.connection, tx.cell, subjects, orders)
    opened = await sealing.unseal_many([(one.subject, {one.field: one.sealed}) for one in fields])
    plain = await store.plain_of(tx.connection, tx.cell, subjects, orders)
    texts = [(field, text) for one in opened for field, text in one.items() if text is not None]
    return rules.searched([*texts, *(("ordering.contact", text) for text in plain)])


async def whose_is_restricted(record: Record, subjects: Sequence[UUID]) -> set[UUID]:
    """Return whose data of these may be used for nothing but what they order."""
    if not subjects:
        return set()
    async with record.committing() as connection:
        return await store.restricted(connection, subjects)


async def restrict(tx: Transaction, subject: UUID, now: datetime, *, restricted: bool) -> bool:
    """Let somebody's data be used for nothing but their orders, or be used again; says whether that is a change."""
    if subject in await store.forgotten(tx.connection, [subject]):
        raise ConflictError(f"{subject} was forgotten: there is nothing left to restrict.", subject=str(subject))
    if restricted:
        changed = await store.restrict(tx.connection, subject, now, tx.actor)
    else:
        changed = await store.lift(tx.connection, subject)
    if changed:
        key = rules.key_of(subject)
        version = await store.next_version(tx.connection, tx.cell, subject, key)
        await tx.append(
            [Fact(RESTRICTION_CHANGED, key, version, RestrictionChanged(id=subject, restricted=restricted), subject)]
        )
    return changed


async def _found(tx: Transaction, subject: UUID) -> Erasure:
    one = await store.erasure_of(tx.connection, tx.cell, subject)
    if one is None:
        raise NotFoundError(f"Nobody has asked to forget {subject}.", subject=str(subject))
    return one
