"""Reading products: a page, a list of pages, and what is bought together. Their bytes come ready from the cache."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from entrepot.api.headers import AtLeast
from entrepot.api.page_cache import PROJECTION, etag_of
from entrepot.api.pages import Cursor, Limit, next_link, parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, NotFoundError, NotThereYetError
from entrepot.base.limits import PAGE_ITEMS_MAX
from entrepot.commerce.catalog.events import CategoryChanged
from entrepot.commerce.catalog.query import offered
from entrepot.projections.bought_together.query import bought_together
from entrepot.projections.product_page.query import ProductPage, categories

# A browser asks again each time, and mostly hears 304; a proxy may serve it for a second, and an older one while it asks.
CACHE_CONTROL = "public, max-age=0, s-maxage=1, stale-while-revalidate=5"
JSON = "application/json"


class ProductPages(Struct, frozen=True, kw_only=True):
    """Pages of products; ``cursor`` leads to the next ones, empty says the end."""

    items: list[ProductPage]
    cursor: str


def _sends(what: type[Struct]) -> dict[int, ResponseSpec]:
    """Describe bytes that are sent as they were found; the framework sees no more of them than that they are bytes."""
    return {
        200: ResponseSpec(what, generate_examples=False, description="As it was last read from the log."),
        304: ResponseSpec(None, description="What If-None-Match names is still so."),
    }


@get(
    "/v1/products/{product_id:uuid}",
    tags=["Products"],
    summary="A product's page",
    responses=_sends(ProductPage),
    opt={"permission": "catalogue.read"},
)
async def read_product(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], product_id: FromPath[UUID], at_least: AtLeast
) -> Response[bytes]:
    """Read a product with its variants, texts, attributes and prices."""
    if at_least is None:
        page = await parts.pages.page(product_id)
        return _conditional(request, page.body, page.etag)
    body = (await _fresh(parts, [product_id], at_least)).get(product_id)
    if body is None:
        raise NotFoundError(f"There is no product {product_id}, or it is no longer offered.", product_id=str(product_id))
    return _conditional(request, body, etag_of(body))


@get(
    "/v1/products",
    tags=["Products"],
    summary="Several products' pages",
    responses=_sends(ProductPages),
    opt={"permission": "catalogue.read"},
)
async def read_products(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    at_least: AtLeast,
    ids: Annotated[str, QueryParameter(description=f"Up to {PAGE_ITEMS_MAX} product ids, with commas between.")] = "",
    cursor: Cursor = "",
    limit: Limit = 20,
) -> Response[bytes]:
    """Read the products named, in that order, or all of them page by page; what is not offered is left out."""
    following = ""
    if ids:
        wanted = parse_ids(ids)
    else:
        async with parts.record.committing() as connection:
            wanted = await offered(connection, parse_cursor(cursor), limit)
        following = str(wanted[-1]) if len(wanted) == limit else ""
    if at_least is None:
        found = [page.body for page in (await parts.pages.pages(wanted)).values()]
    else:
        found = list((await _fresh(parts, wanted, at_least)).values())
    body = join(found, following)
    return _conditional(request, body, etag_of(body), next_link("/v1/products", following, limit))


@get(
    "/v1/categories/{category_id:uuid}",
    tags=["Products"],
    summary="A category",
    responses=_sends(CategoryChanged),
    opt={"permission": "catalogue.read"},
)
async def read_category(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], category_id: FromPath[UUID], at_least: AtLeast
) -> Response[bytes]:
    """Read a category with its names by locale and its path from the root."""
    try:
        target = await parts.fresh(PROJECTION, at_least)
        found = await categories(parts.documents, target, [category_id])
    except NotThereYetError:
        if at_least is None:
            raise
        found = await _from_truth(parts, "category", [category_id], at_least)
    if category_id not in found:
        raise NotFoundError(f"There is no category {category_id}.", category_id=str(category_id))
    return _conditional(request, found[category_id], etag_of(found[category_id]))


class Companion(Struct, frozen=True, kw_only=True):
    """A product that is bought with another: in how many of the baskets looked at, and how telling that is."""

    product_id: UUID
    baskets: int
    score: float


class Companions(Struct, frozen=True, kw_only=True):
    """What is bought with a product, the most telling first."""

    items: list[Companion]


@get(
    "/v1/products/{product_id:uuid}/bought-together",
    tags=["Products"],
    summary="What is bought with a product",
    opt={"permission": "catalogue.read"},
)
async def read_companions(
    parts: NamedDependency[Parts], product_id: FromPath[UUID], at_least: AtLeast, limit: Limit = 10
) -> Response[Companions]:
    """List what is bought together with a product."""
    target = await parts.fresh("bought_together", at_least)
    found = await bought_together(parts.graph, target, [product_id], limit)
    items = [Companion(product_id=one.product_id, baskets=one.baskets, score=one.score) for one in found]
    return Response(Companions(items=items), headers={"Cache-Control": "public, max-age=60"})


HANDLERS = [read_product, read_products, read_category, read_companions]


def parse_ids(text: str) -> list[UUID]:
    """Return the ids in a list with commas, or name the one that is none."""
    names = [name for name in text.split(",") if name]
    if not 1 <= len(names) <= PAGE_ITEMS_MAX:
        raise BadInputError(f"{len(names)} ids were given: 1 to {PAGE_ITEMS_MAX}.", ids=len(names))
    ids = []
    for name in names:
        try:
            ids.append(UUID(name))
        except ValueError as error:
            raise BadInputError(f"{name!r} is no product id: use a UUID.", field="ids", value=name) from error
    return ids


def join(pages: Sequence[bytes], cursor: str = "") -> bytes:
    """Return pages as one JSON object with a list, without reading them."""
    return b'{"items":[' + b",".join(pages) + b'],"cursor":"' + cursor.encode() + b'"}'


def _conditional(
    request: Request[Any, Any, Any], body: bytes, etag: str, more: Mapping[str, str] | None = None
) -> Response[bytes]:
    headers = {"ETag": etag, "Cache-Control": CACHE_CONTROL, **(more or {})}
    if etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type=JSON, headers=headers)


async def _fresh(parts: Parts, product_ids: Sequence[UUID], at_least: str) -> dict[UUID, bytes]:
    """Return pages that are as fresh as was asked, past the cache; from the truth where the projection takes too long."""
    try:
        await parts.fresh(PROJECTION, at_least)
    except NotThereYetError:
        return await _from_truth(parts, "product", product_ids, at_least)
    return {id_: page.body for id_, page in (await parts.pages.pages(product_ids, anew=True)).items()}


async def _from_truth(parts: Parts, aggregate: str, ids: Sequence[UUID], at_least: str) -> dict[UUID, bytes]:
    keys = {f"{aggregate}/{id_}": id_ for id_ in ids}
    items = await parts.from_truth(PROJECTION, list(keys), at_least)
    return {keys[key]: msgspec.json.encode(item.body) for key, item in items.items() if item.body and item.body.get("id")}
