"""Coming in and going out by page: password and code, passkey, another provider, a letter; and where one is signed in.

Everything works without JavaScript but passkeys, which browsers offer to scripts only (``passkey.js``).
"""

from typing import Annotated, Any, TypeAlias
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from entrepot.api import oidc, sessions
from entrepot.api.guard import BUYER, GUEST
from entrepot.api.parts import Parts
from entrepot.api.people import Address, ask_link
from entrepot.api.principal import no_session, principal_of
from entrepot.base.errors import EntrepotError, SignInNeededError
from entrepot.base.time import utc
from entrepot.commerce.people import query
from entrepot.console.forms import Form, text
from entrepot.console.render import page
from entrepot.console.visitor import CART, CHECKOUT, forget

SIGN_IN, SECURITY = "/sign-in", "/account/security"
After: TypeAlias = Annotated[str, QueryParameter(name="next", required=False)]
DONE = {
    "ended": "That session has ended.",
    "proved": "You have proved once more who you are.",
    "authenticator": "Codes are asked for no longer.",
}


@get(SIGN_IN, include_in_schema=False, opt={"permission": "account.join"})
async def show_sign_in(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], after: After = "", mailed: FromQuery[str] = ""
) -> Response[str]:
    """Show the ways in; ``next`` is the page that asked for it."""
    return _page(request, parts, goes_on(after), mailed=bool(mailed))


@post(SIGN_IN, include_in_schema=False, opt={"permission": "account.join"})
async def sign_in(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Sign in by password and code, or say beside the form that it was not right."""
    given = sessions.SignIn(
        email=text(data, "email"), password=data.get("password", ""), code=text(data, "code"), as_cookie=True
    )
    try:
        answer = await sessions.sign_in.fn(request, parts, given)
    except EntrepotError as error:
        return _page(request, parts, goes_on(text(data, "next")), wrong=str(error), status=error.status, email=given.email)
    return Redirect(goes_on(text(data, "next")), status_code=303, cookies=answer.cookies)


@post(f"{SIGN_IN}/letters", include_in_schema=False, opt={"permission": "account.join"})
async def mail_link(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Mail a link that signs in once; whether there is such an account is not told."""
    try:
        answer = await ask_link.fn(request, parts, Address(email=text(data, "email")))
    except EntrepotError as error:
        return _page(request, parts, "/", wrong=str(error), status=error.status)
    return Redirect(f"{SIGN_IN}?mailed=yes", status_code=303, cookies=answer.cookies)


@post(f"{SIGN_IN}/providers/{{provider:str}}", include_in_schema=False, status_code=200, opt={"permission": "account.join"})
async def by_provider(request: Request[Any, Any, Any], parts: NamedDependency[Parts], provider: FromPath[str]) -> Response[str]:
    """Go to another provider, which sends the browser back signed in.

    A page leads there, not a redirect: chromium lets no form of ours (``form-action 'self'``) end at another site.
    """
    sent = await oidc.begin.fn(request, parts, provider, False)  # the route's own parameter
    going = page("going.html", "account", {"provider": provider, "address": sent.content.address})
    going.cookies.extend(sent.cookies)
    return going


@post("/sign-out", include_in_schema=False, opt={"permission": "account.join"})
async def sign_out(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Redirect:
    """End this session, and leave nothing of it in the browser."""
    who = principal_of(request)
    if who.session is not None and who.id is not None:
        await _end(parts, who.id, who.session)
    gone: list[Cookie] = [forget(request, name) for name in (BUYER, CART, CHECKOUT, GUEST)]
    return Redirect("/", status_code=303, cookies=[no_session(parts.people), *gone])


@get(SECURITY, include_in_schema=False, opt={"permission": "account.own"})
async def show_security(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], done: FromQuery[str] = ""
) -> Response[str]:
    """Show where one is signed in, and by what."""
    return await security_page(request, parts, done=DONE.get(done, ""))


@post(f"{SECURITY}/proof", include_in_schema=False, opt={"permission": "account.own"})
async def prove(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Prove once more who one is, for what takes a fresh proof."""
    given = sessions.StepUp(password=data.get("password", ""), code=text(data, "code"))
    try:
        answer = await sessions.step_up.fn(request, parts, given)
    except EntrepotError as error:
        return await security_page(request, parts, wrong=str(error), status=error.status)
    return Redirect(f"{SECURITY}?done=proved", status_code=303, cookies=answer.cookies)


@post(f"{SECURITY}/sessions/{{session_id:uuid}}", include_in_schema=False, opt={"permission": "account.own"})
async def end_session(request: Request[Any, Any, Any], parts: NamedDependency[Parts], session_id: FromPath[UUID]) -> Redirect:
    """End one of one's sessions, perhaps on another device."""
    await _end(parts, _me(request), session_id)
    return Redirect(f"{SECURITY}?done=ended", status_code=303)


HANDLERS = [show_sign_in, sign_in, mail_link, by_provider, sign_out, show_security, prove, end_session]


def goes_on(given: str) -> str:
    """Return the page of this site to go on to: never another site's, whatever a link says."""
    plain = given.startswith("/") and not given.startswith(("//", "/\\")) and given.isprintable() and "\\" not in given
    return given if plain else "/account"


def _me(request: Request[Any, Any, Any]) -> UUID:
    who = principal_of(request)
    if who.id is None:
        raise SignInNeededError
    return who.id


async def _end(parts: Parts, person_id: UUID, session_id: UUID) -> None:
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        ended = await parts.people.sessions.end(tx, person_id, "signed out", only=session_id)
    await parts.people.sessions.doubt(ended)


def _page(
    request: Request[Any, Any, Any],
    parts: Parts,
    after: str,
    *,
    wrong: str = "",
    status: int = 200,
    email: str = "",
    mailed: bool = False,
) -> Response[str]:
    context = {
        "after": after,
        "wrong": wrong,
        "email": email,
        "mailed": mailed,
        "providers": sorted(parts.people.providers),
        "signed_in": principal_of(request).kind == "person",
    }
    return page("sign_in.html", "account", context, status=status)


async def security_page(
    request: Request[Any, Any, Any], parts: Parts, *, done: str = "", wrong: str = "", status: int = 200
) -> Response[str]:
    """Return the page of one's sessions and of what one signs in by."""
    who, person_id, now = principal_of(request), _me(request), utc(parts.clock.millis())
    async with parts.record.reading() as connection:
        context = {
            "profile": await query.profile(connection, parts.people.sealing, person_id),
            "passkeys": await query.passkeys(connection, person_id),
            "sessions": await query.sessions(connection, parts.people.sealing, person_id, now, who.session),
            "withheld": who.withheld,
            "done": done,
            "wrong": wrong,
        }
    return page("security.html", "account", context, status=status)
