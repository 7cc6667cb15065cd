"""Where the links of letters lead: a page that says what the link does, and does it when its reader goes on.

Opening it changes nothing: programs that look through mail open links too, and would use them up. What proves a link stands
behind the # of its address, which no browser sends: ``link.js`` puts it into the form; without script its reader does.
"""

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.response import Redirect

from entrepot.api.parts import Parts
from entrepot.api.people import LinkOnly, NewPassword, Verification, change_email, reset, verify
from entrepot.api.sessions import LinkSignIn, by_link
from entrepot.base.errors import TokenRefusedError
from entrepot.base.time import utc
from entrepot.commerce.people import query
from entrepot.console.forms import Form, text
from entrepot.console.render import page
from entrepot.jobs.letters import LANDING

ASKS = "Copy the address from your letter, or what stands behind its #."
SAYS = {
    "verify": ("Confirm your address", "Choose a password, or leave it empty and sign in by links or passkeys.", "Confirm"),
    "reset": ("Choose a new password", "Every session ends, on every device.", "Save"),
    "sign_in": ("Sign in", "This link signs you in once.", "Sign in"),
    "email": ("Use this address", "You sign in by it from now on. Every session ends.", "Confirm"),
}


@get(LANDING, include_in_schema=False, opt={"permission": "account.join"})
async def ask_for_link() -> Response[str]:
    """Ask for what stands in the letter; with script nobody notices."""
    return page("link.html", "", {"title": "Your letter", "says": ASKS, "button": "Go on", "purpose": "", "token": ""})


@post(f"{LANDING}/purpose", include_in_schema=False, opt={"permission": "account.join"}, status_code=200)
async def show_link(parts: NamedDependency[Parts], data: Form) -> Response[str]:
    """Say what a link does."""
    token = text(data, "token").rpartition("#")[2]
    async with parts.record.reading() as connection:
        purpose = await query.link_purpose(connection, token, utc(parts.clock.millis()))
    title, says, button = SAYS[purpose]
    shown = {"title": title, "says": says, "button": button, "purpose": purpose, "token": token}
    return page("link.html", "", shown)


@post(LANDING, include_in_schema=False, opt={"permission": "account.join"})
async def follow_link(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Redirect:
    """Do what a link is for, and go to the store: signed in, where the link signs in."""
    token, password = text(data, "token"), data.get("password", "")
    async with parts.record.reading() as connection:
        purpose = await query.link_purpose(connection, token, utc(parts.clock.millis()))
    cookies: list[Cookie] = []
    if purpose == "verify":
        verified = await verify.fn(request, parts, Verification(token=token, password=password, as_cookie=True))
        cookies = verified.cookies
    elif purpose == "sign_in":
        code = text(data, "code")
        cookies = (await by_link.fn(request, parts, LinkSignIn(token=token, code=code, as_cookie=True))).cookies
    elif purpose == "reset":
        await reset.fn(request, parts, NewPassword(token=token, password=password))
    elif purpose == "email":
        await change_email.fn(request, parts, LinkOnly(token=token))
    else:
        raise TokenRefusedError("link")
    return Redirect("/", status_code=303, cookies=cookies)


HANDLERS = [ask_for_link, show_link, follow_link]
