"""Joins the routes to one ASGI application: the hot lane, the edge, litestar, and in it the API and the console."""

from typing import Any

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.types import ASGIApp

from entrepot.api import (
    aftersale,
    business,
    carts,
    catalogue,
    checkout,
    digital,
    fulfilment,
    health,
    invoices,
    marketplace,
    negotiations,
    openapi,
    orders,
    payments,
    pricing,
    problems,
    products,
    projections,
    promotions,
    sales,
    search,
    shipping,
    stock,
    stream,
    subscriptions,
    webhooks,
)
from entrepot.api.body import JsonRequest
from entrepot.api.edge import Edge
from entrepot.api.hot_lane import HotLane
from entrepot.api.parts import Parts
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
    aftersale,
    business,
    negotiations,
    invoices,
    subscriptions,
    marketplace,
    digital,
    search,
    sales,
    projections,
    webhooks,
    stream,
    health,
    openapi,
)


def application(parts: Parts) -> ASGIApp:
    """Return the application: API and console on one port."""
    inside = Litestar(
        route_handlers=[*(handler for room in ROOMS for handler in room.HANDLERS), *pages.handlers()],
        dependencies={"parts": Provide(lambda: parts, sync_to_thread=False)},
        exception_handlers={Exception: answer},
        request_class=JsonRequest,
        openapi_config=openapi.CONFIG,
        logging_config=None,
    )
    return HotLane(Edge(inside, parts.metrics, answer), parts)


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer an exception as the caller reads: a page for a browser, problem+json for a program."""
    if pages.wants_page(request):
        return pages.error_page(request, error)
    return problems.answer(request, error)
