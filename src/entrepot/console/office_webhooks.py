"""Webhooks in the back office: who is told of what, how far each is, what waits or was given up, and the buttons for it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError, NotFoundError
from entrepot.base.event import Token
from entrepot.commerce.webhook import commands, query
from entrepot.console.forms import Form, text
from entrepot.console.office import LIMIT, office_page
from entrepot.record.transaction import Transaction

_DONE = {
    "retry": "It is tried again within a second.",
    "replay": "The subscriber is told again from there on.",
    "active": "It goes on from where it stands.",
    "paused": "It is paused; nothing is lost, it waits in the log.",
}


@get("/office/webhooks", include_in_schema=False, opt={"permission": "webhooks.manage"})
async def list_endpoints(parts: NamedDependency[Parts]) -> Response[str]:
    """Show every subscriber: where it stands, how far behind, what waits and what was given up."""
    async with parts.record.committing() as connection:
        items = await query.endpoints(connection, parts.cell)
    return office_page("webhooks.html", "webhooks", {"items": items})


@get("/office/webhooks/{endpoint_id:uuid}", include_in_schema=False, opt={"permission": "webhooks.manage"})
async def show_endpoint(parts: NamedDependency[Parts], endpoint_id: FromPath[UUID], done: FromQuery[str] = "") -> Response[str]:
    """Show one subscriber with what is parked for it."""
    return await _endpoint_page(parts, endpoint_id, done=_DONE.get(done, ""))


@post("/office/webhooks/{endpoint_id:uuid}", include_in_schema=False, opt={"permission": "webhooks.manage"})
async def change_endpoint(parts: NamedDependency[Parts], endpoint_id: FromPath[UUID], data: Form) -> Response[Any]:
    """Retry what is parked, tell again from a position or a moment, pause, or go on."""
    do = text(data, "do")
    try:
        async with parts.record.transaction(parts.cell, parts.actor) as tx:
            await _change(tx, endpoint_id, do, data)
    except EntrepotError as error:
        return await _endpoint_page(parts, endpoint_id, wrong=str(error), typed=text(data, "from"), status=error.status)
    return Redirect(f"/office/webhooks/{endpoint_id}?done={do}", status_code=303)


HANDLERS = [list_endpoints, show_endpoint, change_endpoint]


async def _change(tx: Transaction, endpoint_id: UUID, do: str, data: dict[str, str]) -> None:
    match do:
        case "retry":
            event = text(data, "event")
            await commands.retry(tx, endpoint_id, UUID(event) if event else None)
        case "replay":
            position, moment = _start(text(data, "from"), tx.cell)
            await commands.replay(tx, endpoint_id, position.position if position else None, moment)
        case "active" | "paused":
            await commands.set_state(tx, endpoint_id, "active" if do == "active" else "paused")
        case _:
            raise BadInputError(f"Nothing here is called {do!r}.")


def _start(typed: str, cell: int) -> tuple[Token | None, datetime | None]:
    """Return where to begin: a position (cell.txid.seq) or a moment; nothing would mean everything, and is refused."""
    if not typed:
        raise BadInputError("Say from where: a position such as 0.123.45, or a day such as 2026-03-01.", field="from")
    if typed.replace(".", "").isdecimal():
        token = Token.parse(typed)
        if token.cell != cell:
            raise BadInputError(f"The position {token} is of cell {token.cell}, this is cell {cell}: ask there.", field="from")
        return token, None
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError as error:
        raise BadInputError(f"{typed[:40]!r} is neither a position nor a moment.", field="from") from error
    return None, moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _endpoint_page(
    parts: Parts, endpoint_id: UUID, *, done: str = "", wrong: str = "", typed: str = "", status: int = 200
) -> Response[str]:
    async with parts.record.committing() as connection:
        found = next((one for one in await query.endpoints(connection, parts.cell) if one.id == endpoint_id), None)
        if found is None:
            raise NotFoundError(f"There is no webhook endpoint {endpoint_id}.", endpoint_id=str(endpoint_id))
        parked = await query.parked(connection, parts.cell, endpoint_id, "", LIMIT)
    context = {"one": found, "parked": parked, "cell": parts.cell, "done": done, "wrong": wrong, "typed": typed, "limit": LIMIT}
    return office_page("webhook.html", "webhooks", context, status=status)
