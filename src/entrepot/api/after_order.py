"""How commands after an order are run and answered: once per key, and the gateway asked at once for what they noted."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
from litestar import Response
from msgspec import Struct

from entrepot.api.headers import moved, required
from entrepot.api.parts import Parts
from entrepot.commerce.aftersale.requests import Moved
from entrepot.commerce.payment import operations
from entrepot.partners.payment.port import GatewayAwayError
from entrepot.record.transaction import Transaction

Act = Callable[[Transaction], Awaitable[Moved]]


class MovedAnswer(Struct, frozen=True, kw_only=True):
    """What a command after an order led to: the thing's state now, and the money that it was about.

    ``money`` says how far that is: ``none`` was to move, it is ``done``, ``asked`` (the gateway does not answer yet and will be
    asked again), or ``failed``: see the payment.
    """

    id: UUID
    order_id: UUID
    state: str
    amount_minor: int
    currency: str
    money: str
    exchange_order_id: UUID | None
    position: str


async def run(parts: Parts, key: str, act: Act, what: str, data: Struct | None = None) -> Response[MovedAnswer]:
    """Run a command about one thing (``what`` names both), once for its key."""
    request = what.encode() + (msgspec.json.encode(data) if data is not None else b"")
    return await answered(parts, await parts.run(act, Moved, required(key), request))


async def answered(parts: Parts, done: Moved) -> Response[MovedAnswer]:
    """Ask the gateway for what a command noted, and answer. A repeated command asks for nothing that has ended."""
    states = {await _finished(parts, operation_id) for operation_id in done.operations}
    money = next((state for state in ("failed", "unclear", "asked", "done") if state in states), "none")
    body = MovedAnswer(
        id=done.id, order_id=done.order_id, state=done.state, amount_minor=done.amount_minor, currency=done.currency,
        money=money, exchange_order_id=done.exchange_order_id, position=str(done.token),
    )  # fmt: skip
    return Response(body, status_code=201, headers=moved(body.position))


async def _finished(parts: Parts, operation_id: UUID) -> str:
    try:
        return (await operations.finish(parts.record, parts.gateway, parts.cell, operation_id)).state
    except GatewayAwayError:
        return "asked"
