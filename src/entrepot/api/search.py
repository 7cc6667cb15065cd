"""Finding products: results with facets, and suggestions while typing."""

from dataclasses import dataclass
from typing import Annotated, Any, get_args

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Operation, Parameter, Schema
from litestar.params import FromQuery, QueryParameter

from entrepot.api import wanted
from entrepot.api.headers import AtLeast
from entrepot.api.parts import Parts
from entrepot.base.limits import PAGE_ITEMS_MAX, QUERY_CHARS_MAX
from entrepot.projections.product_search import query
from entrepot.projections.product_search.query import Results, SortBy
from entrepot.projections.product_search.suggest import Suggestions, suggest

PROJECTION = "product_search"


_TEXT = Schema(type=OpenAPIType.STRING)
_IDS = Schema(type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID))


def _given(name: str, says: str, schema: Schema = _TEXT) -> Parameter:
    return Parameter(name=name, param_in="query", description=says, schema=schema)


@dataclass
class SearchOperation(Operation):
    """How a search is described: its parameters are read together (``wanted.py``), not one by one by the framework."""

    def __post_init__(self) -> None:
        self.parameters = [
            *(self.parameters or ()),
            _given(
                "q",
                "What is looked for; nothing finds everything.",
                Schema(type=OpenAPIType.STRING, max_length=QUERY_CHARS_MAX),
            ),
            _given("locale", "The language of the texts; en unless given."),
            _given(
                "market",
                "The market that is bought in: what is sold there is found, at its prices; all products without one.",
            ),
            _given("sort", "The order of the hits.", Schema(enum=get_args(SortBy))),
            _given("brand", "Any of these.", Schema(type=OpenAPIType.ARRAY, items=_TEXT)),
            _given("category", "Any of these.", _IDS),
            _given("price", "A range in minor units, such as 1000..2000; either side may be left out."),
            _given("cursor", "What the page before gave as its cursor; empty for the first."),
            _given("limit", "How many hits a page holds.", Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=PAGE_ITEMS_MAX)),
        ]


@get(
    "/v1/search",
    tags=["Search"],
    summary="Find products",
    operation_class=SearchOperation,
    opt={"permission": "catalogue.read"},
)
async def search(request: Request[Any, Any, Any], parts: NamedDependency[Parts], at_least: AtLeast) -> Response[Results]:
    """Find products by words, narrowed by facets.

    Beside the parameters named: attributes.NAME, any of its values, and numbers.NAME, a range such as 10..20.
    """
    target = await parts.fresh(PROJECTION, at_least)
    asked = wanted.read(request.query_params.multi_items(), market=parts.market)
    found = await query.search(parts.search, target, asked, parts.texts.understand)
    return Response(found, headers={"Cache-Control": "no-store"})


@get("/v1/suggestions", tags=["Search"], summary="Suggest while typing", opt={"permission": "catalogue.read"})
async def suggestions(
    parts: NamedDependency[Parts],
    q: Annotated[str, QueryParameter(max_length=QUERY_CHARS_MAX, description="What was typed so far.")],
    locale: FromQuery[str] = "en",
    market: FromQuery[str] = "",
) -> Response[Suggestions]:
    """Suggest how the text may go on, and the brands, categories and products that it begins; in a market, of what it sells."""
    found = await suggest(parts.search, parts.live.target(PROJECTION), q, locale, market=market or parts.market)
    return Response(found, headers={"Cache-Control": "public, max-age=60"})


HANDLERS = [search, suggestions]
