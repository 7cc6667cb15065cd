"""Pools of licences in the back office: which are low, and how many buyers wait for one."""

from litestar import Response, get
from litestar.di import NamedDependency

from entrepot.api.parts import Parts
from entrepot.commerce.digital.query import low_pools
from entrepot.console.office import LIMIT, office_page


@get("/office/licences", include_in_schema=False, opt={"permission": "stock.read"})
async def list_low_pools(parts: NamedDependency[Parts]) -> Response[str]:
    """Show pools that are low, those with the fewest free licences first."""
    async with parts.record.committing() as connection:
        items = await low_pools(connection, parts.cell, LIMIT)
    return office_page("licences.html", "licences", {"items": items})


HANDLERS = [list_low_pools]
