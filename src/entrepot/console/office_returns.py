"""Returns in the back office: what arrived, what inspection found, and how it ends: refunded, exchanged or rejected."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api.after_order import answered, run
from entrepot.api.aftersale import OnlyState
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError, NotFoundError
from entrepot.commerce.aftersale import returning
from entrepot.commerce.aftersale.exchange import exchange_return
from entrepot.commerce.aftersale.query import return_, returns
from entrepot.commerce.aftersale.requests import Inspected, LinePieces
from entrepot.commerce.checkout.held import PaymentChoice
from entrepot.commerce.ordering.query import order
from entrepot.console.forms import Form, key_of, text, whole_number
from entrepot.console.office import LIMIT, office_page
from entrepot.console.orders import REASONS

STATES = ("", "requested", "received", "inspected", "refunded", "exchanged", "rejected")
_DONE: Mapping[str, str] = {
    "receive": "What arrived is noted.",
    "inspect": "What was found is noted; what can be sold again is in stock.",
    "refund": "The money is on its way back.",
    "exchange": "A new order sends the goods again, at no cost.",
    "reject": "The return is rejected.",
}


@get("/office/returns", include_in_schema=False, opt={"permission": "orders.read"})
async def list_returns(parts: NamedDependency[Parts], only: OnlyState = "") -> Response[str]:
    """Show returns, newest first; all, or those of one state."""
    async with parts.record.committing() as connection:
        items = await returns(connection, parts.cell, None, only, None, LIMIT)
    return office_page("returns.html", "returns", {"items": items, "only": only, "states": STATES, "reasons": REASONS})


@get("/office/returns/{return_id:uuid}", include_in_schema=False, opt={"permission": "orders.read"})
async def show_return(parts: NamedDependency[Parts], return_id: FromPath[UUID], done: FromQuery[str] = "") -> Response[str]:
    """Show one return with what can be done about it now."""
    return await _return_page(parts, return_id, done=_DONE.get(done, ""))


@post("/office/returns/{return_id:uuid}/{step:str}", include_in_schema=False, opt={"permission": "returns.handle"})
async def move_return(
    parts: NamedDependency[Parts], return_id: FromPath[UUID], step: FromPath[str], data: Form
) -> Response[Any]:
    """Note what arrived or was found, or end the return."""
    try:
        await _move(parts, return_id, step, data)
    except EntrepotError as error:
        return await _return_page(parts, return_id, wrong=str(error), typed=data, status=error.status)
    return Redirect(f"/office/returns/{return_id}?done={step}", status_code=303)


HANDLERS = [list_returns, show_return, move_return]


async def _move(parts: Parts, return_id: UUID, step: str, data: dict[str, str]) -> None:
    key = key_of(data, parts)
    match step:
        case "receive":
            arrived = [LinePieces(line=line, quantity=whole_number(data, f"received-{line}")) for line in _lines(data)]
            some = [one for one in arrived if one.quantity]
            await run(parts, key, lambda tx: returning.receive_return(tx, return_id, some), f"received {return_id} {some}")
        case "inspect":
            found = [
                Inspected(
                    line=line,
                    restock=whole_number(data, f"restock-{line}"),
                    write_off=whole_number(data, f"write_off-{line}"),
                    refuse=whole_number(data, f"refuse-{line}"),
                )
                for line in _lines(data)
            ]
            await run(parts, key, lambda tx: returning.inspect_return(tx, return_id, found), f"inspected {return_id} {found}")
        case "refund":
            await run(parts, key, lambda tx: returning.refund_return(tx, return_id), f"refunded {return_id}")
        case "exchange":
            same, free = dict[int, str](), PaymentChoice(kind="none")
            async with parts.asking():
                moved = await exchange_return(
                    parts.record, parts.checkouts, parts.cell, key, return_id, same, free, parts.actor
                )
            await answered(parts, moved)
        case "reject":
            await run(parts, key, lambda tx: returning.reject_return(tx, return_id), f"rejected {return_id}")
        case _:
            raise BadInputError(f"A return cannot be made {step!r}: {', '.join(_DONE)}.")


def _lines(data: dict[str, str]) -> list[int]:
    return [int(part) for part in text(data, "lines").split(",") if part.isdecimal()]


async def _return_page(
    parts: Parts,
    return_id: UUID,
    *,
    done: str = "",
    wrong: str = "",
    typed: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    async with parts.record.reading() as connection:
        found = await return_(connection, parts.cell, return_id)
        if found is None:
            raise NotFoundError(f"There is no return {return_id}.", return_id=str(return_id))
        of = await order(connection, parts.cell, found.order_id)
    assert of is not None  # a return is of an order
    context = {
        "one": found,
        "order": of,
        "titles": {line.line: line.title or line.sku for line in of.lines},
        "reasons": REASONS,
        "done": done,
        "wrong": wrong,
        "typed": typed or {},
        "key": parts.record.ids.fresh(),
    }
    return office_page("return.html", "returns", context, status=status)
