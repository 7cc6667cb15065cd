"""The catalogue's queries, typed; nothing else."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from entrepot.commerce.catalog.events import CategoryChanged, ProductChanged
from entrepot.commerce.catalog.rules import CategoryRow, ProductRow, SellingTerms
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


class SkuRow(Struct, frozen=True):
    """What a SKU stands for."""

    sku: str
    variant_id: UUID
    product_id: UUID
    category_id: UUID | None
    offered: bool


async def claim_product_codes(connection: Connection, ids: Mapping[str, UUID]) -> dict[str, UUID]:
    """Reserve the ids for codes that are new and return the id of each, old or new."""
    await connection.execute(SQL["claim_product_codes"], list(ids), list(ids.values()))
    return {row["code"]: row["product_id"] for row in await connection.fetch(SQL["product_ids"], list(ids))}


async def products_for_update(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, ProductRow]:
    """Lock products and return what decides about their change."""
    rows = await connection.fetch(SQL["products_for_update"], ids)
    return {row["id"]: ProductRow(row["id"], row["version"], row["digest"], row["state"]) for row in rows}


async def claim_skus(connection: Connection, wanted: Sequence[SkuRow]) -> dict[str, SkuRow]:
    """Reserve SKUs that are new and return what each stands for, old or new."""
    await connection.execute(
        SQL["claim_skus"], [s.sku for s in wanted], [s.variant_id for s in wanted], [s.product_id for s in wanted]
    )
    return await skus(connection, [s.sku for s in wanted])


async def skus(connection: Connection, names: Sequence[str]) -> dict[str, SkuRow]:
    """Return what each known SKU stands for."""
    rows = await connection.fetch(SQL["skus"], names)
    return {
        row["sku"]: SkuRow(row["sku"], row["variant_id"], row["product_id"], row["category_id"], row["offered"]) for row in rows
    }


async def terms_for_update(connection: Connection, names: Sequence[str]) -> dict[str, tuple[SellingTerms, UUID, int]]:
    """Lock SKUs and return how each is sold, its variant, and the version of that."""
    rows = await connection.fetch(SQL["terms_for_update"], names)
    return {row["sku"]: (_terms(row), row["variant_id"], row["terms_version"]) for row in rows}


async def put_terms(connection: Connection, terms: Sequence[tuple[SellingTerms, int]]) -> None:
    """Write how SKUs are sold, as it now is."""
    rows = [(t.sku, t.seller_id, t.tax_class, t.weight_grams, t.delivery, version) for t, version in terms]
    await _insert(connection, "put_terms", rows)


async def categories(connection: Connection, codes: Sequence[str], *, for_update: bool = False) -> dict[str, CategoryRow]:
    """Return categories by code, locked if they are to be changed."""
    rows = await connection.fetch(SQL["categories_for_update" if for_update else "categories_by_code"], codes)
    return {
        row["code"]: CategoryRow(
            row["id"], row["code"], row["parent_id"], row["path"], msgspec.json.decode(row["names"]), row["version"]
        )
        for row in rows
    }


async def put_categories(connection: Connection, changes: Sequence[tuple[CategoryChanged, int]]) -> None:
    """Write categories with their versions."""
    await connection.execute(
        SQL["put_categories"],
        [c.id for c, _ in changes],
        [c.code for c, _ in changes],
        [c.parent_id for c, _ in changes],
        ["{" + ",".join(map(str, c.path)) + "}" for c, _ in changes],
        [msgspec.json.encode(c.names).decode() for c, _ in changes],
        [version for _, version in changes],
    )


async def put_products(connection: Connection, changes: Sequence[tuple[ProductChanged, int, bytes]]) -> None:
    """Write the product rows with their versions and digests."""
    await connection.execute(
        SQL["put_products"],
        [p.id for p, _, _ in changes],
        [p.code for p, _, _ in changes],
        [p.brand for p, _, _ in changes],
        [msgspec.json.encode(p.attributes).decode() for p, _, _ in changes],
        [p.released_on for p, _, _ in changes],
        [version for _, version, _ in changes],
        [digest for _, _, digest in changes],
    )


async def clear_parts(connection: Connection, product_ids: Sequence[UUID]) -> None:
    """Remove the rows that hang on products about to be written anew."""
    for name in ("clear_texts", "clear_categories", "clear_media", "clear_variants"):
        await connection.execute(SQL[name], product_ids)


async def put_parts(connection: Connection, products: Sequence[ProductChanged]) -> None:
    """Write texts, categories, media and variants of products."""
    texts = [(p.id, locale, t.title, t.summary, t.description) for p in products for locale, t in p.texts.items()]
    await _insert(connection, "put_texts", texts)
    await _insert(
        connection,
        "put_product_categories",
        [(p.id, place, category) for p in products for place, category in enumerate(p.category_ids, 1)],
    )
    await _insert(
        connection,
        "put_media",
        [(p.id, place, m.url, m.role, m.alt) for p in products for place, m in enumerate(p.media, 1)],
    )
    await _insert(
        connection,
        "put_variants",
        [
            (p.id, v.id, place, v.sku, msgspec.json.encode(v.options).decode(), _text_array(v.barcodes))
            for p in products
            for place, v in enumerate(p.variants, 1)
        ],
    )


async def offer_skus(connection: Connection, offers: Sequence[tuple[str, UUID | None, bool]]) -> None:
    """Open or close SKUs for sale and note the category they are counted under."""
    await _insert(connection, "offer_skus", offers)


async def close_skus(connection: Connection, product_ids: Sequence[UUID]) -> None:
    """Close every SKU of these products for sale."""
    await connection.execute(SQL["close_skus"], product_ids)


async def withdraw_product(connection: Connection, product_id: UUID) -> tuple[str, int]:
    """Mark a product as withdrawn, close its SKUs, and return its code and new version."""
    row = await connection.fetchrow(SQL["withdraw_product"], product_id)
    assert row is not None
    await close_skus(connection, [product_id])
    return row["code"], row["version"]


async def _insert(connection: Connection, name: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        await connection.execute(SQL[name], *(list(column) for column in zip(*rows, strict=True)))


def _terms(row: asyncpg.Record) -> SellingTerms:
    return SellingTerms(**{name: row[name] for name in SellingTerms.__struct_fields__})


def _text_array(values: Sequence[str]) -> str:
    """Return PostgreSQL's own literal of a text array (an array of arrays of different lengths cannot be passed)."""
    quoted = ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return "{" + ",".join(quoted) + "}"
