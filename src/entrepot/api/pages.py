"""Pages of a list: a limit, a cursor that is handed back as it was given, and a link to the next page."""

from typing import Annotated, TypeAlias
from urllib.parse import urlencode

from litestar.params import Parameter

from entrepot.base.limits import PAGE_ITEMS_MAX

Limit: TypeAlias = Annotated[int, Parameter(ge=1, le=PAGE_ITEMS_MAX, description="How many items a page holds.")]
Cursor: TypeAlias = Annotated[str, Parameter(description="What the page before gave as its cursor; empty for the first.")]


def next_link(path: str, cursor: str, limit: int, **more: str) -> dict[str, str]:
    """Return the header that leads to the next page (RFC 8288); none where the list ends."""
    if not cursor:
        return {}
    return {"Link": f'<{path}?{urlencode({**more, "limit": limit, "cursor": cursor})}>; rel="next"'}
