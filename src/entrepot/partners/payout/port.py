"""What can be asked of whoever pays sellers: pay so much, under a name of ours, once however often it is asked."""

from typing import Protocol

from msgspec import Struct


class PayOrder(Struct, frozen=True, kw_only=True):
    """What is to be paid to whom. ``reference`` is our name for it: asked again, it is the same payment."""

    reference: str
    payee: str
    amount_minor: int
    currency: str


class Paid(Struct, frozen=True):
    """The money is on its way; ``reference`` is the bank's name for it."""

    reference: str


class Refused(Struct, frozen=True):
    """The bank will not pay this, and did not; ``reason`` says why."""

    reason: str


class PayingBank(Protocol):
    """A bank. ``EngineAwayError`` when the outcome is not known: the same order is then given again."""

    async def pay(self, order: PayOrder) -> Paid | Refused:
        """Pay, once for each reference."""
        ...
