"""The audit over HTTP: who did what and who saw whom, and where the chain stands. To read it leaves an entry, too."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct

from entrepot.api.pages import Cursor, Limit, next_link, parse_cursor
from entrepot.api.parts import Parts
from entrepot.audit import query
from entrepot.audit.archived import ArchivedRows
from entrepot.audit.query import Asked, Noted, State
from entrepot.base.errors import BadInputError
from entrepot.record.cause import about


class AuditPage(Struct, frozen=True, kw_only=True):
    """Entries, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[Noted]
    cursor: str


@get("/v1/audit", tags=["Audit"], summary="Who did what, and who saw whom", opt={"permission": "audit.read"})
async def list_entries(
    parts: NamedDependency[Parts],
    *,
    subject: Annotated[UUID | None, QueryParameter(description="About whom: a person's id.")] = None,
    actor: Annotated[str | None, QueryParameter(description="By whom, such as person/<id>.")] = None,
    about_object: Annotated[str | None, QueryParameter(name="object", description="About what: an id or code.")] = None,
    action: Annotated[str | None, QueryParameter(description="A part of what was done, such as export or POST.")] = None,
    since: Annotated[datetime | None, QueryParameter(description="From this moment on.")] = None,
    until: Annotated[datetime | None, QueryParameter(description="Before this moment.")] = None,
    cursor: Cursor = "",
    limit: Limit = 20,
) -> Response[AuditPage]:
    """List entries, newest first."""
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and moment.tzinfo is None:
            raise BadInputError(f"The moment {moment.isoformat()} has no time zone: add one, such as Z.", field=name)
    asked = Asked(
        subject=subject,
        actor=actor,
        action=action,
        object=about_object,
        since=since,
        until=until,
        before=parse_cursor(cursor),
    )
    items = await query.entries(parts.record, parts.cell, asked, limit, archived_of(parts))
    about(subject, *(one.subject for one in items), *(other for one in items for other in one.others))
    page = AuditPage(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    given = {"subject": subject, "actor": actor, "object": about_object, "action": action, "since": since, "until": until}
    more = {name: value.isoformat() if isinstance(value, datetime) else str(value) for name, value in given.items() if value}
    return Response(page, headers={"Cache-Control": "no-store", **next_link("/v1/audit", page.cursor, limit, **more)})


@get("/v1/audit/state", tags=["Audit"], summary="Where the audit's chain stands", opt={"permission": "audit.read"})
async def chain_state(parts: NamedDependency[Parts]) -> Response[State]:
    """Tell how far entries and events are linked, and up to where a root is published."""
    async with parts.record.reading() as connection:
        found = await query.state(connection, parts.cell)
    return Response(found, headers={"Cache-Control": "no-store"})


def archived_of(parts: Parts) -> ArchivedRows:
    """Return the entries that lie in object storage."""
    return ArchivedRows(parts.platform, parts.cell, parts.objects)


HANDLERS = [list_entries, chain_state]
