"""Our payments and ledger beside the gateway's own account of them: every movement that differs, by name. Changes nothing.

What is under way while it is read looks different for a moment; so what differs is looked at once more, and only what differs
both times is told.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from entrepot.base.limits import GATEWAY_PAGES_MAX, RECONCILE_AGAIN_SECONDS, RECONCILE_PAGE
from entrepot.commerce.payment import differences
from entrepot.commerce.payment.differences import Amount, Difference
from entrepot.commerce.payment.rules import Operation, Payment
from entrepot.partners.payment.port import GatewayPayment, Movement, PaymentGateway, PaymentPage, ReportPage
from entrepot.record.named import queries
from entrepot.record.transaction import Record

SQL = queries(__package__, "reconcile.sql")
LOWEST = UUID(int=0)

Page = TypeVar("Page", PaymentPage, ReportPage)


class Reconciliation(Struct, frozen=True, kw_only=True):
    """What was compared, and what differs."""

    gateway: str
    payments: int
    movements: int
    differences: list[Difference]


async def reconcile(record: Record, gateway: PaymentGateway, cell: int) -> Reconciliation:
    """Compare everything with the gateway's report, twice where something differs."""
    first = await _Books(record, gateway, cell).compare()
    if not first.differences:
        return first
    await asyncio.sleep(RECONCILE_AGAIN_SECONDS)
    again = await _Books(record, gateway, cell).compare()
    both = set(first.differences) & set(again.differences)
    return Reconciliation(
        gateway=again.gateway,
        payments=again.payments,
        movements=again.movements,
        differences=[one for one in again.differences if one in both],
    )


class _Books:
    """One look at both books."""

    def __init__(self, record: Record, gateway: PaymentGateway, cell: int) -> None:
        self._record, self._gateway, self._cell = record, gateway, cell
        self._found: list[Difference] = []
        self._payments: set[UUID] = set()
        self._gone: set[UUID] = set()
        self._operations: set[UUID] = set()
        self._movements = 0
        self._held: dict[str, int] = {}
        self._disputes: dict[str, Amount] = {}
        self._payouts: dict[str, Amount] = {}

    async def compare(self) -> Reconciliation:
        async for payments in _pages(self._gateway.payments):
            await self._compare_payments(payments.payments)
        async for report in _pages(self._gateway.report):
            await self._compare_movements(report.movements)
        await self._only_here()
        await self._sums()
        return Reconciliation(
            gateway=self._gateway.name, payments=len(self._payments), movements=self._movements, differences=self._found
        )

    async def _compare_payments(self, there: list[GatewayPayment]) -> None:
        ids = [one.reference for one in there]
        self._payments.update(ids)
        async with self._record.reading() as connection:
            rows = await connection.fetch(SQL["payments"], self._cell, self._gateway.name, ids)
        here = {row["id"]: Payment(**dict(row)) for row in rows}
        for one in there:
            if one.reference not in here and differences.is_gone(one):
                self._gone.add(one.reference)
            self._note(differences.of_payment(one, here.get(one.reference)))

    async def _compare_movements(self, there: list[Movement]) -> None:
        asked = {one.id: _uuid(one.key) for one in there if one.kind in {"capture", "refund"}}
        ids = [key for key in asked.values() if key]
        self._operations.update(ids)
        async with self._record.reading() as connection:
            rows = await connection.fetch(SQL["operations"], self._cell, ids)
        here = {row["id"]: Operation(**dict(row)) for row in rows}
        for one in there:
            self._movements += 1
            self._held[one.currency] = self._held.get(one.currency, 0) + differences.signed(one)
            if one.kind == "dispute":
                self._disputes[one.key] = (one.amount_minor, one.currency)
            elif one.kind == "payout":
                self._payouts[one.payout] = (one.amount_minor + one.fee_minor, one.currency)
            elif one.reference not in self._gone:  # of those, both captures and refunds are the gateway's alone
                key = asked[one.id]
                self._note(differences.of_operation(one, here.get(key) if key else None))

    async def _only_here(self) -> None:
        """Find payments and operations of ours that the gateway did not tell of."""
        async for row in self._rows("payments_after"):
            if row.id not in self._payments:
                self._found.append(Difference("payment", str(row.id), "missing_there", "a payment"))
        async for row in self._rows("done_after"):
            if row.id not in self._operations:
                told = f"{row.amount_minor} {row.currency}"
                self._found.append(
                    Difference("refund" if row.kind == "refund" else "capture", str(row.id), "missing_there", told)
                )

    async def _sums(self) -> None:
        async with self._record.reading() as connection:
            lost = await connection.fetch(SQL["lost"], self._cell, self._gateway.name)
            paid = await connection.fetch(SQL["payouts"], self._cell, self._gateway.name)
            held = await connection.fetch(SQL["balances"], self._cell, self._gateway.name)
        self._found += differences.of_amounts("dispute", {row[0]: (row[1], row[2]) for row in lost}, self._disputes)
        self._found += differences.of_amounts("payout", {row[0]: (row[1], row[2]) for row in paid}, self._payouts)
        self._found += differences.of_balances({row[0]: row[1] for row in held}, self._held)

    async def _rows(self, query: str) -> AsyncIterator["_Row"]:
        after, more = LOWEST, True
        while more:
            async with self._record.reading() as connection:
                rows = await connection.fetch(SQL[query], self._cell, self._gateway.name, after, RECONCILE_PAGE)
            for row in rows:
                fields = dict(row)
                yield _Row(**{name: fields[name] for name in _Row.__struct_fields__ if name in fields})
            more = len(rows) == RECONCILE_PAGE
            after = rows[-1]["id"] if rows else after

    def _note(self, difference: Difference | None) -> None:
        if difference is not None:
            self._found.append(difference)


class _Row(Struct, frozen=True):
    """What is needed to name something of ours."""

    id: UUID
    kind: str = ""
    amount_minor: int = 0
    currency: str = ""


async def _pages(read: Callable[[str], Awaitable[Page]]) -> AsyncIterator[Page]:
    cursor = ""
    for _ in range(GATEWAY_PAGES_MAX):
        page = await read(cursor)
        yield page
        if not page.more:
            return
        cursor = page.cursor


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None
