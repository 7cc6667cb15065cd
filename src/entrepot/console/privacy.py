"""What somebody may ask of us about themselves, by page: a copy, that it is not used, that it is forgotten."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect

from entrepot.api import privacy
from entrepot.api.parts import Parts
from entrepot.api.principal import signed_in
from entrepot.base.errors import BadInputError, EntrepotError
from entrepot.base.limits import ERASURE_GRACE_DAYS
from entrepot.console.forms import Form, text
from entrepot.console.render import page
from entrepot.privacy import store

HERE = "/account/privacy"
DONE = {
    "restricted": "It is kept, and used for nothing but what you order.",
    "lifted": "It may be used again.",
    "asked": "You will be forgotten. Until then you can change your mind here.",
    "withdrawn": "You stay.",
}


@get(HERE, include_in_schema=False, opt={"permission": "account.own"})
async def show(request: Request[Any, Any, Any], parts: NamedDependency[Parts], done: FromQuery[str] = "") -> Response[str]:
    """Show what one may ask for, and how far it is."""
    return await _page(request, parts, done=DONE.get(done, ""))


@post(f"{HERE}/export", include_in_schema=False, opt={"permission": "account.own"})
async def export(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Any]:
    """Hand out the archive; takes a fresh proof."""
    try:
        archive: Response[bytes] = await privacy.export.fn(request, parts)
    except EntrepotError as error:
        return await _page(request, parts, wrong=str(error), status=error.status)
    return archive


@post(HERE, include_in_schema=False, opt={"permission": "account.own"})
async def ask(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Restrict, lift, ask to be forgotten or withdraw that; to be forgotten is confirmed by a tick."""
    do = text(data, "do")
    try:
        if do == "restricted":
            await privacy.restrict.fn(request, parts)
        elif do == "lifted":
            await privacy.lift.fn(request, parts)
        elif do == "withdrawn":
            await privacy.withdraw.fn(request, parts)
        elif do == "asked":
            if not text(data, "sure"):
                raise BadInputError("Tick that you are sure: what is forgotten cannot be brought back.", field="sure")
            await privacy.erase.fn(request, parts)
    except EntrepotError as error:
        return await _page(request, parts, wrong=str(error), status=error.status)
    return Redirect(f"{HERE}?done={do if do in DONE else ''}", status_code=303)


HANDLERS = [show, export, ask]


async def _page(
    request: Request[Any, Any, Any], parts: Parts, *, done: str = "", wrong: str = "", status: int = 200
) -> Response[str]:
    person_id = signed_in(request).id
    assert person_id is not None
    async with parts.record.reading() as connection:
        restricted = person_id in await store.restricted(connection, [person_id])
    context = {
        "erasure": await parts.privacy.erasing.of(person_id),
        "restricted": restricted,
        "grace": ERASURE_GRACE_DAYS,
        "done": done,
        "wrong": wrong,
    }
    return page("privacy.html", "account", context, status=status)
