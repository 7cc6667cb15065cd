"""The request under way: what it causes carries its id, and what it touches tells whose data that is.

This is the one thing that is passed by context and not as an argument: it belongs to no decision, every room below the edge
would have to hand it on, and a room that forgot would leave an event without its cause.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from msgspec import Struct


class Cause(Struct):
    """A request: its id, the person whose data it touched, as far as one is known, and what its entry in the audit says of it.

    ``noted`` when that entry was written together with what the request changed.
    """

    id: UUID
    subject: UUID | None = None
    actor: str = ""
    network: str = ""
    agent: str = ""
    why: str = ""
    noted: bool = False


_UNDER_WAY: ContextVar[Cause | None] = ContextVar("cause", default=None)


@contextmanager
def causing(cause: Cause) -> Iterator[None]:
    """Have everything in the block be caused by this request."""
    token = _UNDER_WAY.set(cause)
    try:
        yield
    finally:
        _UNDER_WAY.reset(token)


def cause_of_this() -> UUID | None:
    """Return the id of the request under way; None for what a job or the command line does."""
    cause = _UNDER_WAY.get()
    return cause.id if cause else None


def about(subject: UUID | None) -> None:
    """Say whose data the request under way touches; the first person named counts."""
    cause = _UNDER_WAY.get()
    if cause and cause.subject is None:
        cause.subject = subject
