"""Order events to facts: sales positive, cancellations and returns negative, so that any sum over rows is the net. Pure.

Facts are never changed: each event adds its own, under an id that names the event and the line. A line's id ends in its number
(``00001``), a charge's in its own with a letter (``c00001``).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Literal

from msgspec import Struct

from entrepot.base.event import Event
from entrepot.base.projection import Item, Shape
from entrepot.commerce.ordering.events import LINES_CANCELLED, ORDER_CANCELLED, ORDER_PLACED, ORDER_RETURNED

Fact = Literal["sale", "cancellation", "return"]

ARTICLE = "article"  # the kind of a line; a charge has its own (postage, discount, ...)


# What facts need of the events, with ids as the text they are kept as. An order has many lines: reading them whole, with UUIDs
# made and watched by the garbage collector, took 3.5 us a line, this 1.5. A test holds their fields to those of the events.
class LineView(Struct, frozen=True, gc=False):
    """What a fact needs of a line."""

    line: int
    product_id: str
    variant_id: str
    sku: str
    warehouse: str
    quantity: int
    amount_minor: int
    category_id: str | None = None


class ChargeView(Struct, frozen=True, gc=False):
    """What a fact needs of a charge."""

    charge: int
    kind: str
    amount_minor: int


class OrderView(Struct, frozen=True):
    """What facts need of an order that was placed."""

    id: str
    market: str
    country: str
    currency: str
    lines: list[LineView]
    placed_at: datetime
    charges: list[ChargeView] = []
    customer_id: str | None = None


class CancellationView(Struct, frozen=True):
    """What facts need of a cancellation: the whole order, taken back."""

    at: datetime
    order: OrderView


class ReturnView(Struct, frozen=True):
    """What facts need of a return, or of lines that were cancelled; one whose order is not known here has no ``id``."""

    market: str
    country: str
    currency: str
    lines: list[LineView]
    at: datetime
    id: str | None = None
    charges: list[ChargeView] = []
    customer_id: str | None = None


class SalesFacts:
    """The projection; answers ``entrepot.base.projection.Projection``."""

    name = "sales_facts"
    version = 1
    role = "columns"
    kinds = frozenset({ORDER_PLACED, ORDER_CANCELLED, ORDER_RETURNED, LINES_CANCELLED})
    aggregates = ("order", "return")

    def __init__(self) -> None:
        self.shape = Shape(files(__package__).joinpath("shape.sql").read_text(encoding="utf-8"))

    def reads(self, event: Event) -> Sequence[str]:  # noqa: ARG002  # the contract's; a plain mapping looks at nothing
        """Return nothing: each event says all there is to know."""
        return ()

    def project(self, event: Event, state: Mapping[str, Item]) -> Sequence[Item]:  # noqa: ARG002  # as above
        """Return a fact for each line and each charge of the event."""
        if event.kind == ORDER_PLACED:
            placed = event.decode(OrderView)
            return list(_facts(event, placed, "sale", placed.placed_at))
        if event.kind == ORDER_CANCELLED:
            cancelled = event.decode(CancellationView)
            return list(_facts(event, cancelled.order, "cancellation", cancelled.at))
        returned = event.decode(ReturnView)
        return list(_facts(event, returned, "cancellation" if event.kind == LINES_CANCELLED else "return", returned.at))


def _facts(event: Event, order: OrderView | ReturnView, fact: Fact, at: datetime) -> Iterator[Item]:
    prefix = f"{event.key}/{event.version:010}"
    sign = 1 if fact == "sale" else -1
    common = {
        "order_id": order.id,
        "fact": fact,
        "at": at.astimezone(UTC) if at.tzinfo else at,  # as it will come back; without a zone it is refused
        "market": order.market,
        "country": order.country,
        "currency": order.currency,
        "customer_id": order.customer_id,
    }
    for line in order.lines:
        body = {
            **common,
            "kind": ARTICLE,
            "product_id": line.product_id,
            "variant_id": line.variant_id,
            "category_id": line.category_id,
            "sku": line.sku,
            "warehouse": line.warehouse,
            "quantity": sign * line.quantity,
            "amount_minor": sign * line.amount_minor,
        }
        yield Item(f"{prefix}/{line.line:05}", event.version, body)
    for charge in order.charges:
        body = {
            **common,
            "kind": charge.kind,
            "product_id": None,
            "variant_id": None,
            "category_id": None,
            "sku": "",
            "warehouse": "",
            "quantity": 0,
            "amount_minor": sign * charge.amount_minor,
        }
        yield Item(f"{prefix}/c{charge.charge:05}", event.version, body)
