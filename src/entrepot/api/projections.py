"""The projections: how far each is, and what an operator can do: rebuild, verify, try again what was set aside."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from entrepot.api.parts import Parts
from entrepot.api.pulse import Lane
from entrepot.base.errors import NotFoundError
from entrepot.log import generations, quarantine
from entrepot.log.projector import Subscription


class Lanes(Struct, frozen=True, kw_only=True):
    """Every projection, and the number of the log's last event."""

    at: datetime
    head: int
    items: Sequence[Lane]


class Rebuilding(Struct, frozen=True, kw_only=True):
    """The generation that is being built; the live one is read until it has caught up."""

    projection: str
    generation: int


class VerificationStarted(Struct, frozen=True, kw_only=True):
    """The projection that is being compared with the truth."""

    projection: str


class Parked(Struct, frozen=True, kw_only=True):
    """An event that was set aside: the one that could not be taken has the error, those of its key behind it have none."""

    generation: int
    key: str
    event_id: UUID
    kind: str
    error: str | None
    replay: bool
    at: datetime


class Quarantine(Struct, frozen=True, kw_only=True):
    """What is set aside, in the log's order."""

    items: list[Parked]


class ReplayRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which key to try again; none means every key."""

    key: str | None = None


class Replaying(Struct, frozen=True, kw_only=True):
    """How many events the projector will try again."""

    asked: int


@get("/v1/projections", tags=["Projections"], summary="How far every projection is", opt={"permission": "house.watch"})
async def list_projections(parts: NamedDependency[Parts]) -> Response[Lanes]:
    """Say of each projection how far it is, what it is doing and when it was last verified."""
    seen = await parts.pulse.look()
    return Response(Lanes(at=seen.at, head=seen.head, items=seen.lanes), headers={"Cache-Control": "no-store"})


@post(
    "/v1/projections/{name:str}/rebuilds",
    tags=["Projections"],
    summary="Rebuild a projection",
    status_code=202,
    opt={"permission": "house.run"},
)
async def rebuild(parts: NamedDependency[Parts], name: FromPath[str]) -> Rebuilding:
    """Build a new generation from the log beside the live one; readers are switched over when it has caught up."""
    found = known(parts, name)
    generation = await generations.rebuild(parts.record, found.projection, found.shards)
    return Rebuilding(projection=name, generation=generation)


@post(
    "/v1/projections/{name:str}/verifications",
    tags=["Projections"],
    summary="Verify a projection",
    status_code=202,
    opt={"permission": "house.run"},
)
async def verify(parts: NamedDependency[Parts], name: FromPath[str]) -> VerificationStarted:
    """Begin to compare a projection with the truth, key range by key range; the result is in the list of projections."""
    known(parts, name)
    parts.verifying.start(name)
    return VerificationStarted(projection=name)


@get(
    "/v1/projections/{name:str}/quarantine",
    tags=["Projections"],
    summary="What a projection has set aside",
    opt={"permission": "house.watch"},
)
async def read_quarantine(parts: NamedDependency[Parts], name: FromPath[str]) -> Quarantine:
    """List the events that could not be taken, with their errors, and those that wait behind them."""
    known(parts, name)
    return Quarantine(items=await parked(parts, name))


@post(
    "/v1/projections/{name:str}/quarantine/replays",
    tags=["Projections"],
    summary="Try again what was set aside",
    opt={"permission": "house.run"},
)
async def replay(parts: NamedDependency[Parts], name: FromPath[str], data: JSONBody[ReplayRequest]) -> Replaying:
    """Ask the projector to try a key's events again, in their order, or everyone's."""
    known(parts, name)
    return Replaying(asked=await quarantine.replay(parts.record, name, data.key))


HANDLERS = [list_projections, rebuild, verify, read_quarantine, replay]


def known(parts: Parts, name: str) -> Subscription:
    """Return the projection of this name, or name those there are."""
    if name not in parts.subscriptions:
        names = ", ".join(sorted(parts.subscriptions))
        raise NotFoundError(f"There is no projection {name!r}: there are {names}.", projection=name)
    return parts.subscriptions[name]


async def parked(parts: Parts, name: str) -> list[Parked]:
    """Return what a projection has set aside."""
    return [
        Parked(generation=q.generation, key=q.key, event_id=q.event_id, kind=q.kind, error=q.error, replay=q.replay, at=q.at)
        for q in await quarantine.parked(parts.record, name)
    ]
