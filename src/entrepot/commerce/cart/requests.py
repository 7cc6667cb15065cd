"""What can be asked of a cart."""

from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field


class CartLineRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pieces of an article to put in, with a note for whoever packs or makes it."""

    sku: str
    quantity: int
    note: str = ""


class CartRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new cart: where it buys, and where it goes; without a currency it is the market's."""

    market: str
    country: str
    currency: str | None = None
    customer_id: UUID | None = None
    lines: list[CartLineRequest] = field(default_factory=list)


class LineChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many pieces there shall be (0: none), another note, or both; what is not named stays."""

    quantity: int | UnsetType = UNSET
    note: str | UnsetType = UNSET


class Carted(Struct, frozen=True, kw_only=True):
    """What an article is offered as; ``unit_minor`` None says it has no price there, ``left`` None that nobody has looked."""

    sku: str
    product_id: UUID
    offered: bool
    unit_minor: int | None
    left: int | None = None
