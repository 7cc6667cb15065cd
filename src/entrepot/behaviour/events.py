"""What a shopper did, as it is sent and as it is kept."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

Kind = Literal["page", "view", "search", "click", "cart", "checkout", "order"]

EVENTS_MAX = 1_000
WORDS_CHARS_MAX = 200

Code = Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9._/-]*$")]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]


class Behaviour(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One thing that a shopper did. ``id`` is a UUIDv7 that the sender makes: it says when, and sent again it counts once.

    ``page``: a page was opened (its name in ``page``); ``view``: a product's page; ``search``: ``words`` found ``results``;
    ``click``: a product at ``position`` of what was found; ``cart``: a product was put into the cart; ``checkout``: paying was
    begun; ``order``: it ended in ``order_id``.
    """

    id: UUID
    kind: Kind
    market: Code = ""
    page: Code = ""
    product_id: UUID | None = None
    words: Annotated[str, Meta(max_length=WORDS_CHARS_MAX)] = ""
    results: Count | None = None
    position: Count | None = None
    order_id: UUID | None = None


class Batch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Events of one shopper. ``visitor`` is an id that a browser keeps for who agrees to that, and is sent by nobody else."""

    events: Annotated[list[Behaviour], Meta(min_length=1, max_length=EVENTS_MAX)]
    visitor: UUID | None = None


class RawBatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch whose events are read one by one, since some of them cannot be."""

    events: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=EVENTS_MAX)]
    visitor: UUID | None = None


class Kept(Struct, frozen=True, array_like=True, gc=False):
    """An event as a row of the table, in the order of ``COLUMNS``; ``who`` is empty for who has not agreed."""

    id: UUID
    kind: str
    who: str
    market: str
    page: str
    product_id: UUID | None
    words: str
    results: int | None
    position: int | None
    order_id: UUID | None


COLUMNS = Kept.__struct_fields__


class EventRefused(Struct, frozen=True, kw_only=True):
    """An event that was not taken: which of the batch, counted from 0, and why."""

    event: int
    why: str


class Collected(Struct, frozen=True, kw_only=True):
    """How many events were taken (none of them can be lost any more) and refused, and why the first of these were."""

    accepted: int
    refused: int
    refusals: list[EventRefused]
