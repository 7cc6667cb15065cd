"""Finding products: results with facets, and suggestions while typing."""

from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from entrepot.api import wanted
from entrepot.api.headers import AtLeast
from entrepot.api.parts import Parts
from entrepot.base.limits import QUERY_CHARS_MAX
from entrepot.projections.product_search import query
from entrepot.projections.product_search.query import Results
from entrepot.projections.product_search.suggest import Suggestions, suggest

PROJECTION = "product_search"


@get("/v1/search", tags=["Search"], summary="Find products")
async def search(request: Request[Any, Any, Any], parts: NamedDependency[Parts], at_least: AtLeast) -> Response[Results]:
    """Find products by words, narrowed by facets.

    Parameters: q, locale, market, sort (relevance, price-up, price-down, newest, name), cursor, limit; brand, category and
    attributes.NAME may come several times; price and numbers.NAME are ranges such as 10..20, either side may be left out.
    """
    target = await parts.fresh(PROJECTION, at_least)
    asked = wanted.read(request.query_params.multi_items(), market=parts.market)
    return Response(await query.search(parts.search, target, asked), headers={"Cache-Control": "no-store"})


@get("/v1/suggestions", tags=["Search"], summary="Suggest while typing")
async def suggestions(
    parts: NamedDependency[Parts],
    q: Annotated[str, QueryParameter(max_length=QUERY_CHARS_MAX, description="What was typed so far.")],
    locale: FromQuery[str] = "en",
) -> Response[Suggestions]:
    """Suggest how the text may go on, and the brands, categories and products that it begins."""
    found = await suggest(parts.search, parts.live.target(PROJECTION), q, locale)
    return Response(found, headers={"Cache-Control": "public, max-age=60"})


HANDLERS = [search, suggestions]
