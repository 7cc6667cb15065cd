"""Pure decisions about returns under way: what may come back, what inspection must account for, when postage goes back too."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError, PiecesRefusedError
from entrepot.base.machine import Machine
from entrepot.commerce.aftersale.events import (
    RETURN_EXCHANGED,
    RETURN_INSPECTED,
    RETURN_RECEIVED,
    RETURN_REFUNDED,
    RETURN_REJECTED,
    RETURN_REQUESTED,
    CaseLine,
    CaseState,
    Reason,
    ReturnMoved,
)
from entrepot.commerce.aftersale.requests import Inspected
from entrepot.commerce.aftersale.rules import with_adjustment
from entrepot.commerce.fulfilment.rules import Shipment
from entrepot.commerce.ordering import rules as ordering
from entrepot.commerce.ordering.events import OrderPlaced, OrderReturned
from entrepot.commerce.ordering.parts import Pieces, StoredOrder
from entrepot.commerce.stock.rules import Change

MACHINE = Machine(
    "return",
    {
        "requested": ("received", "rejected"),
        "received": ("inspected",),
        "inspected": ("refunded", "exchanged", "rejected"),
        "refunded": (),
        "exchanged": (),
        "rejected": (),
    },
)


KIND_OF: Mapping[CaseState, str] = {
    "requested": RETURN_REQUESTED,
    "received": RETURN_RECEIVED,
    "inspected": RETURN_INSPECTED,
    "refunded": RETURN_REFUNDED,
    "exchanged": RETURN_EXCHANGED,
    "rejected": RETURN_REJECTED,
}


# What the buyer paid for sending goes back at once when the fault is ours, and with the last piece when it is nobody's.
POSTAGE_BACK: Mapping[Reason, Literal["at_once", "with_all"]] = {
    "changed_mind": "with_all",
    "does_not_fit": "with_all",
    "late": "at_once",
    "damaged": "at_once",
    "wrong_article": "at_once",
    "not_as_described": "at_once",
    "lost": "with_all",
}


class ReturnCase(Struct, frozen=True, kw_only=True):
    """A return as it stands."""

    id: UUID
    order_id: UUID
    customer_id: UUID | None
    state: CaseState
    reason: Reason
    note: str
    version: int
    lines: list[CaseLine]
    refunded_minor: int = 0
    exchange_order_id: UUID | None = None


def request(
    order: StoredOrder, cases: Iterable[ReturnCase], case_id: UUID, pieces: Pieces, reason: Reason, note: str
) -> ReturnCase:
    """Return a return that a customer wishes for; what never left, came back, or is on its way back is refused."""
    if len(note) > limits.REASON_CHARS_MAX:
        raise BadInputError(f"The note has {len(note)} characters: {limits.REASON_CHARS_MAX} at most.")
    coming = coming_back(cases)
    lines = []
    for number, wanted in pieces.items():
        one = ordering.line_of(order, number)
        left = one.shipped - one.returned - coming.get(number, 0)
        if wanted > left:
            raise PiecesRefusedError("sent back", one.line.sku, wanted=wanted, left=max(left, 0), where="are out")
        lines.append(CaseLine(line=number, sku=one.line.sku, requested=wanted))
    return ReturnCase(
        id=case_id, order_id=order.placed.id, customer_id=order.placed.customer_id, state="requested", reason=reason,
        note=note, version=1, lines=lines,
    )  # fmt: skip


def coming_back(cases: Iterable[ReturnCase]) -> dict[int, int]:
    """Return how many pieces of each line are in returns that are not settled yet."""
    coming: dict[int, int] = {}
    for case in cases:
        for line in case.lines if MACHINE.moves[case.state] else ():
            pieces = line.restocked + line.written_off if case.state == "inspected" else line.requested
            coming[line.line] = coming.get(line.line, 0) + pieces
    return coming


def receive(case: ReturnCase, pieces: Pieces) -> ReturnCase:
    """Return the case with what arrived of it: no more of a line than was wished for."""
    case = move(case, "received")
    check_known(case, pieces)
    for line in case.lines:
        if pieces.get(line.line, 0) > line.requested:
            raise PiecesRefusedError(
                "received", line.sku, wanted=pieces[line.line], left=line.requested, where="were announced"
            )
    lines = [msgspec.structs.replace(line, received=pieces.get(line.line, 0)) for line in case.lines]
    return msgspec.structs.replace(case, lines=lines)


def inspect(case: ReturnCase, found: Sequence[Inspected]) -> ReturnCase:
    """Return the case with what was found: every piece that was received is restocked, written off, or refused."""
    case = move(case, "inspected")
    by_line = {one.line: one for one in found}
    check_known(case, dict.fromkeys(by_line, 0))
    lines = []
    for line in case.lines:
        one = by_line.get(line.line) or Inspected(line=line.line)
        if min(one.restock, one.write_off, one.refuse) < 0 or one.restock + one.write_off + one.refuse != line.received:
            raise BadInputError(
                f"{line.received} of {line.sku} were received, and inspection accounts for {one.restock} to restock, "
                f"{one.write_off} to write off and {one.refuse} refused: account for each piece once.",
                sku=line.sku,
                received=line.received,
            )
        lines.append(msgspec.structs.replace(line, restocked=one.restock, written_off=one.write_off, refused=one.refuse))
    return msgspec.structs.replace(case, lines=lines)


def lost(order: StoredOrder, case_id: UUID, pieces: Pieces) -> ReturnCase:
    """Return the case of pieces that will never arrive: nothing can be restocked, and all can be refunded or sent again."""
    lines = [
        CaseLine(line=n, sku=ordering.line_of(order, n).line.sku, requested=count, received=count, written_off=count)
        for n, count in pieces.items()
    ]
    return ReturnCase(
        id=case_id, order_id=order.placed.id, customer_id=order.placed.customer_id, state="inspected", reason="lost", note="",
        version=1, lines=lines,
    )  # fmt: skip


def accepted(case: ReturnCase, to: CaseState) -> Pieces:
    """Return the pieces that are settled by refunding or exchanging; a return of which nothing was accepted is refused."""
    MACHINE.check(case.id, case.state, to)
    pieces = {line.line: line.restocked + line.written_off for line in case.lines if line.restocked + line.written_off}
    if not pieces:
        raise ConflictError(f"Nothing of the return {case.id} was accepted: reject it.", id=str(case.id), state=case.state)
    return pieces


def postage_goes_back(case: ReturnCase, after: StoredOrder, given_back: Mapping[str, int]) -> bool:
    """Say whether the postage is given back with this return: once at most; ``after`` is the order once the pieces are back."""
    if given_back.get("postage"):
        return False
    return POSTAGE_BACK[case.reason] == "at_once" or all(one.returned == one.shipped and not one.open for one in after.lines)


def restocked(order: StoredOrder, case: ReturnCase, shipments: Sequence[Shipment]) -> list[Change]:
    """Return what goes back into stock: to the warehouse that sent it last."""
    sent_from = {line.line: shipment.warehouse for shipment in shipments for line in shipment.lines}
    changes = []
    for line in case.lines:
        sold = ordering.line_of(order, line.line).line
        if line.restocked:
            warehouse = sent_from.get(line.line, sold.warehouse)
            changes.append(Change(variant_id=sold.variant_id, warehouse=warehouse, delta=line.restocked))
    return changes


def reject(case: ReturnCase) -> ReturnCase:
    """Return the case rejected; one of which pieces were accepted is not."""
    if any(line.restocked or line.written_off for line in case.lines):
        raise ConflictError(
            f"Pieces of the return {case.id} were accepted: refund or exchange it.", id=str(case.id), state=case.state
        )
    return move(case, "rejected")


def refunded(case: ReturnCase, refunded_minor: int) -> ReturnCase:
    """Return the case settled by money."""
    return msgspec.structs.replace(move(case, "refunded"), refunded_minor=refunded_minor)


def exchanged(case: ReturnCase, order_id: UUID, refunded_minor: int) -> ReturnCase:
    """Return the case settled by other goods, and by money where they cost less."""
    return msgspec.structs.replace(move(case, "exchanged"), exchange_order_id=order_id, refunded_minor=refunded_minor)


def move(case: ReturnCase, to: CaseState) -> ReturnCase:
    """Return the case in its next state; a move that may not be is refused."""
    MACHINE.check(case.id, case.state, to)
    return msgspec.structs.replace(case, state=to, version=case.version + 1)


def told(case: ReturnCase, at: datetime) -> ReturnMoved:
    """Return the event that tells of the case as it now is."""
    return ReturnMoved(
        id=case.id, order_id=case.order_id, at=at, state=case.state, reason=case.reason, lines=case.lines,
        refunded_minor=case.refunded_minor, exchange_order_id=case.exchange_order_id,
    )  # fmt: skip


def returned(part: OrderPlaced, case: ReturnCase, at: datetime, *, less_minor: int, why: str) -> OrderReturned:
    """Return the event that tells what was given back of an order; ``less_minor`` of its worth is not, and ``why``."""
    charges = with_adjustment(part.charges, -less_minor, why)
    return OrderReturned(
        return_id=case.id, id=part.id, at=at, reason=case.reason, market=part.market, country=part.country,
        currency=part.currency, lines=part.lines, charges=charges, customer_id=part.customer_id,
        restocked=all(not line.written_off for line in case.lines), total_minor=part.total_minor - less_minor, taxes=part.taxes,
    )  # fmt: skip


def check_known(case: ReturnCase, pieces: Mapping[int, object]) -> None:
    """Refuse lines that a return does not have."""
    known = {line.line for line in case.lines}
    for number in pieces:
        if number not in known:
            raise BadInputError(f"Line {number} is not in the return {case.id}: its lines are {sorted(known)}.", line=number)
