"""Pure decisions about closing months, and the trial balance."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import Struct

from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.machine import Machine
from entrepot.commerce.approval.rules import Deed

PERIOD = Machine("period", {"closing": ("closed",), "closed": ("reopened",), "reopened": ("closing",)})

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


class Line(Struct, frozen=True, kw_only=True):
    """One account in one currency: what it stood at (debits less credits), what came, what went, what it stands at."""

    account: str
    currency: str
    opening_minor: int
    debit_minor: int
    credit_minor: int

    @property
    def closing_minor(self) -> int:
        """What the account stands at when the month is over."""
        return self.opening_minor + self.debit_minor - self.credit_minor


class Month(Struct, frozen=True):
    """A month in UTC, from its first moment to that of the next."""

    period: str
    since: datetime
    until: datetime


class Period(Struct, frozen=True, kw_only=True):
    """A month of the books as it stands. ``balance`` is the trial balance that was drawn, as JSON."""

    period: str
    since: datetime
    until: datetime
    state: Literal["closing", "closed", "reopened"]
    transfers: int = 0
    balance: str = ""
    digest: bytes | None = None
    closed_at: datetime | None = None
    version: int = 1


class TrialBalance(Struct, frozen=True, kw_only=True):
    """What was booked in a month, by account and currency; debits and credits of a currency are equal."""

    period: str
    transfers: int
    lines: Sequence[Line]

    def text(self) -> str:
        """Return the balance as it is kept and signed."""
        return msgspec.json.encode(self).decode()

    def digest(self, before: bytes | None) -> bytes:
        """Return what stands for this balance and, by that of the month before, for all months up to it."""
        return hashlib.sha256((before or b"") + self.text().encode()).digest()


def month(period: str) -> Month:
    """Return a month by its name, such as 2026-10."""
    found = _MONTH.fullmatch(period)
    if found is None:
        raise BadInputError(f"{period[:20]!r} is no month: write it as 2026-10.", period=period[:20])
    year, number = int(found[1]), int(found[2])
    following = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Month(period, datetime(year, number, 1, tzinfo=UTC), following)


def begin(wanted: Month, known: Period | None, before: Period | None, now: datetime, *, booked_before: bool) -> Period:
    """Return a month that is being closed; refuses one that is not over, or follows one that is open and has bookings."""
    if now < wanted.until:
        raise ConflictError(f"{wanted.period} is not over: close it after {wanted.until:%Y-%m-%d} UTC.", period=wanted.period)
    if booked_before and (before is None or before.state != "closed"):
        raise ConflictError(f"The month before {wanted.period} is not closed: close the months in their order.")
    if known is None:
        return Period(period=wanted.period, since=wanted.since, until=wanted.until, state="closing")
    if known.state == "closing":  # somebody began, and died
        return known
    PERIOD.check(wanted.period, known.state, "closing")
    return msgspec.structs.replace(known, state="closing", version=known.version + 1)


def close(known: Period, drawn: TrialBalance, before: bytes | None, now: datetime) -> Period:
    """Return the month with its trial balance; refuses one that does not balance."""
    PERIOD.check(known.period, known.state, "closed")
    for currency, (debit, credit) in sums(drawn.lines).items():
        if debit != credit:
            raise ConflictError(f"{currency} of {known.period} does not balance: {debit} debited, {credit} credited.")
    return msgspec.structs.replace(
        known, state="closed", transfers=drawn.transfers, balance=drawn.text(), digest=drawn.digest(before), closed_at=now,
        version=known.version + 1,
    )  # fmt: skip


def sums(lines: Iterable[Line]) -> dict[str, tuple[int, int]]:
    """Return what was debited and credited in each currency."""
    found: dict[str, tuple[int, int]] = {}
    for one in lines:
        debit, credit = found.get(one.currency, (0, 0))
        found[one.currency] = debit + one.debit_minor, credit + one.credit_minor
    return found


def reopen(known: Period, last: str) -> Period:
    """Return the month open again; only the last that is closed can be, since what follows begins with what it ended with."""
    if known.period != last:
        raise ConflictError(f"{known.period} cannot be reopened before {last}, which follows it: reopen that first.")
    PERIOD.check(known.period, known.state, "reopened")
    return msgspec.structs.replace(known, state="reopened", version=known.version + 1)


def reopening(period: Period) -> Deed:
    """Return what reopening a month is: it always takes somebody's word."""
    what = f"To reopen the books of {period.period}, closed as {(period.digest or b'').hex()[:16]}"
    return Deed(kind="reopening", about=f"period/{period.period}", scope=period.period, amount=period.transfers, what=what)


def differences(kept: TrialBalance, drawn: TrialBalance) -> list[str]:
    """Return, a sentence each, where the books are no longer what was signed."""
    was = {(one.account, one.currency): one for one in kept.lines}
    now = {(one.account, one.currency): one for one in drawn.lines}
    found = [
        f"{account} {currency}: {_told(was.get((account, currency)))} was signed, now {_told(now.get((account, currency)))}"
        for account, currency in sorted(was.keys() | now.keys())
        if was.get((account, currency)) != now.get((account, currency))
    ]
    if kept.transfers != drawn.transfers:
        found.append(f"{kept.transfers} transfers were signed, {drawn.transfers} are there")
    return found


def _told(line: Line | None) -> str:
    return "nothing" if line is None else f"{line.opening_minor} + {line.debit_minor} - {line.credit_minor}"
