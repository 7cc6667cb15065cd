"""The catalogue's commands, each for many at once: what is asked is checked and decided in ``rules``, written in ``store``."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from msgspec import Struct

from entrepot.base.errors import BadInputError, ConflictError, NotFoundError
from entrepot.base.event import Token
from entrepot.commerce.catalog import rules, store
from entrepot.commerce.catalog.events import (
    CATEGORY_CHANGED,
    PRODUCT_CHANGED,
    PRODUCT_WITHDRAWN,
    SELLING_TERMS_SET,
    CategoryChanged,
    ProductChanged,
    ProductWithdrawn,
    SellingTermsSet,
)
from entrepot.commerce.catalog.rules import CategoryDraft, CategoryRow, ProductDraft, SellingTerms
from entrepot.commerce.catalog.store import SkuRow
from entrepot.record.transaction import Fact, Transaction


class Saved(Struct, frozen=True):
    """What a save did: ids by code, how many were made, changed or already so, and the position (None: nothing changed)."""

    ids: dict[str, UUID]
    created: int
    changed: int
    unchanged: int
    token: Token | None


async def save_categories(tx: Transaction, drafts: Sequence[CategoryDraft]) -> Saved:
    """Make or rename categories; a parent comes before its children, or exists already."""
    for draft in drafts:
        rules.check_category(draft)
    codes = [draft.code for draft in drafts]
    _refuse_twice("category code", codes)
    known = await store.categories(tx.connection, codes, for_update=True)
    parents = {**await store.categories(tx.connection, [d.parent_code for d in drafts if d.parent_code]), **known}
    changes: list[tuple[CategoryChanged, int]] = []
    for draft in drafts:
        row = known.get(draft.code)
        parent = parents.get(draft.parent_code) if draft.parent_code else None
        if draft.parent_code and parent is None:
            raise BadInputError(f"Category {draft.code} names the unknown parent {draft.parent_code!r}: save that one first.")
        change = rules.change_category(draft, row, parent, tx.ids.fresh())
        if change is not None:
            version = row.version + 1 if row else 1
            changes.append((change, version))
            parents[draft.code] = CategoryRow(change.id, change.code, change.parent_id, change.path, change.names, version)
    token = None
    if changes:
        await store.put_categories(tx.connection, changes)
        token = await tx.append([Fact(CATEGORY_CHANGED, f"category/{c.id}", version, c) for c, version in changes])
    created = sum(version == 1 for _, version in changes)
    ids = {code: parents[code].id for code in codes}
    return Saved(ids, created, len(changes) - created, len(drafts) - len(changes), token)


async def save_products(tx: Transaction, drafts: Sequence[ProductDraft], *, only_new: bool = False) -> Saved:
    """Make or change products so that they are what the drafts say; one that already is so is left alone.

    ``only_new`` refuses a code that is known (409). A SKU that belongs to another product is refused.
    """
    for draft in drafts:
        rules.check_product(draft)
    _refuse_twice("product code", [draft.code for draft in drafts])
    ids = await store.claim_product_codes(tx.connection, {draft.code: tx.ids.fresh() for draft in drafts})
    rows = await store.products_for_update(tx.connection, list(ids.values()))
    if only_new and rows:
        code = next(code for code, product_id in ids.items() if product_id in rows)
        raise ConflictError(f"The product code {code!r} is taken: change that product, or use another code.", code=code)
    variant_ids = await _claim_variants(tx, drafts, ids)
    categories = await _find_categories(tx, drafts)
    changes: list[tuple[ProductChanged, int, bytes]] = []
    for draft in drafts:
        product_id = ids[draft.code]
        product = rules.become(draft, product_id, variant_ids, [categories[code] for code in draft.category_codes])
        digest = rules.digest(product)
        row = rows.get(product_id)
        if row is None or row.digest != digest:
            changes.append((product, row.version + 1 if row else 1, digest))
    token = await _write_products(tx, changes, known=set(rows)) if changes else None
    created = sum(version == 1 for _, version, _ in changes)
    return Saved(ids, created, len(changes) - created, len(drafts) - len(changes), token)


async def withdraw_product(tx: Transaction, product_id: UUID) -> Token:
    """Stop offering a product; withdrawing it twice is refused."""
    row = (await store.products_for_update(tx.connection, [product_id])).get(product_id)
    rules.check_withdrawal(product_id, row)
    code, version = await store.withdraw_product(tx.connection, product_id)
    body = ProductWithdrawn(id=product_id, code=code)
    return await tx.append([Fact(PRODUCT_WITHDRAWN, f"product/{product_id}", version, body)])


async def set_selling_terms(tx: Transaction, wanted: Sequence[SellingTerms]) -> Token | None:
    """Say how SKUs are sold: by whom, taxed how, how heavy, how delivered; returns None when it was so already."""
    for terms in wanted:
        rules.check_terms(terms)
    _refuse_twice("SKU", [terms.sku for terms in wanted])
    known = await store.terms_for_update(tx.connection, [terms.sku for terms in wanted])
    for terms in wanted:
        if terms.sku not in known:
            raise NotFoundError(f"There is no SKU {terms.sku!r}: make its product first.", sku=terms.sku)
    changes = [(terms, known[terms.sku][2] + 1) for terms in wanted if known[terms.sku][0] != terms]
    if not changes:
        return None
    try:
        await store.put_terms(tx.connection, changes)
    except asyncpg.ForeignKeyViolationError as error:
        raise NotFoundError("One of these sellers is unknown: register it first.", detail=error.detail) from error
    return await tx.append([_terms_set(terms, known[terms.sku][1], version) for terms, version in changes])


def _terms_set(terms: SellingTerms, variant_id: UUID, version: int) -> Fact:
    body = SellingTermsSet(variant_id=variant_id, **{name: getattr(terms, name) for name in terms.__struct_fields__})
    return Fact(SELLING_TERMS_SET, f"selling_terms/{variant_id}", version, body)


async def _write_products(tx: Transaction, changes: Sequence[tuple[ProductChanged, int, bytes]], known: set[UUID]) -> Token:
    products = [product for product, _, _ in changes]
    rewritten = [product.id for product in products if product.id in known]
    await store.put_products(tx.connection, changes)
    if rewritten:
        await store.close_skus(tx.connection, rewritten)
        await store.clear_parts(tx.connection, rewritten)
    await store.put_parts(tx.connection, products)
    await store.offer_skus(
        tx.connection,
        [(v.sku, p.category_ids[0] if p.category_ids else None, True) for p in products for v in p.variants],
    )
    return await tx.append([Fact(PRODUCT_CHANGED, f"product/{p.id}", version, p) for p, version, _ in changes])


async def _claim_variants(tx: Transaction, drafts: Sequence[ProductDraft], ids: dict[str, UUID]) -> dict[str, UUID]:
    wanted = [SkuRow(v.sku, tx.ids.fresh(), ids[d.code], None, offered=True) for d in drafts for v in d.variants]
    _refuse_twice("SKU", [row.sku for row in wanted])
    found = await store.claim_skus(tx.connection, wanted)
    for row in wanted:
        if found[row.sku].product_id != row.product_id:
            raise ConflictError(
                f"The SKU {row.sku!r} belongs to product {found[row.sku].product_id}: use another.", sku=row.sku
            )
    return {sku: row.variant_id for sku, row in found.items()}


async def _find_categories(tx: Transaction, drafts: Sequence[ProductDraft]) -> dict[str, CategoryRow]:
    codes = sorted({code for draft in drafts for code in draft.category_codes})
    found = await store.categories(tx.connection, codes) if codes else {}
    for draft in drafts:
        for code in draft.category_codes:
            if code not in found:
                raise BadInputError(f"Product {draft.code} names the unknown category {code!r}: save that one first.")
    return found


def _refuse_twice(what: str, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise BadInputError(f"The {what} {twice!r} comes twice in one batch: send it once.")
