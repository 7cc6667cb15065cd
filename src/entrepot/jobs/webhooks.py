"""Tells subscribers of events: at least once, in order per key, from each subscriber's own position in the log.

The log is the queue. A subscriber who does not answer at all rests, and is told later from where it stood; one that refuses an
event has that event, and those of its key behind it, parked, while the others go on. A crash sends a batch again.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.event import Event, Position, Token
from entrepot.base.projection import Slot
from entrepot.base.time import Clock, stamp_millis, utc
from entrepot.commerce.webhook import commands, rules, store
from entrepot.commerce.webhook.store import DueEndpoint, DueParked, ParkedEvent
from entrepot.jobs.kinds import event_kinds
from entrepot.log.reader import LogReader
from entrepot.partners.subscriber.port import Answer, Message, Sender
from entrepot.record.transaction import Record


class Telling(Struct, frozen=True, kw_only=True):
    """An event as a subscriber reads it. ``position`` is what a read may ask for, and what a replay may begin after."""

    id: str
    kind: str
    key: str
    version: int
    at: datetime
    position: str
    data: msgspec.Raw


class _Sent(Struct, frozen=True):
    """What became of the events of one key: how many were taken, and the first that was not, with why."""

    events: Sequence[Event]
    taken: int
    answer: Answer | None = None

    @property
    def verdict(self) -> rules.Verdict:
        return "delivered" if self.answer is None else rules.judge(self.answer.status)


async def tell_subscribers(record: Record, reader: LogReader, sender: Sender, cell: int, clock: Clock) -> int:
    """Send what is due to every subscriber, a batch each, and what was parked; returns how many events were taken."""
    now = utc(clock.millis())
    async with record.committing() as connection:
        endpoints = await store.due_endpoints(connection, cell, now, record.sealing)
        parked = await store.due_parked(connection, cell, now, limits.WEBHOOK_BATCH_EVENTS_MAX, record.sealing)
    told = await asyncio.gather(
        *(_tell(record, reader, sender, cell, endpoint, now) for endpoint in endpoints),
        *(_drain(record, sender, cell, waiting, now) for waiting in _by_endpoint(parked)),
    )
    return sum(told)


async def _tell(record: Record, reader: LogReader, sender: Sender, cell: int, endpoint: DueEndpoint, now: datetime) -> int:
    kinds = rules.expand(endpoint.kinds, event_kinds())
    batch = await reader.read(Slot(cell), endpoint.position, kinds, limits.WEBHOOK_BATCH_EVENTS_MAX)
    if batch.end <= endpoint.position:
        return 0
    by_key: dict[str, list[Event]] = {}
    for event in batch.events:
        by_key.setdefault(event.key, []).append(event)
    async with record.committing() as connection:
        waiting = await store.parked_keys(connection, cell, endpoint.id, list(by_key))
    free = asyncio.Semaphore(limits.WEBHOOK_KEYS_AT_ONCE_MAX)

    async def send(events: Sequence[Event]) -> _Sent:
        async with free:
            return await _send_in_order(sender, endpoint, events, now)

    sent = await asyncio.gather(*(send(events) for key, events in by_key.items() if key not in waiting))
    behind = [event for key in waiting for event in by_key[key]]
    await _settle(record, cell, endpoint, batch.end, sent, behind, now)
    return sum(one.taken for one in sent)


async def _send_in_order(sender: Sender, endpoint: DueEndpoint, events: Sequence[Event], now: datetime) -> _Sent:
    for taken, event in enumerate(events):
        message = Message(str(event.id), int(now.timestamp()), text_of(event).encode())
        answer = await sender.send(endpoint.url, endpoint.secret, message)
        if rules.judge(answer.status) != "delivered":
            return _Sent(events, taken, answer)
    return _Sent(events, len(events))


async def _settle(
    record: Record,
    cell: int,
    endpoint: DueEndpoint,
    end: Position,
    sent: Sequence[_Sent],
    behind: Sequence[Event],
    now: datetime,
) -> None:
    """Park what was refused and what waits behind it, and move on: as far as all was told, parked or waits for nobody."""
    away = [one for one in sent if one.verdict in {"away", "gone"}]
    unsent = [one.events[one.taken].position for one in away]
    # One who is away is told again from the first that it did not take: what comes after that is sent twice.
    reached = min([end, *(Position(position.txid, position.seq - 1) for position in unsent)])
    parked = [_parked(event, now) for event in behind if event.position <= reached]
    parked += [event for one in sent for event in _refused(one, reached, now)]
    failures, since, until = (0, None, None) if not away else _resting(endpoint, now)
    async with record.transaction(cell, "webhooks") as tx:
        if parked:
            await store.park(tx.connection, cell, endpoint.id, now, parked)
        taken = sum(one.taken for one in sent)
        await store.move_on(tx.connection, cell, endpoint, reached, taken, failures=failures, since=since, until=until)
        if any(one.verdict == "gone" for one in away):
            await commands.set_state(tx, endpoint.id, "disabled", "it answered 410: gone")
        elif since is not None and now - since >= timedelta(seconds=limits.WEBHOOK_TRY_SECONDS_MAX):
            await commands.set_state(tx, endpoint.id, "disabled", f"it has not answered since {since.isoformat()}")


def _refused(one: _Sent, reached: Position, now: datetime) -> list[ParkedEvent]:
    """Return what of a key's events is to be parked: the one that was refused, and those behind it."""
    if one.verdict != "refused":
        return []
    left = [event for event in one.events[one.taken :] if event.position <= reached]
    return [_parked(event, now, None if place else one.answer) for place, event in enumerate(left)]


def _resting(endpoint: DueEndpoint, now: datetime) -> tuple[int, datetime, datetime]:
    failures, since = endpoint.failures + 1, endpoint.failing_since or now
    return failures, since, rules.next_try(now, failures, now) or now


def _parked(event: Event, now: datetime, answer: Answer | None = None) -> ParkedEvent:
    error = "" if answer is None else f"answered {answer.status}: {answer.why}".strip(": ")
    next_at = now if answer is None else rules.next_try(now, 1, now) or now
    tries = 0 if answer is None else 1
    return ParkedEvent(event.position, event.id, event.key, event.kind, tries, error, next_at, text_of(event))


def _by_endpoint(parked: Sequence[DueParked]) -> list[list[DueParked]]:
    found: dict[UUID, list[DueParked]] = {}
    for one in parked:
        found.setdefault(one.endpoint_id, []).append(one)
    return list(found.values())


async def _drain(record: Record, sender: Sender, cell: int, parked: Sequence[DueParked], now: datetime) -> int:
    """Try what is parked for a subscriber: first one event, and the others when it answers. One who is away rests."""
    verdict = await _retry(record, sender, cell, parked[0], now)
    if verdict in {"away", "gone"}:
        async with record.committing() as connection:
            until = rules.next_try(now, parked[0].tries + 1, now)
            await store.rest(connection, cell, parked[0].endpoint_id, now, until or now)
        return 0
    free = asyncio.Semaphore(limits.WEBHOOK_KEYS_AT_ONCE_MAX)

    async def retry(one: DueParked) -> rules.Verdict:
        async with free:
            return await _retry(record, sender, cell, one, now)

    verdicts = [verdict, *await asyncio.gather(*(retry(one) for one in parked[1:]))]
    return sum(one == "delivered" for one in verdicts)


async def _retry(record: Record, sender: Sender, cell: int, one: DueParked, now: datetime) -> rules.Verdict:
    """Try a parked event again; those of its key behind it are due by themselves when it is gone."""
    message = Message(str(one.event_id), int(now.timestamp()), one.message.encode())
    answer = await sender.send(one.url, one.secret, message)
    verdict = rules.judge(answer.status)
    async with record.committing() as connection:
        if verdict == "delivered":
            await store.unpark(connection, cell, one)
            return verdict
        error = f"answered {answer.status}: {answer.why}" if answer.status else answer.why
        await store.park_longer(connection, cell, one, error, rules.next_try(now, one.tries + 1, one.first_at))
    return verdict


def text_of(event: Event) -> str:
    """Return an event as the JSON text that a subscriber gets, the same at every try."""
    telling = Telling(
        id=str(event.id),
        kind=event.kind,
        key=event.key,
        version=event.version,
        at=utc(stamp_millis(event.at)),
        position=str(Token(event.cell, event.position)),
        data=event.body,
    )
    return msgspec.json.encode(telling).decode()
