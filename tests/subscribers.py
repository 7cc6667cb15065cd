"""A shop with plans for tests: one digital article and one box, kept payment methods, and a clock that the tests move."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from msgspec import Struct

from entrepot.base.time import FixedClock, SystemClock, utc
from entrepot.commerce.checkout.held import CheckoutRequest, PaymentChoice
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.checkout.seed import furnish
from entrepot.commerce.payment.query import methods
from entrepot.commerce.subscription import commands, query
from entrepot.commerce.subscription.commands import SubscriptionDraft
from entrepot.commerce.subscription.events import PlanPrice, SubscriptionChanged
from entrepot.commerce.subscription.plans import PlanDraft
from entrepot.commerce.subscription.query import SubscriptionDetail
from entrepot.commerce.subscription.renewing import Renewals
from entrepot.jobs.renewals import renew_due
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.tax.regional import RegionalTax
from entrepot.record.transaction import Record
from tests.till import BUYER
from tests.trade import CELL, open_shop

DAY_MILLIS = 86_400_000


class Subscribers(Struct, frozen=True):
    """Who renews, by which gateway, at what time."""

    record: Record
    gateway: SandboxGateway
    checkouts: Checkouts
    renewals: Renewals
    clock: FixedClock

    async def kept(self, card: str = "tok_ok", customer: UUID | None = None) -> tuple[UUID, UUID]:
        """Buy something by a card whose method is kept, and return the customer and the method."""
        customer = customer or self.record.ids.fresh()
        asked = QuoteRequest(market="uk", country="GB", lines=[WantedLine(sku="box", quantity=1)], customer_id=customer)
        payment = PaymentChoice(kind="card", token=card, keep=True)
        key = f"keep/{self.record.ids.fresh()}"
        await self.checkouts.begin(key, CheckoutRequest(quote=asked, payment=payment, contact=BUYER))
        async with self.record.reading() as connection:
            newest, *_ = await methods(connection, CELL, customer)
        return customer, newest.id

    async def subscribe(self, plan: str, card: str = "tok_ok", *, quantity: int = 1) -> SubscriptionChanged:
        """Subscribe to a plan by a kept method."""
        customer, method = await self.kept(card)
        draft = SubscriptionDraft(
            customer_id=customer, plan=plan, market="uk", contact=BUYER, method_id=method, quantity=quantity
        )
        async with self.record.transaction(CELL) as tx:
            return (await commands.start(tx, draft, utc(self.clock.millis()))).subscription

    async def renew(self, days: int = 0) -> int:
        """Let days pass, and renew what is due."""
        self.clock.now += days * DAY_MILLIS
        return await renew_due(self.record, CELL, self.renewals, self.clock)

    async def read(self, subscription_id: UUID) -> SubscriptionDetail:
        """Return a subscription as it stands."""
        async with self.record.reading() as connection:
            return await query.subscription(connection, CELL, subscription_id)

    async def charged(self, subscription: SubscriptionChanged) -> list[int]:
        """Return what the gateway has promised or taken for a subscription's orders, each checked to be one payment."""
        async with self.record.reading() as connection:
            rows = await connection.fetch(
                "SELECT p.authorized_minor FROM payment.payment p JOIN ordering.orders o USING (cell, id)"
                " WHERE o.channel = 'subscription' AND o.customer_id = $1 ORDER BY o.id",
                subscription.customer_id,
            )
        return [row["authorized_minor"] for row in rows]

    def after(self, days: int) -> None:
        """Move the clock."""
        self.clock.now += int(timedelta(days=days).total_seconds() * 1000)


@asynccontextmanager
async def open_subscribers(record: Record, gateway_url: str) -> AsyncIterator[Subscribers]:
    """Open a shop with the monthly plans ``news`` (10.00), ``more`` (25.00), ``tried`` (14 days free) and ``crate`` (a box)."""
    await open_shop(record, {"paper": 100, "box": 100})
    async with record.transaction(CELL) as tx:
        await furnish(tx, "uk", country="GB")
        await tx.connection.execute("UPDATE catalog.sku SET delivery = 'digital' WHERE sku = 'paper'")
        for code, sku, amount, days in (
            ("news", "paper", 1000, 0), ("more", "paper", 2500, 0), ("tried", "paper", 1000, 14), ("crate", "box", 3000, 0),
        ):  # fmt: skip
            prices = [PlanPrice(market="uk", currency="GBP", amount_minor=amount)]
            await commands.save_plan(tx, code, PlanDraft(title=code, sku=sku, unit="month", prices=prices, trial_days=days))
    gateway = SandboxGateway(gateway_url, seconds=1.0)
    checkouts = Checkouts(record, CELL, gateway, Quoting(RegionalTax(), SystemClock()))
    yield Subscribers(record, gateway, checkouts, Renewals(record, CELL, checkouts), FixedClock(SystemClock().millis()))
    await checkouts.close()
    await gateway.close()
