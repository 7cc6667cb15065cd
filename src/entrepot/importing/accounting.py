"""Accounts for every row: each in exactly one class, the sums of the classes and the rounding together the file's. Pure."""

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Final

from msgspec import Struct, field

from entrepot.base import limits
from entrepot.base.money import Currency, to_major
from entrepot.importing.documents import Judged
from entrepot.importing.fields import EXACT

CLASSES: Final = (
    "ordered",
    "duplicate",
    "sample",
    "charge",
    "return",
    "cancellation",
    "adjustment",
    "rejected",
    "categories",
    "products",
)


class Account(Struct):
    """One class of rows: how many, what they say (``exact``), and what of it is booked, both in major units."""

    rows: int = 0
    exact: Decimal = Decimal(0)
    booked: Decimal = Decimal(0)


class Report(Struct, kw_only=True):
    """What became of a file. ``sum`` is that of all rows: it equals the booked sums, the rounding, and what is not booked."""

    kind: str
    source: str
    file: str
    currency: str = ""
    rows: int = 0
    rejected: int = 0
    rejects_file: str = ""
    sum: Decimal = Decimal(0)
    rounding: Decimal = Decimal(0)
    not_booked: Decimal = Decimal(0)
    classes: dict[str, Account] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    rejects: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def count(self, what: str, by: int = 1) -> None:
        """Count something that was done."""
        self.counts[what] = self.counts.get(what, 0) + by


class Ledger:
    """Keeps the account of one run."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._currency = Currency(report.currency)

    def book(self, judged: Judged, becomes: str, minor: int | None) -> None:
        """Account for a row: booked at an amount, or (None) standing in no book."""
        name = "duplicate" if judged.repeats else becomes
        self._add(name, judged.row.amount, None if minor is None else to_major(minor, self._currency))

    def reject(self, amount: Decimal, reason: str) -> None:
        """Account for a row that became nothing."""
        self._add("rejected", amount, None)
        rejects = self._report.rejects
        self._report.rejected += 1
        known = reason if reason in rejects or len(rejects) < limits.IMPORT_REASONS_MAX else "other reasons"
        rejects[known] = rejects.get(known, 0) + 1

    def _add(self, name: str, exact: Decimal, booked: Decimal | None) -> None:
        report = self._report
        account = report.classes.setdefault(name, Account())
        account.rows += 1
        account.exact = EXACT.add(account.exact, exact)
        report.rows += 1
        report.sum = EXACT.add(report.sum, exact)
        if booked is None:
            report.not_booked = EXACT.add(report.not_booked, exact)
        else:
            account.booked = EXACT.add(account.booked, booked)
            report.rounding = EXACT.add(report.rounding, EXACT.subtract(exact, booked))


def check(report: Report) -> None:
    """Fail loudly if a row was lost or counted twice: this can only be a bug of ours."""
    accounts = list(report.classes.values())
    with localcontext(EXACT):
        assert report.rows == sum(account.rows for account in accounts)
        assert report.sum == sum((account.exact for account in accounts), Decimal(0))
        booked = sum((account.booked for account in accounts), Decimal(0))
        assert report.sum == booked + report.rounding + report.not_booked


def ordered(classes: Mapping[str, Account]) -> list[tuple[str, Account]]:
    """Return the classes in the order in which they are shown."""
    return [(name, classes[name]) for name in CLASSES if name in classes]
