"""Joins the routes to one ASGI application: the storefronts' door, the hot lane, the edge, litestar, API and console."""

from collections.abc import Collection
from typing import Any

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.types import ASGIApp
from msgspec import structs

from entrepot.access.rows import as_tenant
from entrepot.api import (
    aftersale,
    approvals,
    audit,
    behaviour,
    business,
    carriers,
    carts,
    catalogue,
    checkout,
    collect,
    credentials,
    digital,
    fulfilment,
    health,
    invoices,
    marketplace,
    me,
    negotiations,
    oidc,
    openapi,
    orders,
    payments,
    people,
    pricing,
    privacy,
    problems,
    products,
    projections,
    promotions,
    sales,
    search,
    sessions,
    shipping,
    stock,
    stream,
    subscriptions,
    webhooks,
)
from entrepot.api.auditing import Notes
from entrepot.api.body import JsonRequest
from entrepot.api.edge import Edge
from entrepot.api.guard import PERMISSION, Guard
from entrepot.api.hot_lane import HotLane
from entrepot.api.parts import Parts
from entrepot.api.principal import Identify, principal_of
from entrepot.api.storefronts import Storefronts
from entrepot.base.principal import ANONYMOUS
from entrepot.console import pages

ROOMS = (
    catalogue,
    products,
    pricing,
    promotions,
    shipping,
    stock,
    carts,
    checkout,
    orders,
    payments,
    fulfilment,
    carriers,
    aftersale,
    business,
    negotiations,
    invoices,
    subscriptions,
    marketplace,
    digital,
    search,
    sales,
    collect,
    behaviour,
    projections,
    webhooks,
    people,
    sessions,
    me,
    privacy,
    credentials,
    oidc,
    audit,
    approvals,
    stream,
    health,
    openapi,
)


def application(parts: Parts, storefronts: Collection[str] = ()) -> ASGIApp:
    """Return the application: API and console on one port; pages of ``storefronts`` may speak to the API from a browser."""
    identify = parts.reads.metered(Identify(parts.people), parts.people.proxies)

    def asked(request: JsonRequest) -> Parts:
        who = principal_of(request)
        if who is ANONYMOUS:
            return parts
        tenant = as_tenant(who, request.route_handler.opt[PERMISSION])
        return structs.replace(parts, who=who, actor=str(who), record=parts.record.as_tenant(who) if tenant else parts.record)

    inside = Litestar(
        route_handlers=[*(handler for room in ROOMS for handler in room.HANDLERS), *pages.handlers()],
        middleware=[Guard(parts).before],
        dependencies={"parts": Provide(asked, sync_to_thread=False)},
        exception_handlers={Exception: answer},
        request_class=JsonRequest,
        openapi_config=openapi.CONFIG,
        logging_config=None,
    )
    notes = Notes(parts.auditor, parts.record, parts.cell, parts.people.proxies)
    house = HotLane(Edge(inside, parts.metrics, notes, answer, identify), parts, notes, identify)
    return Storefronts(house, storefronts) if storefronts else house


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer an exception as the caller reads: a page for a browser, problem+json for a program."""
    if pages.wants_page(request):
        return pages.error_page(request, error)
    return problems.answer(request, error)
