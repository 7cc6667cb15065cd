"""The audit by page: where its chain stands, and a search for who did what, and who saw whom."""

from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from entrepot.api.audit import archived_of
from entrepot.api.pages import parse_cursor
from entrepot.api.parts import Parts
from entrepot.audit import query
from entrepot.audit.query import Asked
from entrepot.base.errors import BadInputError
from entrepot.console.office import LIMIT, office_page
from entrepot.record.cause import about

HERE = "/office/audit"


@get(HERE, include_in_schema=False, opt={"permission": "audit.read"})
async def show(  # the fields of a search
    parts: NamedDependency[Parts],
    *,
    actor: FromQuery[str] = "",
    subject: FromQuery[str] = "",
    action: FromQuery[str] = "",
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
    request_id: FromQuery[str] = "",
    cursor: FromQuery[str] = "",
) -> Response[str]:
    """Show where the chain stands, and the entries that are looked for; of one request its events, too."""
    whose, which = _id(subject, "subject"), _id(request_id, "request")
    asked = Asked(
        request=which,
        subject=whose,
        actor=actor.strip() or None,
        action=action.strip() or None,
        since=_moment(since, "since"),
        until=_moment(until, "until"),
        before=parse_cursor(cursor),
    )
    items = await query.entries(parts.record, parts.cell, asked, LIMIT, archived_of(parts))
    async with parts.record.reading() as connection:
        chain = await query.state(connection, parts.cell)
    events = await query.events_of(parts.record, parts.cell, which, archived_of(parts)) if which else []
    about(whose, *(one.subject for one in items))
    typed = {"actor": actor, "subject": subject, "action": action, "since": since, "until": until}
    more = (
        {name: value for name, value in typed.items() if value} | {"cursor": str(items[-1].id)} if len(items) == LIMIT else {}
    )
    context = {"chain": chain, "items": items, "events": events, "which": which, "typed": typed, "more": urlencode(more)}
    return office_page("audit.html", "audit", context)


HANDLERS = [show]


def _id(typed: str, field: str) -> UUID | None:
    try:
        return UUID(typed.strip()) if typed.strip() else None
    except ValueError as error:
        raise BadInputError(f"{typed[:40]!r} is no id: copy the whole of it.", field=field) from error


def _moment(typed: str, field: str) -> datetime | None:
    """Return the moment in a field; one without a zone is UTC."""
    if not typed.strip():
        return None
    try:
        found = datetime.fromisoformat(typed.strip())
    except ValueError as error:
        raise BadInputError(f"{typed[:40]!r} is no moment: write it like 2026-11-23T14:00.", field=field) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
