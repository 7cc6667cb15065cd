"""Events to baskets: one node for each order, with an edge to each product in it. Pure.

A return keeps the basket: what came back had been bought together all the same. A cancelled order never was.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files

from msgspec import Struct

from entrepot.base.event import Event
from entrepot.base.projection import Item, Shape
from entrepot.base.time import millis_of
from entrepot.commerce.ordering.events import ORDER_CANCELLED, ORDER_PLACED


class _Line(Struct, frozen=True):
    product_id: str


class _Basket(Struct, frozen=True):
    """What a basket needs of ``OrderPlaced``: reading all the rest of every line would cost more than writing the graph."""

    placed_at: datetime
    lines: list[_Line]


class BoughtTogether:
    """The projection; answers ``entrepot.base.projection.Projection``."""

    name = "bought_together"
    version = 1
    role = "graph"
    kinds = frozenset({ORDER_PLACED, ORDER_CANCELLED})
    aggregates: tuple[str, ...] = ("order",)

    def __init__(self) -> None:
        self.shape = Shape(files(__package__).joinpath("shape.cypher").read_text(encoding="utf-8"))

    def reads(self, event: Event) -> Sequence[str]:  # noqa: ARG002  # the contract's; a plain mapping looks at nothing
        """Return nothing: each event says all there is to know."""
        return ()

    def project(self, event: Event, state: Mapping[str, Item]) -> Sequence[Item]:  # noqa: ARG002  # as above
        """Return the order's basket."""
        if event.kind == ORDER_CANCELLED:
            return [Item(event.key, event.version, None)]
        order = event.decode(_Basket)
        products = sorted({line.product_id for line in order.lines})
        properties = {"at": millis_of(order.placed_at), "size": len(products)}
        return [
            Item(event.key, event.version, {"properties": properties, "edges": [["HAS", "Product", id_] for id_ in products]})
        ]
