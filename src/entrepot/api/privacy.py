"""What somebody may ask of us about themselves: a copy of all that is known, that it is not used, that it is forgotten."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from msgspec import Struct

from entrepot.api.parts import Parts
from entrepot.api.principal import freshly_proved, signed_in
from entrepot.api.sessions import NO_STORE
from entrepot.base.errors import NotFoundError
from entrepot.base.limits import ERASURE_GRACE_DAYS
from entrepot.base.time import utc
from entrepot.privacy import erasing
from entrepot.privacy.rules import State
from entrepot.privacy.store import Erasure
from entrepot.privacy.subjects import together

TAGS = ["You"]
OWN = {"permission": "account.own"}


class Restriction(Struct, frozen=True, kw_only=True):
    """Whether what is known of you is used for nothing but what you order."""

    restricted: bool


class ErasureStanding(Struct, frozen=True, kw_only=True):
    """How far your wish to be forgotten is; until ``due_at`` it can be withdrawn. ``waits_for``: what has to end first."""

    erasure_id: UUID
    state: State
    asked_at: datetime
    due_at: datetime
    waits_for: str


@get("/v1/me/export", tags=TAGS, summary="All that is known of you", opt=OWN, media_type="application/zip")
async def export(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[bytes]:
    """Get one archive: JSON by area, a page to read, and what each field is for. You must have proved of late who you are."""
    person_id = _id(request, parts)
    async with parts.record.reading() as connection:
        subjects = await together(connection, parts.people.sealing, parts.cell, person_id)
    archive = await parts.privacy.exporter.export(subjects)
    headers = {**NO_STORE, "Content-Disposition": 'attachment; filename="export.zip"'}
    return Response(archive, media_type="application/zip", headers=headers)


@put("/v1/me/restriction", tags=TAGS, summary="Let your data be used for nothing", opt=OWN)
async def restrict(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Restriction]:
    """Keep what is known of you, and use it for nothing but what you order."""
    return await _restricted(request, parts, restricted=True)


@delete("/v1/me/restriction", tags=TAGS, summary="Let your data be used again", opt=OWN, status_code=200)
async def lift(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Restriction]:
    """Lift the restriction."""
    return await _restricted(request, parts, restricted=False)


@post("/v1/me/erasure", tags=TAGS, summary="Be forgotten", opt=OWN, status_code=202)
async def erase(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[ErasureStanding]:
    """Ask to be forgotten, everywhere and for good, after two weeks in which you can change your mind."""
    person_id = _id(request, parts)
    asked = await parts.privacy.erasing.ask(str(person_id), parts.actor, timedelta(days=ERASURE_GRACE_DAYS))
    return Response(_standing(asked), status_code=202, headers=NO_STORE)


@get("/v1/me/erasure", tags=TAGS, summary="How far your wish to be forgotten is", opt=OWN)
async def erasure(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[ErasureStanding]:
    """Read when you will be forgotten, and what that waits for."""
    person_id = signed_in(request).id
    assert person_id is not None
    found = await parts.privacy.erasing.of(person_id)
    if found is None:
        raise NotFoundError("You have not asked to be forgotten.")
    return Response(_standing(found), headers=NO_STORE)


@delete("/v1/me/erasure", tags=TAGS, summary="Do not be forgotten after all", opt=OWN, status_code=200)
async def withdraw(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[ErasureStanding]:
    """Withdraw your wish, as long as nothing was forgotten."""
    return Response(_standing(await parts.privacy.erasing.withdraw(_id(request, parts), parts.actor)), headers=NO_STORE)


HANDLERS = [export, restrict, lift, erase, erasure, withdraw]


def _id(request: Request[Any, Any, Any], parts: Parts) -> UUID:
    who = freshly_proved(request, utc(parts.clock.millis()))
    assert who.id is not None
    return who.id


async def _restricted(request: Request[Any, Any, Any], parts: Parts, *, restricted: bool) -> Response[Restriction]:
    person_id = signed_in(request).id
    assert person_id is not None
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        await erasing.restrict(tx, person_id, utc(parts.clock.millis()), restricted=restricted)
    return Response(Restriction(restricted=restricted), headers=NO_STORE)


def _standing(one: Erasure) -> ErasureStanding:
    return ErasureStanding(
        erasure_id=one.id, state=one.state, asked_at=one.asked_at, due_at=one.due_at, waits_for=one.waits_for
    )
