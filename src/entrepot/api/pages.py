"""Pages of a list: a limit, a cursor that is handed back as it was given, and a link to the next page."""

from typing import Annotated, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

from litestar.params import QueryParameter

from entrepot.base.errors import BadInputError
from entrepot.base.limits import PAGE_ITEMS_MAX

Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=PAGE_ITEMS_MAX, description="How many items a page holds.")]
Cursor: TypeAlias = Annotated[str, QueryParameter(description="What the page before gave as its cursor; empty for the first.")]


def parse_cursor(cursor: str) -> UUID | None:
    """Return the id after which a page begins; None for the first page."""
    try:
        return UUID(cursor) if cursor else None
    except ValueError as error:
        raise BadInputError(f"{cursor!r} is no cursor: send back the one of the page before.", cursor=cursor) from error


def next_link(path: str, cursor: str, limit: int, **more: str) -> dict[str, str]:
    """Return the header that leads to the next page (RFC 8288); none where the list ends."""
    if not cursor:
        return {}
    return {"Link": f'<{path}?{urlencode({**more, "limit": limit, "cursor": cursor})}>; rel="next"'}
