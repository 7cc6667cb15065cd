"""Approvals in the back office: what somebody wants to do that takes two people, and the buttons of who decides it."""

from typing import Any, Literal
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api.approvals import Word, give_word
from entrepot.api.parts import Parts
from entrepot.base.errors import EntrepotError
from entrepot.commerce.approval import query
from entrepot.commerce.approval.rules import LIMITED
from entrepot.console.forms import Form, text
from entrepot.console.office import LIMIT, office_page
from entrepot.record.cause import about

HERE = "/office/approvals"
DONE = {
    "approved": "Approved. Who asked does it again, and it goes through, once.",
    "refused": "Refused. It does not happen.",
}


@get(HERE, include_in_schema=False, opt={"permission": "approvals.read"})
async def list_approvals(parts: NamedDependency[Parts], done: FromQuery[str] = "") -> Response[str]:
    """Show what waits for somebody's word, what was decided lately, and from where on that is so."""
    return await _page(parts, done=DONE.get(done, ""))


@post(f"{HERE}/{{approval_id:uuid}}", include_in_schema=False, opt={"permission": "approvals.decide"})
async def decide(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], approval_id: FromPath[UUID], data: Form
) -> Response[Any]:
    """Approve or refuse; what stands against it is said beside the deed, and what was typed stays."""
    decision: Literal["approved", "refused"] = "approved" if text(data, "as") == "approved" else "refused"
    try:
        await give_word(request, parts, approval_id, Word(decision=decision, why=text(data, "why")))
    except EntrepotError as error:
        return await _page(parts, at=approval_id, wrong=str(error), typed=text(data, "why"), status=error.status)
    return Redirect(f"{HERE}?done={decision}", status_code=303)


HANDLERS = [list_approvals, decide]


async def _page(
    parts: Parts, *, at: UUID | None = None, wrong: str = "", typed: str = "", done: str = "", status: int = 200
) -> Response[str]:
    async with parts.record.reading() as connection:
        waiting = await query.approvals(connection, parts.cell, "requested", None, LIMIT)
        lately = await query.approvals(connection, parts.cell, "", None, LIMIT)
        limits = await query.thresholds(connection)
    about(*(one.asked_by for one in (*waiting, *lately)), *(one.decided_by for one in lately))
    context = {
        "items": waiting,
        "lately": [one for one in lately if one.state != "requested"],
        "limits": limits,
        "counted": LIMITED,
        "me": parts.who.id,
        "at": at,
        "wrong": wrong,
        "typed": typed,
        "done": done,
    }
    return office_page("approvals.html", "approvals", context, status=status)
