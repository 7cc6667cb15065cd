"""Shipping: the zones that addresses lie in, and the methods that go there."""

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from entrepot.api.catalogue import Done, done
from entrepot.api.headers import OptionalKey
from entrepot.api.parts import Parts
from entrepot.api.pricing import change_terms
from entrepot.commerce.shipping import commands as shipping
from entrepot.commerce.shipping import query
from entrepot.commerce.shipping.events import MethodSaved, Place, ZoneRate, ZoneSaved
from entrepot.record.transaction import Transaction


class ZoneDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A zone: countries (``*`` is every one), regions of them, or postcodes that begin alike; the most exact zone counts."""

    title: str
    places: list[Place]


class MethodDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shipping method: what it costs in each zone by weight and value, from when it is free, and how long it takes."""

    title: str
    currency: str
    rates: list[ZoneRate]
    carrier: str = "own"
    active: bool = True
    markets: list[str] = []


class ShippingTerms(Struct, frozen=True, kw_only=True):
    """Every zone and every method, offered or not."""

    zones: list[ZoneSaved]
    methods: list[MethodSaved]


@put("/v1/shipping/zones/{code:str}", tags=["Shipping"], summary="Make or change a zone", opt={"permission": "shipping.write"})
async def save_zone(
    parts: NamedDependency[Parts], code: FromPath[str], data: JSONBody[ZoneDraft], idempotency_key: OptionalKey
) -> Response[Done]:
    """Make a zone what the body says."""
    wanted = ZoneSaved(code=code, title=data.title, places=data.places)

    async def act(tx: Transaction) -> Done:
        return done(await shipping.save_zone(tx, wanted))

    return change_terms(parts, await parts.run(act, Done, idempotency_key, wanted))


@put(
    "/v1/shipping/methods/{code:str}",
    tags=["Shipping"],
    summary="Make or change a shipping method",
    opt={"permission": "shipping.write"},
)
async def save_method(
    parts: NamedDependency[Parts], code: FromPath[str], data: JSONBody[MethodDraft], idempotency_key: OptionalKey
) -> Response[Done]:
    """Make a shipping method what the body says; its zones must be there."""
    wanted = MethodSaved(code=code, **{name: getattr(data, name) for name in data.__struct_fields__})

    async def act(tx: Transaction) -> Done:
        return done(await shipping.save_method(tx, wanted))

    return change_terms(parts, await parts.run(act, Done, idempotency_key, wanted))


@get("/v1/shipping", tags=["Shipping"], summary="Zones and methods", opt={"permission": "shipping.read"})
async def read_shipping(parts: NamedDependency[Parts]) -> Response[ShippingTerms]:
    """Read every zone and method from the truth."""
    async with parts.record.committing() as connection:
        zones, methods = await query.zones(connection), await query.methods(connection)
    terms = ShippingTerms(zones=list(zones.values()), methods=list(methods.values()))
    return Response(terms, headers={"Cache-Control": "no-store"})


HANDLERS = [save_zone, save_method, read_shipping]
