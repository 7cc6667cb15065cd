"""Refuses what another site's page sends here in a visitor's name."""

from typing import Any

from litestar import Request

from entrepot.base.errors import EntrepotError

_OURS = {"same-origin", "none"}


class ForeignError(EntrepotError):
    """The form was sent from another site's page."""

    slug = "foreign-form"
    status = 403


def same_site(request: Request[Any, Any, Any]) -> None:
    """Refuse a form that a browser says comes from elsewhere (``Sec-Fetch-Site``; programs do not send it)."""
    origin = request.headers.get("sec-fetch-site", "none")
    if origin not in _OURS:
        raise ForeignError("The form was sent from another site's page: open the page here and send it again.", origin=origin)
