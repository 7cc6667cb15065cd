"""A till for tests: quotes by short names for the shop of ``trade``, checkouts in steps, and what must always hold of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from entrepot.commerce.cart.state import Address, Contact
from entrepot.commerce.checkout.claims import Claim
from entrepot.commerce.checkout.held import CheckoutRequest, Ended, PaymentChoice, Placing, Releasing, Reserved, Reserving
from entrepot.commerce.checkout.quote import Quote, QuotedLine, QuoteRequest, Shipping, WantedLine
from entrepot.commerce.checkout.requests import ChargeRequest
from entrepot.commerce.checkout.steps import place_checkouts, release_checkouts, reserve_checkouts
from entrepot.partners.payment.port import Authorized
from entrepot.record.transaction import Record
from tests.trade import CELL

UNIT_MINOR = 500
TOKEN = "tok_ok"  # noqa: S105  # the sandbox gateway's, for a card that is always good
BUYER = Contact(
    email="kim@example.org", name="Kim", address=Address(line1="1 High St", city="York", postcode="YO1", country="GB")
)
SECONDS = 900.0


def asking(
    key: str, variants: dict[str, UUID], wanted: dict[str, int], *, claims: Sequence[Claim] = (), postage_minor: int = 0
) -> Reserving:
    """Return a checkout of these articles at the shop's one price, paid by card."""
    lines = [
        QuotedLine(
            line=n, sku=sku, product_id=variants[sku], variant_id=variants[sku], category_id=None, seller_id=None,
            delivery="ship", weight_grams=100, quantity=pieces, list_minor=UNIT_MINOR, discount_minor=0,
            amount_minor=UNIT_MINOR * pieces, tax_minor=0, commission_permille=0,
        )
        for n, (sku, pieces) in enumerate(wanted.items(), 1)
    ]  # fmt: skip
    goods = sum(line.amount_minor for line in lines)
    charges = [ChargeRequest(kind="postage", amount_minor=postage_minor)] if postage_minor else []
    quote = Quote(
        market="uk", country="GB", currency="GBP", lines=lines, charges=charges, taxes=[], claims=list(claims),
        shipping=Shipping(chosen=None, offered=[]), goods_minor=goods, charges_minor=postage_minor, tax_minor=0,
        total_minor=goods + postage_minor, explained=[], at=datetime.now(UTC),
    )  # fmt: skip
    asked = QuoteRequest(market="uk", country="GB", lines=[WantedLine(sku=sku, quantity=n) for sku, n in wanted.items()])
    request = CheckoutRequest(quote=asked, payment=PaymentChoice(kind="card", token=TOKEN), contact=BUYER)
    return Reserving(key=key, mark=f"{wanted}{claims}".encode().ljust(32), request=request, quote=quote)


async def reserve(record: Record, *asked: Reserving, seconds: float = SECONDS) -> list[Reserved | BaseException]:
    """Reserve these checkouts by one call."""
    return [*await reserve_checkouts(record, CELL, asked, actor="test", seconds=seconds)]


async def reserve_one(record: Record, asked: Reserving) -> Reserved:
    """Reserve a checkout that can be reserved."""
    [answer] = await reserve(record, asked)
    assert isinstance(answer, Reserved), answer
    return answer


async def place(record: Record, *reserved: Reserved, captured_minor: int = 0) -> list[Ended]:
    """Place these checkouts as if a gateway had promised their money."""
    asked = []
    for one in reserved:
        assert one.held is not None
        order = one.held.order
        promised = Authorized(
            payment_id=f"pay-{order.id}", amount_minor=order.total_minor, currency=order.currency, captured_minor=captured_minor
        )
        asked.append(Placing(order.id, "sandbox", promised))
    placed = await place_checkouts(record, CELL, asked, actor="test")
    assert all(isinstance(one, Ended) for one in placed), placed
    return [one for one in placed if isinstance(one, Ended)]


async def release(record: Record, *reserved: Reserved, state: str = "declined", reason: str = "no") -> list[Ended]:
    """End these checkouts without an order."""
    asked = [Releasing(one.checkout_id, state, reason, 5) for one in reserved]  # type: ignore[arg-type]  # a known state
    ended = await release_checkouts(record, CELL, asked, actor="test")
    assert all(isinstance(one, Ended) for one in ended), ended
    return [one for one in ended if isinstance(one, Ended)]


async def shelf(record: Record, sku: str) -> tuple[int, int, int]:
    """Return how many pieces of a SKU are available, reserved and sold."""
    async with record.reading() as connection:
        row = await connection.fetchrow(
            "SELECT coalesce(sum(l.available), 0)::int, coalesce(sum(l.reserved), 0)::int,"
            " coalesce((SELECT sum(o.quantity) FROM ordering.line o WHERE o.sku = $1), 0)::int"
            " FROM stock.level l JOIN catalog.sku s USING (variant_id) WHERE s.sku = $1",
            sku,
        )
    assert row is not None
    return row[0], row[1], row[2]


async def used(record: Record, name: str) -> int:
    """Return how much of an allowance is used."""
    async with record.reading() as connection:
        return int(await connection.fetchval("SELECT coalesce(sum(used), 0) FROM checkout.allowance WHERE name = $1", name))


async def check_whole(record: Record) -> None:
    """Assert what must hold whenever nothing is under way in the middle of a call."""
    async with record.reading() as connection:
        wrong = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM stock.level l WHERE l.reserved <> coalesce((SELECT sum(u.n)"
            "  FROM stock.reservation r, unnest(r.variants, r.warehouses, r.quantities) u (v, w, n)"
            "  WHERE u.v = l.variant_id AND u.w = l.warehouse), 0)) AS levels,"
            " (SELECT count(*) FROM checkout.checkout c WHERE (c.state IN ('authorizing', 'challenged')) <> EXISTS"
            "  (SELECT FROM stock.reservation r WHERE r.id = c.id)) AS reservations,"
            " (SELECT count(*) FROM checkout.checkout c WHERE (c.state = 'placed') <> EXISTS"
            "  (SELECT FROM ordering.orders o WHERE o.id = c.id)) AS orders,"
            " (SELECT count(*) FROM ordering.orders o WHERE o.paid_by = 'card' AND o.total_minor <> coalesce("
            "  (SELECT p.authorized_minor FROM payment.payment p WHERE p.id = o.id), 0)) AS unpaid,"
            " (SELECT count(*) FROM checkout.allowance a WHERE a.used <> coalesce((SELECT sum(u.n) FROM checkout.checkout c,"
            "  unnest(c.claim_names, c.claim_amounts) u (name, n) WHERE u.name = a.name"
            "  AND (c.state = 'placed' OR c.held IS NOT NULL)), 0)) AS allowances,"
            " (SELECT count(*) FROM stock.level l WHERE l.version > 0 AND NOT EXISTS (SELECT FROM log.event e"
            "  WHERE e.version = l.version AND e.key = 'stock/' || l.variant_id || '/' || l.warehouse"
            "  AND (e.body ->> 'available')::int = l.available)) AS untold"
        )
    assert wrong is not None
    assert not any(wrong.values()), dict(wrong)
