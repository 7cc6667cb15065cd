"""A shop that sells on net terms, for tests: a company, its three buyers, and the reaction that writes invoices."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from entrepot.base.time import FixedClock, SystemClock, utc
from entrepot.commerce.business import billing, commands
from entrepot.commerce.business.commands import PurchaseDraft, PurchaseLine
from entrepot.commerce.business.events import Party, PurchaseChanged
from entrepot.commerce.business.invoicing import Invoice, ReceiptDraft
from entrepot.commerce.business.purchasing import Purchasing
from entrepot.commerce.business.rules import BuyerDraft, CompanyDraft
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.checkout.seed import furnish
from entrepot.jobs.invoicing import invoicing
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.tax.regional import RegionalTax
from entrepot.record.transaction import Record, Transaction
from tests.following import until_reacted
from tests.till import BUYER
from tests.trade import CELL, open_shop

T = TypeVar("T")

CREDIT_MINOR = 100_000
LIMIT_MINOR = 5_000
MONTH_MINOR = 8_000


class Account(Struct, frozen=True):
    """A company's account, and everything that works on it. ``ann`` buys with limits, ``bea`` and ``cem`` approve."""

    record: Record
    quoting: Quoting
    purchasing: Purchasing
    clock: FixedClock
    company: UUID
    ann: UUID
    bea: UUID
    cem: UUID

    @property
    def now(self) -> datetime:
        """What time it is."""
        return utc(self.clock.millis())

    async def do(self, act: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run a command in a transaction."""
        async with self.record.transaction(CELL) as tx:
            return await act(tx)

    async def ask(self, by: UUID, wanted: dict[str, int], *, negotiation: UUID | None = None) -> PurchaseChanged:
        """Ask to buy these articles."""
        lines = [PurchaseLine(sku=sku, quantity=quantity) for sku, quantity in wanted.items()]
        draft = PurchaseDraft(
            buyer_id=by, market="uk", contact=BUYER, lines=lines, purchase_order="PO-7", negotiation_id=negotiation
        )
        asked = await self.do(lambda tx: commands.request_purchase(tx, self.quoting, self.company, draft, self.now))
        return asked.purchase

    async def buy(self, by: UUID, wanted: dict[str, int], *, negotiation: UUID | None = None) -> PurchaseChanged:
        """Ask to buy these articles, and order them if nobody has to approve."""
        return await self.purchasing.order((await self.ask(by, wanted, negotiation=negotiation)).id)

    async def invoice_all(self) -> list[Invoice]:
        """Let invoices and credit notes be written for all that happened, and return the invoices."""
        await until_reacted(self.record, invoicing(self.clock))
        async with self.record.reading() as connection:
            rows = await connection.fetch(
                "SELECT id, number, state, company_id, order_id, issued_at, due_on, currency, total_minor, paid_minor,"
                " credited_minor, version FROM business.invoice ORDER BY number"
            )
        return [Invoice(**dict(row)) for row in rows]

    async def receive(
        self, amount_minor: int, remittance: str = "", *, reference: str = "", named: bool = True
    ) -> billing.Matched:
        """Note money that came to the bank."""
        draft = ReceiptDraft(
            bank_reference=reference or f"bank-{self.record.ids.fresh()}",
            received_on=self.now.date(),
            currency="GBP",
            amount_minor=amount_minor,
            remittance=remittance,
            company_id=self.company if named else None,
        )
        return await self.do(lambda tx: billing.note_receipt(tx, draft, self.now))

    async def credit_used(self) -> int:
        """Return how much of the company's credit is used."""
        async with self.record.reading() as connection:
            return int(
                await connection.fetchval("SELECT used FROM checkout.allowance WHERE name = $1", f"credit/{self.company}")
            )

    async def owed(self) -> int:
        """Return what the company owes by the ledger."""
        async with self.record.reading() as connection:
            return int(
                await connection.fetchval(
                    "SELECT coalesce(sum(CASE WHEN debit = 'receivable' AND debit_party = $1 THEN amount_minor ELSE 0 END)"
                    " - sum(CASE WHEN credit = 'receivable' AND credit_party = $1 THEN amount_minor ELSE 0 END), 0)"
                    " FROM ordering.transfer",
                    str(self.company),
                )
            )


@asynccontextmanager
async def open_account(record: Record, gateway_url: str) -> AsyncIterator[Account]:
    """Open a shop with tea and cups, and the account of a company with credit of 1,000.00."""
    await open_shop(record, {"tea": 1_000, "cup": 1_000})
    company, ann, bea, cem = (record.ids.fresh() for _ in range(4))
    async with record.transaction(CELL) as tx:
        await furnish(tx, "uk", country="GB")
        await billing.save_issuer(tx, Party(name="Entrepôt Ltd", address="2 Low St, York", bank_account="GB00 TEST"))
        draft = CompanyDraft(
            name="Kim & Sons", country="GB", currency="GBP", vat_id="GB 980 7806 84", credit_limit_minor=CREDIT_MINOR
        )
        await commands.save_company(tx, company, draft)
        limited = BuyerDraft(name="Ann", email="ann@kim.example", order_limit_minor=LIMIT_MINOR, month_limit_minor=MONTH_MINOR)
        await commands.save_buyer(tx, company, ann, limited)
        await commands.save_buyer(tx, company, bea, BuyerDraft(name="Bea", email="bea@kim.example", role="approver"))
        small = BuyerDraft(name="Cem", email="cem@kim.example", role="approver", order_limit_minor=LIMIT_MINOR)
        await commands.save_buyer(tx, company, cem, small)
    gateway = SandboxGateway(gateway_url, seconds=1.0)
    quoting = Quoting(RegionalTax(), SystemClock())
    checkouts = Checkouts(record, CELL, gateway, quoting)
    clock = FixedClock(SystemClock().millis())
    # The reaction's cursor begins where it is first asked: here, before anything was ordered.
    account = Account(record, quoting, Purchasing(record, CELL, checkouts), clock, company, ann, bea, cem)
    await account.invoice_all()
    yield account
    await checkouts.close()
    await gateway.close()
