"""The administrator's page: who holds which role, and giving and taking them; and the reason that support gives by page."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.access.roles import ROLES
from entrepot.api.pages import parse_cursor
from entrepot.api.parts import Parts
from entrepot.api.place import WHY_COOKIE
from entrepot.api.principal import freshly_proved
from entrepot.audit.rules import check_why
from entrepot.base.errors import EntrepotError, NotFoundError
from entrepot.base.limits import STEP_UP_SECONDS
from entrepot.base.principal import Membership
from entrepot.base.time import utc
from entrepot.commerce.people import commands, query, rules
from entrepot.console.forms import Form, text
from entrepot.console.office import office_page
from entrepot.console.sign_in import goes_on

HERE, WHY = "/office/people", "/why"
LIMIT = 50
DONE = {
    "granted": "Given. It counts from their next sign-in.",
    "revoked": "Taken away, and their sessions have ended.",
    "ended": "Their sessions have ended.",
}


@get(HERE, include_in_schema=False, opt={"permission": "people.manage"})
async def list_people(
    parts: NamedDependency[Parts], role: FromQuery[str] = "", cursor: FromQuery[str] = "", done: FromQuery[str] = ""
) -> Response[str]:
    """Show people with the roles they hold."""
    return await _page(parts, role=role, cursor=cursor, done=DONE.get(done, ""))


@post(HERE, include_in_schema=False, opt={"permission": "people.manage"})
async def grant_role(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Give a role to who signs in by an address; takes a fresh proof."""
    try:
        now = utc(parts.clock.millis())
        freshly_proved(request, now)
        async with parts.record.reading() as connection:
            person_id = await query.id_by_email(connection, parts.people.sealing, text(data, "email"))
        if person_id is None:
            raise NotFoundError("Nobody signs in by that address: have them register first.")
        async with parts.asking(), parts.record.transaction(parts.cell, parts.actor) as tx:
            changed = await commands.grant(tx, person_id, Membership(text(data, "role"), text(data, "tenant")), now)
        await parts.people.sessions.doubt(changed.ended)
    except EntrepotError as error:
        return await _page(parts, wrong=str(error), typed=data, status=error.status)
    return Redirect(f"{HERE}?done=granted", status_code=303)


@post(f"{HERE}/{{person_id:uuid}}", include_in_schema=False, opt={"permission": "people.manage"})
async def change_person(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], person_id: FromPath[UUID], data: Form
) -> Response[Any]:
    """Take a role from somebody, or end their sessions; takes a fresh proof."""
    do = text(data, "do")
    try:
        now = utc(parts.clock.millis())
        freshly_proved(request, now)
        async with parts.record.transaction(parts.cell, parts.actor) as tx:
            if do == "revoked":
                one = Membership(text(data, "role"), text(data, "tenant"))
                ended = (await commands.revoke(tx, person_id, one, now)).ended
            else:
                ended = await parts.people.sessions.end(tx, person_id, "revoked")
        await parts.people.sessions.doubt(ended)
    except EntrepotError as error:
        return await _page(parts, wrong=str(error), status=error.status)
    return Redirect(f"{HERE}?done={'revoked' if do == 'revoked' else 'ended'}", status_code=303)


@post(WHY, include_in_schema=False, opt={"permission": "account.own"})
async def say_why(data: Form) -> Redirect:
    """Keep for a short while why somebody of the platform looks at what is others'; each look is noted with it."""
    why = check_why(text(data, "why"))
    kept = Cookie(
        WHY_COOKIE, value=why.replace(" ", "-"), path="/", max_age=int(STEP_UP_SECONDS), httponly=True, samesite="strict"
    )
    return Redirect(goes_on(text(data, "next")), status_code=303, cookies=[kept])


HANDLERS = [list_people, grant_role, change_person, say_why]


async def _page(
    parts: Parts,
    *,
    role: str = "",
    cursor: str = "",
    done: str = "",
    wrong: str = "",
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    async with parts.record.reading() as connection:
        items = await query.people(connection, parts.people.sealing, parse_cursor(cursor) or UUID(int=0), role, LIMIT)
    context = {
        "items": items,
        "roles": rules.ROLES,
        "says_why": [name for name, one in ROLES.items() if one.says_why],
        "role": role,
        "more": str(items[-1].id) if len(items) == LIMIT else "",
        "done": done,
        "wrong": wrong,
        "typed": typed or {},
    }
    return office_page("people.html", "people", context, status=status)
