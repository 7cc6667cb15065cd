"""A shop of digital goods for tests: software that comes by licence, a book that is a file, tea that is sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import EntrepotError
from entrepot.base.time import FixedClock, SystemClock, utc
from entrepot.commerce.aftersale import planning
from entrepot.commerce.catalog.commands import set_selling_terms
from entrepot.commerce.catalog.rules import SellingTerms
from entrepot.commerce.checkout.held import CheckoutRequest, PaymentChoice
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.checkout.seed import furnish
from entrepot.commerce.digital import commands, query
from entrepot.commerce.digital.query import DigitalItem, Pool
from entrepot.commerce.digital.rules import FileDraft
from entrepot.commerce.payment.operations import finish_operations
from entrepot.jobs.digital import HANDING_OUT
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.tax.regional import RegionalTax
from entrepot.record.transaction import Record
from tests.following import until_reacted
from tests.till import BUYER
from tests.trade import CELL, open_shop

FILE = FileDraft(object="downloads/book.epub", file_name="book.epub", media_type="application/epub+zip", downloads_most=2)


class DigitalShop(Struct, frozen=True):
    """What sells, and a clock that the tests move."""

    record: Record
    gateway: SandboxGateway
    checkouts: Checkouts
    clock: FixedClock

    async def buy(self, wanted: dict[str, int], key: str = "buy") -> UUID:
        """Buy by card, and let everything that follows an order follow it."""
        order_id = await self.ask(wanted, key)
        assert isinstance(order_id, UUID), order_id
        await self.follow(order_id)
        return order_id

    async def ask(self, wanted: dict[str, int], key: str) -> UUID | EntrepotError:
        """Buy by card; returns the order, or why there is none."""
        lines = [WantedLine(sku=sku, quantity=pieces) for sku, pieces in wanted.items()]
        request = CheckoutRequest(
            quote=QuoteRequest(market="uk", country="GB", lines=lines),
            payment=PaymentChoice(kind="card", token="tok_ok"),  # noqa: S106  # a test card's
            contact=BUYER,
        )
        try:
            answer = await self.checkouts.begin(key, request)
        except EntrepotError as error:
            return error
        assert answer.order_id is not None, answer
        return answer.order_id

    async def follow(self, *order_ids: UUID) -> None:
        """Let shipments be planned, money be taken, and licences be handed out and revoked."""
        if order_ids:
            async with self.record.transaction(CELL) as tx:
                await planning.plan_shipments(tx, order_ids)
        await finish_operations(self.record, self.gateway, CELL, patience_seconds=0)
        await until_reacted(self.record, HANDING_OUT)

    async def add(self, *codes: str) -> commands.LicencesAdded:
        """Fill the pool."""
        async with self.record.transaction(CELL) as tx:
            return await commands.add_licences(tx, "app", codes)

    async def items(self, order_id: UUID) -> list[DigitalItem]:
        """Return what an order gives a right to."""
        async with self.record.transaction(CELL) as tx:
            secret = await commands.signing_secret(tx)
            return await query.of_order(tx.connection, CELL, order_id, secret, utc(self.clock.millis()))

    async def pool(self) -> Pool:
        """Return the pool, once it was seen that nothing is promised twice."""
        async with self.record.reading() as connection:
            pool = await query.pool(connection, CELL, "app")
            reserved = await connection.fetchval(
                "SELECT coalesce(sum(l.reserved), 0) FROM stock.level l"
                " JOIN catalog.sku s USING (variant_id) WHERE s.sku = 'app'"
            )
        assert pool.available + reserved + pool.waiting == pool.free
        return pool


@asynccontextmanager
async def open_digital_shop(record: Record, gateway_url: str) -> AsyncIterator[DigitalShop]:
    """Open a shop with tea, a book to download, and software whose pool is empty."""
    await open_shop(record, {"tea": 10, "app": 0, "book": 0})
    async with record.transaction(CELL) as tx:
        await furnish(tx, "uk", country="GB")
        await set_selling_terms(tx, [SellingTerms(sku=sku, delivery="digital") for sku in ("app", "book")])
        await commands.offer_file(tx, "book", FILE)
    gateway = SandboxGateway(gateway_url, seconds=5.0)
    checkouts = Checkouts(record, CELL, gateway, Quoting(RegionalTax(), SystemClock()))
    shop = DigitalShop(record, gateway, checkouts, FixedClock(SystemClock().millis()))
    await shop.follow()  # its cursor begins here
    yield shop
    await checkouts.close()
    await gateway.close()
