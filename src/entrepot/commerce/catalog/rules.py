"""Pure decisions of the catalogue: what a draft must be, and what a product becomes."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Literal
from uuid import UUID

import msgspec
from babel import Locale, UnknownLocaleError
from msgspec import Struct, field

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError, NotFoundError
from entrepot.commerce.catalog.events import AttributeValue, CategoryChanged, Media, ProductChanged, ProductText, Variant

# What a browser takes for the scheme of an address, once it has left out what cannot be seen.
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)

CODE = re.compile(r"[^\s\x00-\x1f]([^\x00-\x1f]{0,198}[^\s\x00-\x1f])?")


class VariantDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A variant as someone wants it to be; its SKU is its name for ever."""

    sku: str
    options: dict[str, str] = field(default_factory=dict)
    barcodes: list[str] = field(default_factory=list)


class ProductDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product as someone wants it to be; ``code`` is the name it is known by where it comes from."""

    code: str
    texts: dict[str, ProductText]
    variants: list[VariantDraft]
    brand: str = ""
    category_codes: list[str] = field(default_factory=list)
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    media: list[Media] = field(default_factory=list)
    released_on: date | None = None


class CategoryDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A category as someone wants it to be; ``names`` by locale."""

    code: str
    names: dict[str, str]
    parent_code: str | None = None


class SellingTerms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a SKU is to be sold: by whom (None: by us), how it is taxed, what it weighs, how it is delivered."""

    sku: str
    seller_id: UUID | None = None
    tax_class: str = "standard"
    weight_grams: int = 0
    delivery: Literal["ship", "digital", "service"] = "ship"


class CategoryRow(Struct, frozen=True):
    """A category as it stands."""

    id: UUID
    code: str
    parent_id: UUID | None
    path: list[UUID]
    names: dict[str, str]
    version: int


class ProductRow(Struct, frozen=True):
    """What decides about a product's change: its version, and the digest of what it is."""

    id: UUID
    version: int
    digest: bytes
    state: str


def check_product(draft: ProductDraft) -> None:
    """Refuse a draft that cannot be a product, naming the field and the value."""
    check_code("product code", draft.code)
    _check_locales(f"product {draft.code}", draft.texts)
    for locale, text in draft.texts.items():
        if not text.title.strip():
            raise BadInputError(f"Product {draft.code} has an empty title in {locale}: give it one.", code=draft.code)
        if len(text.description) > limits.TEXT_CHARS_MAX:
            raise BadInputError(
                f"Product {draft.code} has a description of {len(text.description)} characters in {locale}: "
                f"{limits.TEXT_CHARS_MAX} at most."
            )
    if not 1 <= len(draft.variants) <= limits.VARIANTS_MAX:
        raise BadInputError(f"Product {draft.code} has {len(draft.variants)} variants: 1 to {limits.VARIANTS_MAX}.")
    skus = [variant.sku for variant in draft.variants]
    for sku in skus:
        check_code("SKU", sku)
    if len(set(skus)) < len(skus):
        raise BadInputError(f"Product {draft.code} names a SKU twice: {', '.join(sorted(skus))}.", code=draft.code)
    if draft.released_on and not limits.YEAR_MIN <= draft.released_on.year <= limits.YEAR_MAX:
        years = f"{limits.YEAR_MIN} to {limits.YEAR_MAX}"
        raise BadInputError(
            f"Product {draft.code} is released on {draft.released_on}: give a date in the years {years}.",
            code=draft.code,
        )
    if len(draft.attributes) > limits.ATTRIBUTES_MAX:
        raise BadInputError(
            f"Product {draft.code} has {len(draft.attributes)} attributes: {limits.ATTRIBUTES_MAX} at most.", code=draft.code
        )
    for one in draft.media:
        _check_address(draft.code, one.url)


def check_terms(terms: SellingTerms) -> None:
    """Refuse terms that nothing can be sold under."""
    check_code("tax class", terms.tax_class)
    if not 0 <= terms.weight_grams <= limits.GRAMS_MAX:
        raise BadInputError(
            f"The SKU {terms.sku} cannot weigh {terms.weight_grams} g: 0 to {limits.GRAMS_MAX}.", field="weight_grams"
        )


def check_category(draft: CategoryDraft) -> None:
    """Refuse a draft that cannot be a category."""
    check_code("category code", draft.code)
    _check_locales(f"category {draft.code}", draft.names)
    for locale, name in draft.names.items():
        if not name.strip():
            raise BadInputError(f"Category {draft.code} has an empty name in {locale}: give it one.", code=draft.code)
    if draft.parent_code == draft.code:
        raise BadInputError(f"Category {draft.code} names itself as its parent: name another, or none.", code=draft.code)


def check_withdrawal(product_id: UUID, row: ProductRow | None) -> None:
    """Refuse to withdraw what is not there, or no longer."""
    if row is None:
        raise NotFoundError(f"There is no product {product_id}.", product_id=str(product_id))
    if row.state == "withdrawn":
        raise ConflictError(f"Product {product_id} is withdrawn already.", product_id=str(product_id))


def check_offered(product_id: UUID, row: ProductRow | None) -> None:
    """Refuse what only a product on offer can have, such as a price."""
    if row is None:
        raise NotFoundError(f"There is no product {product_id}.", product_id=str(product_id))
    if row.state == "withdrawn":
        raise ConflictError(f"Product {product_id} is withdrawn: offer it again first.", product_id=str(product_id))


def check_code(what: str, code: str) -> None:
    """Refuse a code that is empty, too long, or holds control characters or outer spaces."""
    if not CODE.fullmatch(code):
        raise BadInputError(f"The {what} {code!r} is not usable: 1 to 200 printable characters, no space at either end.")


def change_category(
    draft: CategoryDraft, row: CategoryRow | None, parent: CategoryRow | None, fresh_id: UUID
) -> CategoryChanged | None:
    """Return the category's new state, or None when the draft says what already is. Names are merged, never removed."""
    parent_id = parent.id if parent else None
    if row is None:
        path = [*(parent.path if parent else []), fresh_id]
        if len(path) > limits.CATEGORY_DEPTH_MAX:
            raise BadInputError(f"Category {draft.code} would be {len(path)} levels deep: {limits.CATEGORY_DEPTH_MAX} at most.")
        return CategoryChanged(id=fresh_id, code=draft.code, parent_id=parent_id, names=draft.names, path=path)
    if row.parent_id != parent_id:
        raise ConflictError(
            f"Category {draft.code} already hangs elsewhere in the tree: make a new category and move its products.",
            code=draft.code,
        )
    names = {**row.names, **draft.names}
    if names == row.names:
        return None
    return CategoryChanged(id=row.id, code=row.code, parent_id=parent_id, names=names, path=row.path)


def become(
    draft: ProductDraft, product_id: UUID, variant_ids: Mapping[str, UUID], categories: Sequence[CategoryRow]
) -> ProductChanged:
    """Return the state that a product takes by this draft."""
    path_ids = dict.fromkeys(step for category in categories for step in category.path)
    return ProductChanged(
        id=product_id,
        code=draft.code,
        brand=draft.brand,
        texts=dict(sorted(draft.texts.items())),
        category_ids=[category.id for category in categories],
        category_path_ids=list(path_ids),
        attributes=dict(sorted(draft.attributes.items())),
        variants=[
            Variant(id=variant_ids[v.sku], sku=v.sku, options=dict(sorted(v.options.items())), barcodes=v.barcodes)
            for v in draft.variants
        ],
        media=draft.media,
        released_on=draft.released_on,
    )


def digest(product: ProductChanged) -> bytes:
    """Return what tells two states of a product apart."""
    return hashlib.sha256(msgspec.json.encode(product)).digest()


def _check_address(code: str, address: str) -> None:
    """Refuse an address that a browser would run or read from itself (javascript:, data:, ...) rather than fetch."""
    scheme = _SCHEME.match("".join(sign for sign in address if sign > " "))
    if scheme and scheme[1].lower() not in {"http", "https"}:
        raise BadInputError(
            f"Product {code} has a picture at {address[:40]!r}: give an address that begins with https://.", code=code
        )


def _check_locales(what: str, by_locale: Mapping[str, object]) -> None:
    if not 1 <= len(by_locale) <= limits.LOCALES_MAX:
        raise BadInputError(f"The {what} has texts in {len(by_locale)} languages: 1 to {limits.LOCALES_MAX}.")
    seen: dict[str, str] = {}
    for locale in by_locale:
        try:
            canonical = _canonical(locale)
        except (ValueError, UnknownLocaleError) as error:
            raise BadInputError(
                f"The {what} has a text in {locale!r}, which is no locale: use one such as en or pt-BR."
            ) from error
        if canonical in seen:
            raise BadInputError(f"The {what} has two texts in one language, {seen[canonical]} and {locale}: keep one.")
        seen[canonical] = locale


@lru_cache
def _canonical(locale: str) -> str:
    """Return the locale as CLDR writes it; remembered, since CLDR's files are asked each time."""
    return str(Locale.parse(locale, sep="-"))
