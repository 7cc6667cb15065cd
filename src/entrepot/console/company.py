"""What there is to show of a company, to the office and to its own buyers alike. Reads only."""

from typing import Any
from uuid import UUID

from entrepot.api.parts import Parts
from entrepot.base.time import utc
from entrepot.commerce.business import query
from entrepot.record.transaction import Connection

LIMIT = 50


async def company_shown(parts: Parts, connection: Connection, company_id: UUID) -> dict[str, Any]:
    """Return a company with its newest purchases, quotes, invoices and credit notes, its buyers, and their names by id."""
    buyers = await query.buyers(connection, parts.cell, company_id, utc(parts.clock.millis()), parts.record.sealing)
    return {
        "one": await query.company(connection, parts.cell, company_id),
        "buyers": buyers,
        "people": {buyer.id: buyer.name for buyer in buyers},
        "purchases": await query.purchases(connection, parts.cell, company_id, "", None, LIMIT),
        "quotes": await query.negotiations(connection, parts.cell, company_id, None, LIMIT),
        "invoices": await query.invoices(connection, parts.cell, company_id, "", None, LIMIT),
        "notes": await query.credit_notes(connection, parts.cell, company_id, None, LIMIT),
    }
