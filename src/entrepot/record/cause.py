"""The request under way: what it causes carries its id, and what it touches tells whose data that is.

This is the one thing that is passed by context and not as an argument: it belongs to no decision, every room below the edge
would have to hand it on, and a room that forgot would leave an event without its cause.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from msgspec import Struct

from entrepot.base.limits import AUDIT_OTHERS_MAX


class Cause(Struct):
    """A request: its id, the person whose data it touched, as far as one is known, and what its entry in the audit says of it.

    ``others``: who else's data it touched.
    ``noted`` when that entry was written together with what the request changed.
    """

    id: UUID
    subject: UUID | None = None
    others: list[UUID] = []
    actor: str = ""
    network: str = ""
    agent: str = ""
    why: str = ""
    noted: bool = False

    def tells_of(self, subjects: Iterable[UUID | None]) -> None:
        """Note whose data was touched: the first person named is the subject, all further ones are others."""
        for one in subjects:
            if self.subject is None:
                self.subject = one
            elif one is not None and one != self.subject and one not in self.others and len(self.others) < AUDIT_OTHERS_MAX:
                self.others.append(one)


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


def about(*subjects: UUID | None) -> None:
    """Say whose data the request under way touches."""
    cause = _UNDER_WAY.get()
    if cause:
        cause.tells_of(subjects)
