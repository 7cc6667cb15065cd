"""Every page of the console, and which callers see pages rather than problems."""

from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from entrepot.access.errors import SecondFactorNeededError
from entrepot.api import problems
from entrepot.base.errors import EntrepotError, SignInNeededError
from entrepot.base.ids import IdSource
from entrepot.console import (
    account,
    account_company,
    account_quotes,
    assets,
    behaviour,
    cart,
    checkout,
    diagnosis,
    engine_room,
    flash,
    link,
    office,
    office_approvals,
    office_audit,
    office_business,
    office_companies,
    office_files,
    office_invoices,
    office_licences,
    office_payments,
    office_people,
    office_privacy,
    office_returns,
    office_subscriptions,
    office_webhooks,
    orders,
    privacy,
    pulse,
    sales,
    second_factor,
    sellers,
    sign_in,
    store,
)
from entrepot.console.render import environment, page

ROOMS = (
    store,
    cart,
    checkout,
    account,
    account_company,
    account_quotes,
    orders,
    office,
    office_returns,
    office_licences,
    office_payments,
    office_companies,
    office_business,
    office_invoices,
    office_subscriptions,
    office_files,
    office_webhooks,
    sellers,
    sales,
    behaviour,
    pulse,
    engine_room,
    flash,
    link,
    sign_in,
    second_factor,
    privacy,
    office_audit,
    office_privacy,
    office_people,
    office_approvals,
)


def handlers() -> list[ControllerRouterHandler]:
    """Return the routes of the console."""
    environment().filters.update(word=diagnosis.word, shape=diagnosis.shape)
    return [assets.asset, *(handler for room in ROOMS for handler in room.HANDLERS)]


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Say whether the caller is a person at a browser."""
    return not request.url.path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")


def error_page(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Say on a page what is wrong and where to go on; who must sign in first is led there, and back."""
    if isinstance(error, HTTPException):
        known: EntrepotError = problems.from_framework(error, request)
    elif isinstance(error, EntrepotError):
        known = error
    else:
        known = problems.unforeseen(error, problems.route_of(request), IdSource())
    if isinstance(known, SignInNeededError) and request.method == "GET":
        return Redirect(f"{sign_in.SIGN_IN}?{urlencode({'next': request.url.path})}", status_code=303)
    if isinstance(known, SecondFactorNeededError) and request.method == "GET":
        return Redirect(sign_in.SECURITY, status_code=303)
    shown = {
        "title": problems.title_of(known.slug),
        "status": known.status,
        "detail": str(known),
        "slug": known.slug,
        "path": request.url.path,
    }
    answer = page("error.html", "", shown, status=known.status)
    answer.headers.update(problems.of(known).headers())  # when to try again, say
    return answer
