"""The authenticator by page: a picture to be read by it, the code that confirms it, and recovery codes, shown once.

The seed is on one page only, which no cache keeps, and never in an address; the picture is made here, by no other site.
"""

from typing import Any

import segno
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from entrepot.api import credentials
from entrepot.api.parts import Parts
from entrepot.base.errors import EntrepotError
from entrepot.console.forms import Form, text
from entrepot.console.render import page
from entrepot.console.sign_in import SECURITY, security_page

TOTP = f"{SECURITY}/authenticator"
PICTURE_SCALE = 5


@post(TOTP, include_in_schema=False, opt={"permission": "account.own"})
async def begin(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Any]:
    """Show a new seed as a picture and in letters; takes a fresh proof."""
    try:
        begun = (await credentials.begin_totp.fn(request, parts)).content
    except EntrepotError as error:
        return await security_page(request, parts, wrong=str(error), status=error.status)
    # Dark on light in every scheme: a camera reads nothing else.
    picture = segno.make_qr(begun.address).svg_data_uri(scale=PICTURE_SCALE, border=4, dark="#000", light="#fff")
    return page("authenticator.html", "account", {"picture": picture, "seed": begun.seed, "codes": [], "wrong": ""})


@post(f"{TOTP}/code", include_in_schema=False, opt={"permission": "account.own"})
async def confirm(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Use the authenticator from now on if the code is right, and show recovery codes; else ask for another code."""
    shown: dict[str, object] = {"picture": "", "seed": "", "codes": [], "wrong": ""}
    try:
        answer = await credentials.confirm_totp.fn(request, parts, credentials.Code(code=text(data, "code")))
    except EntrepotError as error:
        return page("authenticator.html", "account", {**shown, "wrong": str(error)}, status=error.status)
    return page("authenticator.html", "account", {**shown, "codes": answer.content.codes})


@post(f"{TOTP}/end", include_in_schema=False, opt={"permission": "account.own"})
async def end(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Any]:
    """Use the authenticator no longer; takes a fresh proof."""
    try:
        await credentials.remove_totp.fn(request, parts)
    except EntrepotError as error:
        return await security_page(request, parts, wrong=str(error), status=error.status)
    return Redirect(f"{SECURITY}?done=authenticator", status_code=303)


@post(f"{SECURITY}/recovery-codes", include_in_schema=False, opt={"permission": "account.own"})
async def recovery_codes(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Any]:
    """Show new recovery codes in place of those that there are; takes a fresh proof."""
    try:
        codes = (await credentials.recovery_codes.fn(request, parts)).content.codes
    except EntrepotError as error:
        return await security_page(request, parts, wrong=str(error), status=error.status)
    return page("authenticator.html", "account", {"picture": "", "seed": "", "codes": codes, "wrong": ""})


HANDLERS = [begin, confirm, end, recovery_codes]
