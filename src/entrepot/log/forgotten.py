"""Who was forgotten is not in what readers are told: the log keeps its events as they were, and tells them without the link.

So a projection that is built anew from the log, years later and from its archive, holds nobody who was forgotten before.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Raw, structs

from entrepot.base.event import Event
from entrepot.log.batch import Batch
from entrepot.log.store import forgotten
from entrepot.record.transaction import Record

# Events whose customer may be nobody, as a guest's is; in the others stands an id that is nobody's.
_NEED_NOBODY = ("ordering.", "aftersale.", "checkout.", "cart.", "payment.")
NOBODY = str(UUID(int=0))


async def unlinked(record: Record, batch: Batch) -> Batch:
    """Return a batch in which no body names anybody who was forgotten; the events about the person itself are left alone."""
    subjects = {event.subject for event in batch.events if event.subject is not None}
    if not subjects:
        return batch
    async with record.committing() as connection:
        gone = await forgotten(connection, list(subjects))
    return structs.replace(batch, events=without(batch.events, gone)) if gone else batch


def without(events: Sequence[Event], gone: set[UUID]) -> list[Event]:
    """Return the events, those of who is gone without their ids in the body."""
    return [_without(event, event.subject) if event.subject in gone else event for event in events]


def _without(event: Event, subject: UUID | None) -> Event:
    if event.key == f"person/{subject}":
        return event
    nobody = None if event.kind.startswith(_NEED_NOBODY) else NOBODY
    body = _emptied(msgspec.json.decode(event.body), str(subject), nobody)
    return structs.replace(event, body=Raw(msgspec.json.encode(body)))


def _emptied(value: object, subject: str, nobody: str | None) -> object:
    match value:
        case dict():
            return {name: _emptied(inner, subject, nobody) for name, inner in value.items()}
        case list():
            return [_emptied(inner, subject, nobody) for inner in value]
    return nobody if value == subject else value
