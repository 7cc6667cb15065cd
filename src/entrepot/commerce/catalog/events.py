"""What can have happened to the catalogue. Keys: ``product/<id>``, ``category/<id>``, ``selling_terms/<variant id>``."""

from datetime import date
from uuid import UUID

from msgspec import Struct, field

CATEGORY_CHANGED = "catalog.category_changed.v1"
PRODUCT_CHANGED = "catalog.product_changed.v1"
PRODUCT_WITHDRAWN = "catalog.product_withdrawn.v1"
SELLING_TERMS_SET = "catalog.selling_terms_set.v1"

AttributeValue = str | int | float | bool


class CategoryChanged(Struct, frozen=True, kw_only=True):
    """A category was made, renamed or moved: its whole state. ``names`` by BCP 47 locale; ``path`` root first, itself last."""

    id: UUID
    code: str
    parent_id: UUID | None = None
    names: dict[str, str] = field(default_factory=dict)
    path: list[UUID] = field(default_factory=list)


class ProductText(Struct, frozen=True, kw_only=True):
    """What is said of a product in one language."""

    title: str
    summary: str = ""
    description: str = ""


class Variant(Struct, frozen=True, kw_only=True):
    """One sellable form of a product. ``options`` tell it from its siblings (size, colour)."""

    id: UUID
    sku: str
    options: dict[str, str] = field(default_factory=dict)
    barcodes: list[str] = field(default_factory=list)


class Media(Struct, frozen=True, kw_only=True):
    """A reference to a picture or document; ``role`` is ``main``, ``gallery`` or ``document``."""

    url: str
    role: str = "gallery"
    alt: str = ""


class ProductChanged(Struct, frozen=True, kw_only=True):
    """A product was made or changed: its whole state without prices and stock. ``texts`` by BCP 47 locale."""

    id: UUID
    code: str
    brand: str = ""
    texts: dict[str, ProductText] = field(default_factory=dict)
    category_ids: list[UUID] = field(default_factory=list)
    category_path_ids: list[UUID] = field(default_factory=list)
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    variants: list[Variant] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    released_on: date | None = None


class ProductWithdrawn(Struct, frozen=True, kw_only=True):
    """A product is no longer offered; its orders keep its name."""

    id: UUID
    code: str


class SellingTermsSet(Struct, frozen=True, kw_only=True):
    """How a SKU is sold from now on: by whom (None: by us), how it is taxed, what it weighs, how it is delivered."""

    variant_id: UUID
    sku: str
    seller_id: UUID | None = None
    tax_class: str = "standard"
    weight_grams: int = 0
    delivery: str = "ship"
