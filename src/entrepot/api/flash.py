"""A flash sale as the console shows it. Who holds it (``entrepot.shoppers``) comes in from above, in a demo only."""

from typing import Protocol

from msgspec import Struct


class FlashSale(Struct):
    """How a sale stands. ``others`` counts, by kind, whatever was said beside "sold out": there should be none."""

    sku: str = ""
    product_id: str = ""
    pieces: int = 0
    buyers: int = 0
    sold: int = 0
    told_sold_out: int = 0
    others: dict[str, int] = {}
    left: int | None = None
    seconds: float = 0.0
    running: bool = False
    problem: str = ""

    @property
    def oversold(self) -> int:
        """How many were sold beyond what there was: the number that must be zero."""
        return max(self.sold - self.pieces, 0)


class FlashDesk(Protocol):
    """Who holds flash sales: one at a time."""

    @property
    def sale(self) -> FlashSale | None:
        """Return the sale that runs, or the last one; None before the first."""
        ...

    def start(self) -> None:
        """Begin a sale; does nothing while one runs."""
        ...
