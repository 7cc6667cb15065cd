"""Webhooks' commands: subscribe, pause, go on, leave; replay from a position; try again what was parked."""

import base64
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import ConflictError, NotFoundError
from entrepot.base.event import START, Position, Token
from entrepot.commerce.webhook import rules, store
from entrepot.commerce.webhook.events import ENDPOINT_CHANGED, EndpointChanged, State
from entrepot.commerce.webhook.rules import EndpointDraft
from entrepot.record.transaction import Fact, Transaction


class Subscribed(Struct, frozen=True, kw_only=True):
    """A new subscriber and the secret that its messages are signed with: shown this once."""

    id: UUID
    secret: str
    position: str


async def subscribe(tx: Transaction, draft: EndpointDraft, known: Collection[str], chance: bytes) -> Subscribed:
    """Add a subscriber, who is told of what happens from now on; ``chance`` is the secret's (32 bytes)."""
    rules.check_endpoint(draft, known)
    if await store.count_endpoints(tx.connection, tx.cell) >= limits.WEBHOOK_ENDPOINTS_MAX:
        raise ConflictError(f"There are {limits.WEBHOOK_ENDPOINTS_MAX} endpoints, which is the most: remove one first.")
    id_, secret = tx.ids.fresh(), "whsec_" + base64.b64encode(chance).decode()
    sealed = tx.sealing.seal_secret(store.secret_name(id_), secret)
    await store.add_endpoint(tx.connection, tx.cell, id_, draft.url, sealed, draft.kinds)
    token = await _tell(tx, store.StoredEndpoint(id_, draft.url, draft.kinds, "active", "", 0), "active", "")
    return Subscribed(id=id_, secret=secret, position=str(token))


async def set_state(tx: Transaction, endpoint_id: UUID, state: State, why: str = "") -> Token:
    """Pause a subscriber, let it go on, or disable it."""
    endpoint = await _locked(tx, endpoint_id)
    rules.ENDPOINT.check(endpoint_id, endpoint.state, state)
    await store.set_state(tx.connection, tx.cell, endpoint_id, state, why, endpoint.version + 1)
    return await _tell(tx, endpoint, state, why)


async def unsubscribe(tx: Transaction, endpoint_id: UUID) -> Token:
    """Forget a subscriber and what is parked for it."""
    endpoint = await _locked(tx, endpoint_id)
    await store.remove_endpoint(tx.connection, tx.cell, endpoint_id)
    return await _tell(tx, endpoint, "disabled", "removed")


async def replay(tx: Transaction, endpoint_id: UUID, position: Position | None, moment: datetime | None) -> Position:
    """Go back, or on, to a position or a moment: what lies after it is sent (again). Returns where it stands now."""
    await _locked(tx, endpoint_id)
    if position is None:
        position = await store.position_at(tx.connection, tx.cell, moment) if moment else START
    await store.set_position(tx.connection, tx.cell, endpoint_id, position or START)
    return position or START


async def retry(tx: Transaction, endpoint_id: UUID, event_id: UUID | None) -> int:
    """Try a parked event again now, or all that is parked; returns how many."""
    await _locked(tx, endpoint_id)
    asked = await store.retry_parked(tx.connection, tx.cell, endpoint_id, event_id)
    if event_id is not None and not asked:
        raise NotFoundError(f"The event {event_id} is not parked for the endpoint {endpoint_id}.", event_id=str(event_id))
    return asked


async def _locked(tx: Transaction, endpoint_id: UUID) -> store.StoredEndpoint:
    endpoint = await store.endpoint_for_update(tx.connection, tx.cell, endpoint_id)
    if endpoint is None:
        raise NotFoundError(f"There is no webhook endpoint {endpoint_id}.", endpoint_id=str(endpoint_id))
    return endpoint


async def _tell(tx: Transaction, endpoint: store.StoredEndpoint, state: State, why: str) -> Token:
    changed = EndpointChanged(id=endpoint.id, url=endpoint.url, kinds=endpoint.kinds, state=state, why=why)
    return await tx.append([Fact(ENDPOINT_CHANGED, f"webhook/{endpoint.id}", endpoint.version + 1, changed)])
