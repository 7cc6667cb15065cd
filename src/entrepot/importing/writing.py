"""Writes steps of orders through the commands: sales, then what came back, then stock that was found or lost.

A step that was written whole is marked, with what it refused, under a key made of its content: a run that was cut goes
on from there. In between, every order, return and adjustment has its own key, so nothing is ever written twice.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from entrepot.base import limits
from entrepot.base.errors import EntrepotError, NotFoundError
from entrepot.commerce.catalog.store import SkuRow, skus
from entrepot.commerce.checkout.commands import cancel_order, place_orders, return_goods
from entrepot.commerce.checkout.store import ensure_room
from entrepot.commerce.stock.commands import adjust_stock
from entrepot.commerce.stock.rules import Change
from entrepot.importing.accounting import Ledger, Report
from entrepot.importing.credit import Purchases
from entrepot.importing.documents import Document, Reject, Step
from entrepot.importing.mapping import OrdersMapping
from entrepot.importing.pace import Metronome
from entrepot.importing.plans import CreditPlan, OrderPlan, Planner, StockPlan
from entrepot.importing.rejects import RejectsFile
from entrepot.importing.settle import ACTOR, Write, patiently, settle
from entrepot.record.idempotency import answered, fingerprint, once, remember
from entrepot.record.transaction import Record, Transaction, open_record

P = TypeVar("P", CreditPlan, StockPlan)


class Outcome(Struct):
    """What came of a step: how much of each kind was written, and why the plans under some keys were refused."""

    counts: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


class Writer:
    """Writes the steps of one run over one file, in order."""

    def __init__(
        self,
        record: Record,
        owner: str,
        cell: int,
        source: str,
        mapping: OrdersMapping,
        report: Report,
        rejected: RejectsFile,
        metronome: Metronome,
    ) -> None:
        self._record = record
        self._owner = owner
        self._cell = cell
        self._source = source
        self._mapping = mapping
        self._report = report
        self._rejected = rejected
        self._metronome = metronome
        self._planner = Planner(source, mapping)
        self._purchases = Purchases()
        self._gives_back = bool(mapping.credit_notes) or any(rule.becomes == "return" for rule in mapping.rules)
        self._ledger = Ledger(report)
        self._months: set[tuple[int, int]] = set()

    async def step(self, step: Step) -> None:
        """Write a step, or take up what an earlier run has written of it; account for its rows."""
        key, mark = f"import:{self._source}:step:{step.digest}", fingerprint(step.digest.encode())
        stored = await patiently(lambda: self._answered(key, mark))
        known = msgspec.json.decode(stored, type=Outcome) if stored else None
        outcome = known or Outcome()
        rejects = list(step.rejects)
        for documents in self._metronome.slices(step.documents) if known is None else (step.documents,):
            await self._write(documents, outcome, rejects, write=known is None)
        if known is not None:
            self._report.count("steps_known")
        elif not outcome.refused:
            # What a command refused may be taken tomorrow (an article that was not there yet): such a step is tried again.
            await patiently(lambda: self._mark(key, mark, outcome))
        for what, by in outcome.counts.items():
            self._report.count(what, by)
        rejects.sort(key=lambda reject: reject.line)
        for reject in rejects:
            self._ledger.reject(reject.amount, reject.reason)
        self._rejected.write(rejects)

    async def _answered(self, key: str, mark: bytes) -> bytes | None:
        async with self._record.reading() as connection:
            return await answered(connection, self._cell, key, mark)

    async def _mark(self, key: str, mark: bytes, outcome: Outcome) -> None:
        async with self._record.transaction(self._cell, ACTOR) as tx:
            if await once(tx, key, mark) is None:
                await remember(tx, key, outcome)

    async def _write(self, documents: Sequence[Document], outcome: Outcome, rejects: list[Reject], *, write: bool) -> None:
        """Sales first, then what came back, then stock: within a day the order between them is free (see ``documents``)."""
        orders = [plan for plan in map(self._planner.order, documents) if plan]
        if write:
            await self._metronome.wait(documents)
            await self._make_room(documents)
            await self._place(orders, outcome)
        for order in orders if self._gives_back else ():
            if order.key not in outcome.refused:
                self._purchases.remember(order.document, order.id, order.lines)
        notes = [plan for plan in (self._planner.credit(document, self._purchases) for document in documents) if plan]
        stocks = [plan for plan in map(self._planner.stock, documents) if plan]
        if write:
            await self._in_batches(notes, self._give_back, outcome)
            await self._in_batches(stocks, self._adjust, outcome)
        self._account(orders, notes, stocks, outcome, rejects)
        for document in documents:
            for judged in self._planner.skipped(document):
                self._ledger.book(judged, "duplicate", None)

    async def _place(self, orders: Sequence[OrderPlan], outcome: Outcome) -> None:
        for start in range(0, len(orders), limits.IMPORT_ORDERS_PER_CALL_MAX):
            plans = orders[start : start + limits.IMPORT_ORDERS_PER_CALL_MAX]
            place = partial(place_orders, self._record, self._cell, [(plan.key, plan.request, None) for plan in plans], ACTOR)
            answers = await patiently(place)
            for plan, answer in zip(plans, answers, strict=True):
                if isinstance(answer, EntrepotError):
                    outcome.refused[plan.key] = str(answer)
                else:
                    outcome.counts["orders"] = outcome.counts.get("orders", 0) + 1

    async def _make_room(self, documents: Sequence[Document]) -> None:
        """Make the partitions of the months that these documents belong to, as who owns them."""
        missing = [document.at for document in documents if (document.at.year, document.at.month) not in self._months]
        if not missing:
            return

        async def make() -> None:
            async with AsyncExitStack() as stack:
                owner = self._record
                if self._owner:
                    owner = await stack.enter_async_context(await open_record(self._owner, connections=1))
                connection = await stack.enter_async_context(owner.committing())
                await ensure_room(connection, min(missing), max(missing))

        await patiently(make)
        self._months.update((moment.year, moment.month) for moment in missing)

    async def _in_batches(self, plans: Sequence[P], write: Write[P], outcome: Outcome) -> None:
        for start in range(0, len(plans), limits.IMPORT_UNITS_PER_TRANSACTION_MAX):
            batch = plans[start : start + limits.IMPORT_UNITS_PER_TRANSACTION_MAX]
            settled = await settle(self._record, self._cell, batch, write)
            outcome.refused.update({plan.key: reason for plan, reason in settled.refused})
            for what, by in settled.counts.items():
                outcome.counts[what] = outcome.counts.get(what, 0) + by

    async def _give_back(self, tx: Transaction, plans: Sequence[CreditPlan]) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        for plan in plans:
            if plan.cancels is not None:
                await cancel_order(tx, plan.key, plan.cancels, f"credit note {plan.document.name}", plan.document.at)
                counts["cancellations"] += 1
            for number, request in enumerate(plan.returns):
                await return_goods(tx, f"{plan.key}:{number}", request)
                counts["returns" if request.order_id else "returns_without_an_order"] += 1
        return counts

    async def _adjust(self, tx: Transaction, plans: Sequence[StockPlan]) -> Mapping[str, int]:
        """All new corrections of a batch are one change of stock; each has its own key."""
        known = await skus(tx.connection, sorted({sku for plan in plans for sku in plan.pieces}))
        changes: list[Change] = []
        for plan in plans:
            if await once(tx, plan.key, fingerprint(msgspec.json.encode(plan.pieces))) is None:
                changes += [self._change(known, sku, pieces) for sku, pieces in plan.pieces.items()]
                await remember(tx, plan.key, b"{}")
        await adjust_stock(tx, changes)
        return {"adjustments": len(plans)}

    def _change(self, known: Mapping[str, SkuRow], sku: str, pieces: int) -> Change:
        if sku not in known:
            raise NotFoundError(f"There is no article {sku!r}: import the products first.", sku=sku)
        return Change(variant_id=known[sku].variant_id, warehouse=self._mapping.warehouse, delta=pieces)

    def _account(
        self,
        orders: Sequence[OrderPlan],
        notes: Sequence[CreditPlan],
        stocks: Sequence[StockPlan],
        outcome: Outcome,
        rejects: list[Reject],
    ) -> None:
        """Book each row of the plans under what it has become, or among the rejects."""
        plans: list[OrderPlan | CreditPlan | StockPlan] = [*orders, *notes, *stocks]
        for plan in plans:
            reason = outcome.refused.get(plan.key)
            for judged in plan.rows:
                if reason is not None:
                    rejects.append(Reject(judged.row.line, reason, judged.row.raw, judged.row.amount))
                else:
                    booked = None if isinstance(plan, StockPlan) else self._planner.minor(judged)
                    self._ledger.book(judged, plan.account(judged), booked)
