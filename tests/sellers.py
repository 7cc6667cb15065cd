"""A market for tests: a seller's lamps and our own tea, a supplier's cups, orders by the saga, and time that the tests move."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from msgspec import Struct

from entrepot.base.time import FixedClock, SystemClock, utc
from entrepot.commerce.aftersale import commands as aftersale
from entrepot.commerce.aftersale import planning, returning
from entrepot.commerce.aftersale.requests import Inspected, LinePieces, ReturnWish
from entrepot.commerce.catalog.commands import set_selling_terms
from entrepot.commerce.catalog.rules import SellingTerms
from entrepot.commerce.checkout.held import CheckoutRequest, PaymentChoice
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.checkout.seed import furnish
from entrepot.commerce.fulfilment.store import of_order
from entrepot.commerce.marketplace import commands, query
from entrepot.commerce.marketplace.paying import Statement
from entrepot.commerce.marketplace.rules import Feed, FeedLine, SellerDraft
from entrepot.commerce.payment.events import DisputeMoved
from entrepot.commerce.payment.operations import finish_operations
from entrepot.jobs.payouts import pay_sellers
from entrepot.jobs.sellers import SELLER_ORDERS
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.payout.port import PayingBank
from entrepot.partners.tax.regional import RegionalTax
from entrepot.record.transaction import Record
from tests.conftest import superuser
from tests.following import until_reacted
from tests.till import BUYER
from tests.trade import CELL, open_shop

DAY_MILLIS = 86_400_000
PRICE_MINOR = 1_000
COMMISSION_PERMILLE = 150
COST_MINOR = 600


def lost_dispute(order_id: UUID, amount_minor: int) -> DisputeMoved:
    """Return what is told of a dispute over an order that was lost."""
    return DisputeMoved(
        id=order_id, payment_id=order_id, gateway="sandbox", state="lost", amount_minor=amount_minor, currency="GBP",
        reason="fraud", evidence_due=utc(0),
    )  # fmt: skip


class Market(Struct, frozen=True):
    """A seller (``lamp``), a supplier (``cup``, from the warehouses ``near`` and ``far``), and all that works for them."""

    record: Record
    gateway: SandboxGateway
    checkouts: Checkouts
    clock: FixedClock
    seller: UUID
    supplier: UUID

    async def buy(self, wanted: dict[str, int], key: str = "buy", *, token: str = "tok_ok") -> UUID:  # noqa: S107  # a test card's
        """Buy by card, and let shipments and seller orders be planned."""
        lines = [WantedLine(sku=sku, quantity=pieces) for sku, pieces in wanted.items()]
        request = CheckoutRequest(
            quote=QuoteRequest(market="uk", country="GB", lines=lines),
            payment=PaymentChoice(kind="card", token=token),
            contact=BUYER,
        )
        answer = await self.checkouts.begin(key, request)
        assert answer.order_id is not None, answer
        async with self.record.transaction(CELL) as tx:
            await planning.plan_shipments(tx, [answer.order_id])
        await self.follow()
        return answer.order_id

    async def follow(self) -> None:
        """Let the reaction see all that happened."""
        await until_reacted(self.record, SELLER_ORDERS)

    async def deliver(self, order_id: UUID) -> None:
        """Send all of an order, take its money, and let it arrive."""
        async with self.record.reading() as connection:
            planned = await of_order(connection, CELL, order_id)
        for shipment in planned:
            async with self.record.transaction(CELL) as tx:
                await aftersale.ship(tx, shipment.id, "own", "T1")
            async with self.record.transaction(CELL) as tx:
                await aftersale.deliver(tx, shipment.id)
        await finish_operations(self.record, self.gateway, CELL, patience_seconds=0)
        await self.follow()

    async def take_back(self, order_id: UUID, line: int, pieces: int) -> None:
        """Take pieces back and refund them."""
        wish = ReturnWish(reason="changed_mind", lines=[LinePieces(line=line, quantity=pieces)])
        async with self.record.transaction(CELL) as tx:
            case = await returning.request_return(tx, order_id, wish)
        async with self.record.transaction(CELL) as tx:
            await returning.receive_return(tx, case.id, wish.lines)
        async with self.record.transaction(CELL) as tx:
            await returning.inspect_return(tx, case.id, [Inspected(line=line, restock=pieces)])
        async with self.record.transaction(CELL) as tx:
            await returning.refund_return(tx, case.id)
        await finish_operations(self.record, self.gateway, CELL, patience_seconds=0)
        await self.follow()

    def later(self, days: int) -> None:
        """Let days go by."""
        self.clock.now += days * DAY_MILLIS

    async def pay(self, bank: PayingBank) -> int:
        """Let the job pay sellers."""
        return await pay_sellers(self.record, bank, CELL, self.clock)

    async def money(self, seller: UUID) -> tuple[int, int, int]:
        """Return a seller's balance, what of it is held back, and what can be paid."""
        async with self.record.reading() as connection:
            detail = await query.seller(connection, CELL, seller, self.clock)
        [one] = detail.balances or [query.SellerBalance(currency="GBP", balance_minor=0, held_minor=0, payable_minor=0)]
        return one.balance_minor, one.held_minor, one.payable_minor

    async def statement(self, seller: UUID) -> Statement:
        """Return a seller's statement of all time."""
        now = utc(self.clock.millis())
        async with self.record.reading() as connection:
            return await query.statement(connection, CELL, seller, "GBP", now - timedelta(days=400), now + timedelta(days=400))

    async def feed(self, warehouse: str, sequence: int, levels: dict[str, int], cost_minor: int = COST_MINOR) -> commands.Fed:
        """Let the supplier tell what it has."""
        lines = [FeedLine(sku=sku, quantity=pieces, cost_minor=cost_minor) for sku, pieces in levels.items()]
        async with self.record.transaction(CELL) as tx:
            return await commands.apply_feed(tx, self.supplier, warehouse, Feed(sequence=sequence, lines=lines, currency="GBP"))


@asynccontextmanager
async def open_market(record: Record, gateway_url: str) -> AsyncIterator[Market]:
    """Open a market with 100 pieces of tea (ours) and of lamps (the seller's); the supplier has told nothing yet."""
    async with superuser(record) as connection:
        await connection.execute("SELECT ordering.ensure_room(now(), now() + interval '100 days')")
    await open_shop(record, {"tea": 100, "lamp": 100, "cup": 0}, price_minor=PRICE_MINOR)
    async with record.transaction(CELL) as tx:
        await furnish(tx, "uk", country="GB")
        draft = SellerDraft(name="Lamps & Sons", country="GB", commission_permille=COMMISSION_PERMILLE)
        seller = (await commands.save_seller(tx, "lamps", draft)).seller.id
        supplies = SellerDraft(name="Cups Ltd", country="GB", kind="supplier")
        supplier = (await commands.save_seller(tx, "cups", supplies)).seller.id
        await commands.save_warehouse(tx, supplier, "near", "GB", 50, 300)
        await commands.save_warehouse(tx, supplier, "far", "US", 50, 900)
        await set_selling_terms(tx, [SellingTerms(sku="lamp", seller_id=seller, weight_grams=500)])
    gateway = SandboxGateway(gateway_url, seconds=1.0)
    checkouts = Checkouts(record, CELL, gateway, Quoting(RegionalTax(), SystemClock()))
    market = Market(record, gateway, checkouts, FixedClock(SystemClock().millis()), seller, supplier)
    await market.follow()  # its cursor begins here
    yield market
    await checkouts.close()
    await gateway.close()
