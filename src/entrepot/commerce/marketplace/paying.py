"""Pure decisions about what sellers are paid, and what their statements say."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base.machine import Machine
from entrepot.base.money import Currency, spoken
from entrepot.commerce.approval.rules import Deed
from entrepot.commerce.marketplace.events import (
    PAYOUT_ASKED,
    PAYOUT_DONE,
    PAYOUT_FAILED,
    PayoutMoved,
    PayoutState,
)
from entrepot.commerce.marketplace.rules import Seller
from entrepot.commerce.ordering.rules import Transfer

PAYOUT = Machine("payout", {"asked": ("done", "failed"), "done": (), "failed": ()})
KIND_OF = {"asked": PAYOUT_ASKED, "done": PAYOUT_DONE, "failed": PAYOUT_FAILED}

EntryKind = Literal["sale", "return", "commission", "commission_back", "supply", "supply_back", "dispute", "payout", "other"]

# What a transfer is to a seller, by the account on its other side: when it brings money, and when it takes some.
_BRINGS: dict[str, EntryKind] = {"receivable": "sale", "commission": "commission_back", "supply": "supply"}
_TAKES: dict[str, EntryKind] = {
    "receivable": "return",
    "commission": "commission",
    "supply": "supply_back",
    "disputes": "dispute",
    "bank": "payout",
}


class Balance(Struct, frozen=True):
    """What the ledger owes a seller in one currency (negative: the seller owes us), and what of it is held back."""

    currency: str
    balance_minor: int
    held_minor: int

    @property
    def payable_minor(self) -> int:
        """Return what can be paid now. What was paid too much is carried over: nothing is paid until it is earned again."""
        return max(self.balance_minor - self.held_minor, 0)


class Payout(Struct, frozen=True, kw_only=True):
    """Money on its way to a seller."""

    id: UUID
    seller_id: UUID
    currency: str
    amount_minor: int
    state: PayoutState
    asked_at: datetime
    ended_at: datetime | None = None
    reference: str = ""
    reason: str = ""

    def told(self) -> PayoutMoved:
        """Return the event that tells of the payout as it now is."""
        return PayoutMoved(
            id=self.id, seller_id=self.seller_id, currency=self.currency, amount_minor=self.amount_minor, state=self.state,
            at=self.ended_at or self.asked_at, reference=self.reference, reason=self.reason,
        )  # fmt: skip


class Booked(Struct, frozen=True):
    """A transfer of the ledger, as a seller sees it: what came (negative: what went), and the account on the other side."""

    id: UUID
    about_id: UUID
    at: datetime
    amount_minor: int
    other: str


class Entry(Struct, frozen=True, kw_only=True):
    """A line of a statement; ``about_id`` is the order, the return or the payout that it is about."""

    id: UUID
    about_id: UUID
    at: datetime
    kind: EntryKind
    amount_minor: int


class Statement(Struct, frozen=True, kw_only=True):
    """What was booked for a seller in a period. ``opening_minor`` and all entries make ``closing_minor``; so do the sums."""

    seller_id: UUID
    currency: str
    since: datetime
    until: datetime
    opening_minor: int
    closing_minor: int
    sums: dict[str, int]
    entries: list[Entry]


def deed(payout: Payout) -> Deed:
    """Return what a payout is, for who must have somebody's word for it."""
    what = f"To pay {spoken(payout.amount_minor, Currency(payout.currency))} to the seller {payout.seller_id} as {payout.id}"
    return Deed(kind="payout", about=f"payout/{payout.id}", scope=payout.currency, amount=payout.amount_minor, what=what)


def due(seller: Seller, last: datetime | None, now: datetime) -> bool:
    """Say whether it is a seller's turn to be paid."""
    return seller.state != "closed" and (last is None or last + timedelta(days=seller.payout_days) <= now)


def arrived_before(seller: Seller, now: datetime) -> datetime:
    """Return before when an order must have arrived for its money to be no longer held back."""
    return now - timedelta(days=seller.holdback_days)


def to_pay(seller: Seller, balances: Iterable[Balance], now: datetime, ids: Iterable[UUID]) -> list[Payout]:
    """Return a payout for each currency in which something can be paid."""
    payable = [one for one in balances if one.payable_minor]
    return [
        Payout(
            id=id_, seller_id=seller.id, currency=one.currency, amount_minor=one.payable_minor, state="asked", asked_at=now
        )
        for one, id_ in zip(payable, ids, strict=False)
    ]  # fmt: skip


def end(payout: Payout, to: Literal["done", "failed"], at: datetime, reference: str, reason: str) -> Payout | None:
    """Return a payout that has ended, or None when it had ended so before."""
    if payout.state == to:
        return None
    PAYOUT.check(payout.id, payout.state, to)
    return msgspec.structs.replace(payout, state=to, ended_at=at, reference=reference, reason=reason)


def book(payout: Payout) -> list[Transfer]:
    """Return what a payout books: nothing until it is done."""
    paid = Transfer("seller", "bank", payout.amount_minor, str(payout.seller_id), "")
    return [paid] if payout.state == "done" else []


def entry(booked: Booked) -> Entry:
    """Return what a transfer is to the seller."""
    kind = (_BRINGS if booked.amount_minor > 0 else _TAKES).get(booked.other, "other")
    return Entry(id=booked.id, about_id=booked.about_id, at=booked.at, kind=kind, amount_minor=booked.amount_minor)


def statement(
    seller_id: UUID, currency: str, since: datetime, until: datetime, opening_minor: int, booked: Sequence[Booked]
) -> Statement:
    """Return the statement of a period."""
    entries = [entry(one) for one in booked]
    sums: dict[str, int] = {}
    for one in entries:
        sums[one.kind] = sums.get(one.kind, 0) + one.amount_minor
    return Statement(
        seller_id=seller_id, currency=currency, since=since, until=until, opening_minor=opening_minor,
        closing_minor=opening_minor + sum(sums.values()), sums=sums, entries=entries,
    )  # fmt: skip
