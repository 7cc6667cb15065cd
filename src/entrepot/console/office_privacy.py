"""The privacy desk: somebody is found, and their data exported, restricted or forgotten; the certificate is shown, and proved.

Who is meant is typed into a form and never stands in an address; what is done goes by the id that was found.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api.parts import Parts
from entrepot.api.principal import freshly_proved
from entrepot.api.sessions import NO_STORE
from entrepot.base.errors import BadInputError, EntrepotError, NotFoundError
from entrepot.base.limits import ERASURE_GRACE_DAYS
from entrepot.base.time import utc
from entrepot.console.forms import Form, text
from entrepot.console.office import LIMIT, office_page
from entrepot.privacy import erasing, store
from entrepot.privacy.certificate import Certificate, certificate_of, verify
from entrepot.privacy.subjects import named, together
from entrepot.record.cause import about

HERE = "/office/privacy"
DONE = {
    "restricted": "It is kept, and used for nothing but what they order.",
    "lifted": "It may be used again.",
    "asked": "They will be forgotten after the days of grace.",
    "withdrawn": "They stay.",
}


@get(HERE, include_in_schema=False, opt={"permission": "privacy.handle"})
async def show(parts: NamedDependency[Parts], subject: FromQuery[str] = "", done: FromQuery[str] = "") -> Response[str]:
    """Show the erasures, and how somebody's data stands."""
    return await _page(parts, _id(subject), done=DONE.get(done, ""))


@post(HERE, include_in_schema=False, opt={"permission": "privacy.handle"})
async def find(parts: NamedDependency[Parts], data: Form) -> Response[Any]:
    """Find somebody by an id or an e-mail address."""
    try:
        async with parts.record.reading() as connection:
            subjects = await named(connection, parts.people.sealing, parts.cell, text(data, "who"))
    except EntrepotError as error:
        return await _page(parts, None, wrong=str(error), status=error.status)
    return Redirect(f"{HERE}?subject={subjects[0]}", status_code=303)


@post(f"{HERE}/{{subject_id:uuid}}/export", include_in_schema=False, opt={"permission": "privacy.handle"})
async def export(request: Request[Any, Any, Any], parts: NamedDependency[Parts], subject_id: FromPath[UUID]) -> Response[Any]:
    """Hand out the archive of somebody; takes a fresh proof of who asks."""
    about(subject_id)
    try:
        freshly_proved(request, utc(parts.clock.millis()))
        async with parts.record.reading() as connection:
            subjects = await together(connection, parts.people.sealing, parts.cell, subject_id)
        archive = await parts.privacy.exporter.export(subjects)
    except EntrepotError as error:
        return await _page(parts, subject_id, wrong=str(error), status=error.status)
    headers = {**NO_STORE, "Content-Disposition": 'attachment; filename="export.zip"'}
    return Response(archive, media_type="application/zip", headers=headers)


@post(f"{HERE}/{{subject_id:uuid}}", include_in_schema=False, opt={"permission": "privacy.handle"})
async def handle(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], subject_id: FromPath[UUID], data: Form
) -> Response[Any]:
    """Restrict, lift, forget or withdraw that; takes a fresh proof, and to forget the end of the id, typed."""
    about(subject_id)
    do, now = text(data, "do"), utc(parts.clock.millis())
    try:
        freshly_proved(request, now)
        if do in {"restricted", "lifted"}:
            async with parts.record.transaction(parts.cell, parts.actor) as tx:
                await erasing.restrict(tx, subject_id, now, restricted=do == "restricted")
        elif do == "withdrawn":
            await parts.privacy.erasing.withdraw(subject_id, parts.actor)
        elif do == "asked":
            if not str(subject_id).endswith(text(data, "end") or "?"):
                raise BadInputError("Type the end of the id of whom you mean: what is forgotten cannot be brought back.")
            await parts.privacy.erasing.ask(str(subject_id), parts.actor, timedelta(days=ERASURE_GRACE_DAYS))
    except EntrepotError as error:
        return await _page(parts, subject_id, wrong=str(error), status=error.status)
    return Redirect(f"{HERE}?subject={subject_id}&done={do if do in DONE else ''}", status_code=303)


HANDLERS = [show, find, export, handle]


def _id(subject: str) -> UUID | None:
    try:
        return UUID(subject) if subject else None
    except ValueError as error:
        raise BadInputError(f"{subject[:40]!r} is no id: find them by the form.", field="subject") from error


async def _page(parts: Parts, subject: UUID | None, *, done: str = "", wrong: str = "", status: int = 200) -> Response[str]:
    about(subject)
    async with parts.record.reading() as connection:
        items = await store.erasures(connection, parts.cell, LIMIT)
        erasure = await store.erasure_of(connection, parts.cell, subject) if subject else None
        restricted = bool(subject and await store.restricted(connection, [subject]))
        certificate: Certificate | None = None
        if erasure is not None and erasure.state in {"certified", "found"}:
            certificate = await _proved(connection, parts.cell, erasure.subject)
    context = {
        "items": items,
        "subject": subject,
        "erasure": erasure,
        "certificate": certificate,
        "restricted": restricted,
        "grace": ERASURE_GRACE_DAYS,
        "done": done,
        "wrong": wrong,
    }
    return office_page("office_privacy.html", "privacy", context, status=status)


async def _proved(connection: Any, cell: int, subject: UUID) -> Certificate | None:
    """Return what the certificate says, its signature proved; None where the search is not over."""
    try:
        return verify(await certificate_of(connection, cell, subject))
    except NotFoundError:
        return None
