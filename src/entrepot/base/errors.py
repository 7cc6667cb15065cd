"""The errors a caller can act on: each has a stable type, says what is true, with the value, and what to do.

Nothing here knows HTTP beyond the status number that each error maps to, so that API and CLI say the same sentence.
"""

from collections.abc import Mapping
from typing import ClassVar


class EntrepotError(Exception):
    """Something is true that stops the caller; ``str()`` is a whole sentence fit to be shown to a person.

    ``slug`` is stable for ever (problem+json ``type`` is ``/problems/<slug>``), ``status`` is its HTTP status and
    ``exit_code`` that of the command line. ``facts`` are the values, for machines.
    """

    slug: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts: Mapping[str, object] = facts


class BadInputError(EntrepotError):
    """What was given cannot be meant; the message names the field, the value and what is accepted."""

    slug = "bad-input"
    status = 400
    exit_code = 2


class NotFoundError(EntrepotError):
    """The thing named does not exist (or not here)."""

    slug = "not-found"
    status = 404
    exit_code = 3


class ConflictError(EntrepotError):
    """The state of a thing, or of a key, refuses the command; trying again unchanged would be refused again."""

    slug = "conflict"
    status = 409
    exit_code = 4


class StockExhaustedError(ConflictError):
    """Fewer pieces are left than were wanted; the whole order was refused and nothing was taken."""

    slug = "stock-exhausted"

    def __init__(self, sku: str, *, wanted: int, left: int, advice: str = "order fewer, or leave it out") -> None:
        super().__init__(
            f"Only {left} of {sku} left, {wanted} wanted: {advice}.",
            sku=sku,
            wanted=wanted,
            left=left,
        )


class KeyReusedError(EntrepotError):
    """An idempotency key came again with another body; the first answer stands and nothing was done."""

    slug = "idempotency-key-reused"
    status = 422
    exit_code = 4

    def __init__(self, key: str) -> None:
        super().__init__(f"The idempotency key {key!r} was used for a different request: send a new key.", key=key)


class EngineAwayError(EntrepotError):
    """An engine does not answer; what it serves is unavailable for now and nothing acknowledged is lost."""

    slug = "engine-away"
    status = 503
    exit_code = 5

    def __init__(self, role: str, why: str) -> None:
        why = " ".join(why.split())  # drivers answer in several lines
        super().__init__(f"The {role} engine does not answer ({why}): try again shortly.", role=role, why=why)


class NotThereYetError(EntrepotError):
    """A read asked for "at least this position" and the projection did not reach it within the bound."""

    slug = "not-there-yet"
    status = 503
    exit_code = 5
