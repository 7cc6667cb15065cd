"""Payments: read, captured, refunded and voided; disputes; and what gateways bring by webhook."""

from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from entrepot.api.headers import RequiredKey, moved, required
from entrepot.api.pages import Cursor, Limit, next_link, parse_cursor
from entrepot.api.parts import Parts
from entrepot.base.errors import NotFoundError
from entrepot.commerce.payment import operations, query
from entrepot.commerce.payment.query import PaymentDetail
from entrepot.commerce.payment.rules import Dispute, Operation, OperationKind
from entrepot.commerce.payment.webhooks import Handled, handle_webhook
from entrepot.partners.payment.port import GatewayLiedError, GatewayRefusedError

# Named otherwise in the code: a parameter called ``state`` is the framework's own.
DisputeState: TypeAlias = Annotated[
    Literal["", "opened", "evidence_sent", "won", "lost"], QueryParameter(name="state", description="Only those that stand so.")
]

ACCEPTED = 202
CREATED = 201
LATER = {ACCEPTED: ResponseSpec(Operation, generate_examples=False, description="The gateway does not answer yet.")}


class AmountRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much, in minor units of the payment's currency; left out: all that is left."""

    amount_minor: int | None = None


class EvidenceRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said against a dispute."""

    evidence: str


class DisputePage(Struct, frozen=True, kw_only=True):
    """Disputes, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[Dispute]
    cursor: str


@get(
    "/v1/payments/{payment_id:uuid}",
    tags=["Payments"],
    summary="One payment, as it stands",
    opt={"permission": "payments.read"},
)
async def read_payment(parts: NamedDependency[Parts], payment_id: FromPath[UUID]) -> Response[PaymentDetail]:
    """Read a payment with all that was asked of its gateway and every dispute. Its id is its order's."""
    async with parts.record.reading() as connection:
        found = await query.payment(connection, parts.cell, payment_id)
    if found is None:
        raise NotFoundError(f"There is no payment {payment_id}.", payment_id=str(payment_id))
    return Response(found, headers={"Cache-Control": "no-store"})


@post(
    "/v1/payments/{payment_id:uuid}/captures",
    tags=["Payments"],
    summary="Capture what was authorized, or some of it",
    responses=LATER,
    opt={"permission": "payments.handle"},
)
async def capture(
    parts: NamedDependency[Parts], payment_id: FromPath[UUID], data: JSONBody[AmountRequest], idempotency_key: RequiredKey = ""
) -> Response[Operation]:
    """Take money that was promised. 202 says that the gateway does not answer yet, and will be asked again."""
    return await _move(parts, idempotency_key, payment_id, "capture", data.amount_minor)


@post(
    "/v1/payments/{payment_id:uuid}/refunds",
    tags=["Payments"],
    summary="Refund what was captured, or some of it",
    responses=LATER,
    opt={"permission": "payments.handle"},
)
async def refund(
    parts: NamedDependency[Parts], payment_id: FromPath[UUID], data: JSONBody[AmountRequest], idempotency_key: RequiredKey = ""
) -> Response[Operation]:
    """Give money back. 202 says that the gateway does not answer yet, and will be asked again."""
    return await _move(parts, idempotency_key, payment_id, "refund", data.amount_minor)


@post(
    "/v1/payments/{payment_id:uuid}/void",
    tags=["Payments"],
    summary="Give up what was authorized and not captured",
    responses=LATER,
    opt={"permission": "payments.handle"},
)
async def void(
    parts: NamedDependency[Parts], payment_id: FromPath[UUID], idempotency_key: RequiredKey = ""
) -> Response[Operation]:
    """Give up what was promised and not taken. 202 says that the gateway does not answer yet, and will be asked again."""
    return await _move(parts, idempotency_key, payment_id, "void", None)


@get("/v1/disputes", tags=["Payments"], summary="List disputes, newest first", opt={"permission": "payments.read"})
async def list_disputes(
    parts: NamedDependency[Parts], only: DisputeState = "", cursor: Cursor = "", limit: Limit = 20
) -> Response[DisputePage]:
    """List disputes, newest first; all of them, or those of one state."""
    async with parts.record.committing() as connection:
        items = await query.disputes(connection, parts.cell, parse_cursor(cursor), only, limit)
    page = DisputePage(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    link = next_link("/v1/disputes", page.cursor, limit, **({"state": only} if only else {}))
    return Response(page, headers={"Cache-Control": "no-store", **link})


@post(
    "/v1/disputes/{dispute_id:uuid}/evidence",
    tags=["Payments"],
    summary="Answer a dispute",
    opt={"permission": "payments.handle"},
)
async def submit_evidence(
    parts: NamedDependency[Parts],
    dispute_id: FromPath[UUID],
    data: JSONBody[EvidenceRequest],
    idempotency_key: RequiredKey = "",
) -> Response[Dispute]:
    """Send evidence to the gateway, once, before it is due; the answer says how the dispute then stands."""
    key = required(idempotency_key)
    sent = await operations.submit_evidence(parts.record, parts.gateway, parts.cell, key, dispute_id, data.evidence)
    return Response(sent, status_code=CREATED)


@post(
    "/v1/webhooks/payments/{gateway:str}",
    tags=["Payments"],
    summary="Take in a gateway's webhook",
    status_code=200,
    opt={"permission": "payments.tell"},
)
async def take_webhook(
    parts: NamedDependency[Parts], request: Request[Any, Any, Any], gateway: FromPath[str]
) -> Response[Handled]:
    """Check signature and time on the raw bytes, take the event in once, and read what it is about from the gateway."""
    if gateway != parts.gateway.name:
        raise NotFoundError(f"There is no gateway {gateway!r} here: {parts.gateway.name}.", gateway=gateway)
    headers = {name.lower(): value for name, value in request.headers.items()}
    handled = await handle_webhook(
        parts.record, parts.gateway, parts.cell, headers, await request.body(), parts.checkouts.resume
    )
    return Response(handled)


HANDLERS = [read_payment, capture, refund, void, list_disputes, submit_evidence, take_webhook]


async def _move(parts: Parts, key: str, payment_id: UUID, kind: OperationKind, amount_minor: int | None) -> Response[Operation]:
    async with parts.asking():
        done = await operations.move(
            parts.record, parts.gateway, parts.cell, required(key), payment_id, kind, amount_minor, actor=parts.actor
        )
    if done.state == "failed":
        raise GatewayRefusedError(parts.gateway.name, done.reason, f"{kind} of {done.amount_minor}: {done.reason}.")
    if done.state == "unclear":
        raise GatewayLiedError(done.reason, operation_id=str(done.id))
    return Response(done, status_code=ACCEPTED if done.state == "asked" else CREATED, headers=moved(done.position))
