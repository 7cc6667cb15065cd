"""Reads what is sent, an event or a batch: at once where all is right, else one by one, so that none is lost for another."""

from collections.abc import Iterator, Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base.errors import BadInputError
from entrepot.behaviour.events import EVENTS_MAX, Batch, Behaviour, EventRefused, RawBatch

_WHY_CHARS_MAX = 200

_batch = msgspec.json.Decoder(Batch).decode
_raw = msgspec.json.Decoder(RawBatch).decode
_event = msgspec.json.Decoder(Behaviour).decode


class Sent(Struct, frozen=True):
    """The events that could be read, each with its number in the batch, and those that could not."""

    events: Sequence[tuple[int, Behaviour]]
    visitor: UUID | None
    refused: list[EventRefused]


def read(body: bytes) -> Sent:
    """Return what was sent; a body that is neither an event nor a batch is refused whole."""
    try:
        batch = _batch(body)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return _read_each(body)
    except msgspec.DecodeError as error:
        raise BadInputError(f"The body is no JSON ({error}): send an event, or a batch of them in 'events'.") from error
    return Sent(list(enumerate(batch.events)), batch.visitor, [])


def _read_each(body: bytes) -> Sent:
    try:
        batch = _raw(body)
    except UnicodeDecodeError as error:
        raise BadInputError(f"The body is no UTF-8 text (byte {error.start}): send JSON in UTF-8.") from error
    except msgspec.ValidationError as error:
        if b'"events"' in body[:4096]:
            raise BadInputError(f"The batch cannot be read ({error}): send 1 to {EVENTS_MAX} in 'events'.") from error
        batch = RawBatch(events=[msgspec.Raw(body)])  # an event by itself
    refused: list[EventRefused] = []
    events = list(_each(batch.events, refused))
    return Sent(events, batch.visitor, refused)


def _each(raws: Sequence[msgspec.Raw], refused: list[EventRefused]) -> Iterator[tuple[int, Behaviour]]:
    for number, raw in enumerate(raws):
        try:
            yield number, _event(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            refused.append(EventRefused(event=number, why=str(error)[:_WHY_CHARS_MAX]))
