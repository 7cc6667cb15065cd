"""Payments in the back office: what the gateway did otherwise than was asked, and the form by which a person ends it."""

from typing import Any, cast
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError
from entrepot.commerce.payment import operations
from entrepot.commerce.payment.query import unclear_operations
from entrepot.commerce.payment.rules import Verdict
from entrepot.console.forms import Form, text
from entrepot.console.office import LIMIT, office_page


@get("/office/payments", include_in_schema=False, opt={"permission": "payments.read"})
async def list_unclear(parts: NamedDependency[Parts], done: FromQuery[str] = "") -> Response[str]:
    """Show operations that wait for a person, the oldest first."""
    return await _unclear_page(parts, done="It is settled, and booked as the gateway says." if done else "")


@post("/office/payments/{operation_id:uuid}", include_in_schema=False, opt={"permission": "payments.handle"})
async def settle_operation(parts: NamedDependency[Parts], operation_id: FromPath[UUID], data: Form) -> Response[Any]:
    """End an operation as a person says; what the gateway contradicts is said beside it, and what was typed stays."""
    verdict, why = text(data, "as"), text(data, "why")
    try:
        if verdict not in {"succeeded", "failed"}:
            raise BadInputError(f"An operation cannot be settled as {verdict!r}: succeeded or failed.", field="as")
        await operations.settle(
            parts.record, parts.gateway, parts.cell, operation_id, cast("Verdict", verdict), why, actor=parts.actor
        )
    except EntrepotError as error:
        return await _unclear_page(parts, at=operation_id, wrong=str(error), typed=why, status=error.status)
    return Redirect("/office/payments?done=settled", status_code=303)


HANDLERS = [list_unclear, settle_operation]


async def _unclear_page(
    parts: Parts, *, at: UUID | None = None, wrong: str = "", typed: str = "", done: str = "", status: int = 200
) -> Response[str]:
    async with parts.record.committing() as connection:
        items = await unclear_operations(connection, parts.cell, LIMIT)
    context = {"items": items, "at": at, "wrong": wrong, "typed": typed, "done": done}
    return office_page("unclear.html", "payments", context, status=status)
