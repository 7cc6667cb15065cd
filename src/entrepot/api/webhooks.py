"""Webhooks: who is told of which events, how far each is, what could not be delivered, and reading events by hand."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Raw, Struct

from entrepot.api.headers import RequiredKey, moved, required
from entrepot.api.pages import Limit
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError
from entrepot.base.event import START, Token
from entrepot.base.ids import IdSource
from entrepot.base.projection import Slot
from entrepot.commerce.webhook import commands, query
from entrepot.commerce.webhook.commands import Subscribed
from entrepot.commerce.webhook.query import Endpoint, ParkedDelivery
from entrepot.commerce.webhook.rules import EndpointDraft, expand
from entrepot.jobs.kinds import event_kinds
from entrepot.jobs.webhooks import text_of
from entrepot.log.reader import LogReader
from entrepot.record.transaction import Transaction


class Endpoints(Struct, frozen=True, kw_only=True):
    """Every subscriber."""

    items: list[Endpoint]


class Deliveries(Struct, frozen=True, kw_only=True):
    """What is parked for a subscriber, in the log's order."""

    items: list[ParkedDelivery]


class ReplayFrom(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to go on from: after a position, or from a moment; neither means from the very beginning."""

    position: str | None = None
    since: datetime | None = None


class StandsAt(Struct, frozen=True, kw_only=True):
    """The position after which a subscriber is told next."""

    position: str


class RetryRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which parked event to try again; none means all of them."""

    event_id: UUID | None = None


class Retrying(Struct, frozen=True, kw_only=True):
    """How many parked events are tried again."""

    asked: int


class EndpointState(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a subscriber is told now or waits."""

    state: Literal["active", "paused"]


class EventKinds(Struct, frozen=True, kw_only=True):
    """Every kind of event that there is."""

    items: list[str]


class EventPage(Struct, frozen=True, kw_only=True):
    """Events as webhooks tell them, in the log's order; ``position`` leads on, ``more`` says that there is more now."""

    items: list[Raw]
    position: str
    more: bool


@post("/v1/webhook-endpoints", tags=["Webhooks"], summary="Subscribe to events", opt={"permission": "webhooks.manage"})
async def subscribe(
    parts: NamedDependency[Parts], data: JSONBody[EndpointDraft], idempotency_key: RequiredKey = ""
) -> Response[Subscribed]:
    """Add a subscriber, who is told of what happens from now on; the answer holds its secret, once."""

    async def act(tx: Transaction) -> Subscribed:
        return await commands.subscribe(tx, data, event_kinds(), _chance(parts.record.ids))

    made = await parts.run(act, Subscribed, required(idempotency_key), data)
    headers = {"Location": f"/v1/webhook-endpoints/{made.id}", **moved(made.position)}
    return Response(made, status_code=201, headers=headers)


@get("/v1/webhook-endpoints", tags=["Webhooks"], summary="Who subscribes", opt={"permission": "webhooks.manage"})
async def endpoints(parts: NamedDependency[Parts]) -> Endpoints:
    """List the subscribers, how far each has been told, and how much waits or was given up."""
    async with parts.record.reading() as connection:
        return Endpoints(items=await query.endpoints(connection, parts.cell))


@post(
    "/v1/webhook-endpoints/{endpoint_id:uuid}/state",
    tags=["Webhooks"],
    summary="Pause a subscriber, or let it go on",
    opt={"permission": "webhooks.manage"},
)
async def set_state(
    parts: NamedDependency[Parts], endpoint_id: FromPath[UUID], data: JSONBody[EndpointState]
) -> Response[EndpointState]:
    """Pause a subscriber, or let one that was paused or disabled go on from where it stands."""
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        token = await commands.set_state(tx, endpoint_id, data.state)
    return Response(data, headers=moved(str(token)))


@delete(
    "/v1/webhook-endpoints/{endpoint_id:uuid}", tags=["Webhooks"], summary="Unsubscribe", opt={"permission": "webhooks.manage"}
)
async def unsubscribe(parts: NamedDependency[Parts], endpoint_id: FromPath[UUID]) -> Response[None]:
    """Forget a subscriber and what is parked for it."""
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        token = await commands.unsubscribe(tx, endpoint_id)
    return Response(None, status_code=204, headers=moved(str(token)))


@post(
    "/v1/webhook-endpoints/{endpoint_id:uuid}/replays",
    tags=["Webhooks"],
    summary="Tell a subscriber again",
    opt={"permission": "webhooks.manage"},
)
async def replay(parts: NamedDependency[Parts], endpoint_id: FromPath[UUID], data: JSONBody[ReplayFrom]) -> Response[StandsAt]:
    """Go back, or on, to a position or a moment, as far back as the log and its archive reach."""
    token = parts.token(data.position) if data.position else None
    if data.since is not None and data.since.tzinfo is None:
        raise BadInputError(f"The moment {data.since.isoformat()} has no time zone: add one, such as Z.", field="since")
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        stands = await commands.replay(tx, endpoint_id, token.position if token else None, data.since)
    return Response(StandsAt(position=str(Token(parts.cell, stands))), status_code=200)


@get(
    "/v1/webhook-endpoints/{endpoint_id:uuid}/deliveries",
    tags=["Webhooks"],
    summary="What could not be delivered",
    opt={"permission": "webhooks.manage"},
)
async def deliveries(
    parts: NamedDependency[Parts],
    endpoint_id: FromPath[UUID],
    limit: Limit = 20,
    wanted: Annotated[Literal["", "waiting", "dead"], QueryParameter(name="state", description="Empty means both.")] = "",
) -> Deliveries:
    """List what waits to be tried again, and the dead letters, in the log's order."""
    async with parts.record.reading() as connection:
        return Deliveries(items=await query.parked(connection, parts.cell, endpoint_id, wanted, limit))


@post(
    "/v1/webhook-endpoints/{endpoint_id:uuid}/retries",
    tags=["Webhooks"],
    summary="Try parked events again",
    opt={"permission": "webhooks.manage"},
)
async def retry(parts: NamedDependency[Parts], endpoint_id: FromPath[UUID], data: JSONBody[RetryRequest]) -> Response[Retrying]:
    """Try a parked event again now, dead letters too, or all of them."""
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        return Response(Retrying(asked=await commands.retry(tx, endpoint_id, data.event_id)), status_code=200)


@get("/v1/event-kinds", tags=["Webhooks"], summary="Which kinds of events there are", opt={"permission": "docs.read"})
async def kinds() -> EventKinds:
    """List every kind that can be subscribed to."""
    return EventKinds(items=sorted(event_kinds()))


@get("/v1/events", tags=["Webhooks"], summary="Read events by position", opt={"permission": "events.read"})
async def events(
    parts: NamedDependency[Parts],
    after: Annotated[str, QueryParameter(description="A position; empty begins with the log's first event.")] = "",
    wanted: Annotated[
        str, QueryParameter(name="kinds", description="Kinds with commas between; ordering.* means all of it.")
    ] = "*",
    limit: Limit = 100,
) -> Response[EventPage]:
    """Read events in the log's order, as a subscriber would be told of them; what is not settled yet is left for later."""
    token = parts.token(after) if after else Token(parts.cell, START)
    chosen = expand(wanted.split(","), event_kinds())
    batch = await LogReader(parts.record, parts.archived).read(Slot(parts.cell), token.position, chosen, limit)
    page = EventPage(
        items=[Raw(text_of(event).encode()) for event in batch.events],
        position=str(Token(parts.cell, max(batch.end, token.position))),
        more=batch.full,
    )
    return Response(page, headers={"Cache-Control": "no-store"})


HANDLERS = [subscribe, endpoints, set_state, unsubscribe, replay, deliveries, retry, kinds, events]


def _chance(ids: IdSource) -> bytes:
    """Return 32 bytes of which 244 bits are chance."""
    return ids.unguessable().bytes + ids.unguessable().bytes
