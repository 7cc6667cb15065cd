"""Events to stock levels: one small item for each article and warehouse. Pure."""

from collections.abc import Mapping, Sequence

from entrepot.base.event import Event
from entrepot.base.projection import Item, Shape
from entrepot.commerce.stock.events import STOCK_CHANGED, StockChanged


class LiveStock:
    """The projection; answers ``entrepot.base.projection.Projection``."""

    name = "live_stock"
    version = 1
    role = "memory"
    kinds = frozenset({STOCK_CHANGED})
    aggregates: tuple[str, ...] = ("stock",)
    shape = Shape()

    def reads(self, event: Event) -> Sequence[str]:  # noqa: ARG002  # the contract's; a plain mapping looks at nothing
        """Return nothing: each event says all there is to know."""
        return ()

    def project(self, event: Event, state: Mapping[str, Item]) -> Sequence[Item]:  # noqa: ARG002  # as above
        """Return the level after the change."""
        return [Item(event.key, event.version, {"available": event.decode(StockChanged).available})]
