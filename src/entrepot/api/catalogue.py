"""Writing the catalogue: products, categories, markets and prices."""

from typing import Annotated
from uuid import UUID

from litestar import Response, delete, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter
from msgspec import Struct

from entrepot.api.headers import OptionalKey, moved, text
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.event import Token
from entrepot.commerce.catalog import commands as catalog
from entrepot.commerce.catalog.query import variants
from entrepot.commerce.catalog.rules import CategoryDraft, ProductDraft
from entrepot.commerce.checkout import offering
from entrepot.commerce.pricing import commands as pricing
from entrepot.commerce.pricing.rules import PriceDraft
from entrepot.record.transaction import Transaction


class Kept(Struct, frozen=True, kw_only=True):
    """What was written: its id for ever, the code it is known by, and whether anything changed."""

    id: UUID
    code: str
    changed: bool
    position: str | None = None


class Done(Struct, frozen=True, kw_only=True):
    """Whether anything changed, and the position of the change."""

    changed: bool
    position: str | None = None


class MarketDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A market and the currency it sells in (ISO 4217), where it lies, and what else it sells in.

    Without a country it is taxed nowhere. What is left out stays as it is; new markets' prices include tax.
    """

    currency: str
    country: str | None = None
    prices_include_tax: bool | None = None
    currencies: list[str] | None = None


class SkuPrice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an article is to cost in a market, in minor units of the market's currency."""

    sku: str
    market: str
    currency: str
    amount_minor: int


class PricesDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of one product's articles; those not named stay as they are."""

    prices: list[SkuPrice]


@post("/v1/products", tags=["Catalogue"], summary="Make a product", opt={"permission": "catalogue.write"})
async def create_product(
    parts: NamedDependency[Parts], data: JSONBody[ProductDraft], idempotency_key: OptionalKey
) -> Response[Kept]:
    """Make a product with its variants; a code that is taken is refused."""

    async def act(tx: Transaction) -> Kept:
        return _kept(data.code, await catalog.save_products(tx, [data], only_new=True))

    kept = await parts.run(act, Kept, idempotency_key, data)
    return Response(kept, status_code=201, headers={"Location": f"/v1/products/{kept.id}", **moved(kept.position)})


@put("/v1/products/{name:str}", tags=["Catalogue"], summary="Make or change a product", opt={"permission": "catalogue.write"})
async def save_product(
    parts: NamedDependency[Parts],
    name: Annotated[str, PathParameter(description="The product's code, or its id.")],
    data: JSONBody[ProductDraft],
    idempotency_key: OptionalKey,
) -> Response[Kept]:
    """Make the product what the body says; by its code it may be new, by its id it must exist with the body's code."""

    async def act(tx: Transaction) -> Kept:
        kept = _kept(data.code, await catalog.save_products(tx, [data]))
        if name not in {data.code, str(kept.id)}:
            raise ConflictError(
                f"The address names the product {name!r}, the body {data.code!r}: make them the same.", code=data.code
            )
        return kept

    kept = await parts.run(act, Kept, idempotency_key, data)
    parts.quoting.forget_offers()
    return Response(kept, headers={"Content-Location": f"/v1/products/{kept.id}", **moved(kept.position)})


@delete(
    "/v1/products/{product_id:uuid}",
    tags=["Catalogue"],
    summary="Withdraw a product",
    status_code=200,
    opt={"permission": "catalogue.write"},
)
async def withdraw_product(parts: NamedDependency[Parts], product_id: FromPath[UUID]) -> Response[Done]:
    """Stop offering a product; its orders keep its name."""

    async def act(tx: Transaction) -> Done:
        return Done(changed=True, position=str(await offering.withdraw_product(tx, product_id)))

    answer = await parts.run(act, Done)
    parts.quoting.forget_offers()
    return Response(answer, headers=moved(answer.position))


@put("/v1/products/{product_id:uuid}/prices", tags=["Catalogue"], summary="Set prices", opt={"permission": "pricing.write"})
async def set_prices(
    parts: NamedDependency[Parts], product_id: FromPath[UUID], data: JSONBody[PricesDraft], idempotency_key: OptionalKey
) -> Response[Done]:
    """Set the prices of a product's articles, each in a market and its currency."""

    async def act(tx: Transaction) -> Done:
        known = await variants(tx.connection, [price.sku for price in data.prices])
        for sku, row in known.items():
            if row.product_id != product_id:
                raise BadInputError(f"The SKU {sku!r} belongs to product {row.product_id}: set its price there.", sku=sku)
        drafts = [
            PriceDraft(
                product_id=product_id,
                variant_id=known[price.sku].variant_id,
                market=price.market,
                currency=price.currency,
                amount_minor=price.amount_minor,
            )
            for price in data.prices
        ]
        token = await offering.set_prices(tx, drafts)
        return done(token)

    answer = await parts.run(act, Done, idempotency_key, data)
    parts.quoting.forget_offers()
    return Response(answer, headers=moved(answer.position))


@post("/v1/categories", tags=["Catalogue"], summary="Make or rename a category", opt={"permission": "catalogue.write"})
async def save_category(
    parts: NamedDependency[Parts], data: JSONBody[CategoryDraft], idempotency_key: OptionalKey
) -> Response[Kept]:
    """Make a category below its parent, or give it more names."""

    async def act(tx: Transaction) -> Kept:
        return _kept(data.code, await catalog.save_categories(tx, [data]))

    kept = await parts.run(act, Kept, idempotency_key, data)
    return Response(kept, status_code=201, headers={"Location": f"/v1/categories/{kept.id}", **moved(kept.position)})


@put("/v1/markets/{code:str}", tags=["Catalogue"], summary="Make a market", opt={"permission": "catalogue.write"})
async def save_market(parts: NamedDependency[Parts], code: FromPath[str], data: JSONBody[MarketDraft]) -> Done:
    """Make a market that sells in a currency."""

    async def act(tx: Transaction) -> Done:
        saved = await pricing.save_market(
            tx,
            code,
            data.currency,
            country=data.country,
            prices_include_tax=data.prices_include_tax,
            currencies=data.currencies,
        )
        return done(saved)

    answer = await parts.run(act, Done)
    parts.quoting.forget(parts.cell)
    return answer


HANDLERS = [create_product, save_product, withdraw_product, set_prices, save_category, save_market]


def done(token: Token | None) -> Done:
    """Return the answer of a command that may have found nothing to change."""
    return Done(changed=token is not None, position=text(token))


def _kept(code: str, saved: catalog.Saved) -> Kept:
    return Kept(id=saved.ids[code], code=code, changed=bool(saved.created or saved.changed), position=text(saved.token))
