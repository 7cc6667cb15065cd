"""Returns and shipments under way: what each step accepts, and what it refuses and why."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.base.errors import BadInputError, ConflictError, PiecesRefusedError
from entrepot.commerce.aftersale import cases, money, rules
from entrepot.commerce.aftersale.cases import ReturnCase
from entrepot.commerce.aftersale.requests import Inspected, LinePieces
from entrepot.commerce.fulfilment import rules as fulfilment
from entrepot.commerce.fulfilment.rules import Shipment, ToSend, Waiting
from entrepot.commerce.ordering.events import Charge, Line, OrderPlaced
from entrepot.commerce.ordering.parts import OrderedLine, StoredOrder
from entrepot.commerce.payment.rules import Payment

ID, CASE, TEA = UUID(int=1), UUID(int=2), UUID(int=3)


def order(quantity: int = 4, *, shipped: int = 0, returned: int = 0, amount_minor: int = 400) -> StoredOrder:
    """Return an order of one line of tea with postage of 50."""
    line = Line(
        line=1, product_id=TEA, variant_id=TEA, sku="tea", warehouse="main", quantity=quantity, unit_minor=100,
        amount_minor=amount_minor,
    )  # fmt: skip
    placed = OrderPlaced(
        id=ID, placed_at=datetime(2026, 11, 22, tzinfo=UTC), market="uk", country="GB", currency="GBP", lines=[line],
        charges=[Charge(charge=1, kind="postage", amount_minor=50)], total_minor=amount_minor + 50,
    )  # fmt: skip
    return StoredOrder(placed, "shipped" if shipped == quantity else "placed", 1, [OrderedLine(line, returned, shipped)])


def case(pieces: int = 2, *, shipped: int = 4) -> ReturnCase:
    """Return a return of so many pieces that was asked for."""
    return cases.request(order(shipped=shipped), [], CASE, {1: pieces}, "damaged", "")


def paid(captured_minor: int = 0, *, taking_minor: int = 0, refunded_minor: int = 0) -> Payment:
    return Payment(
        id=ID, gateway="sandbox", reference="p", label="", currency="GBP", authorized_minor=450, captured_minor=captured_minor,
        taking_minor=taking_minor, refunded_minor=refunded_minor,
    )  # fmt: skip


def test_pieces_on_their_way_back_cannot_be_sent_back_again() -> None:
    with pytest.raises(PiecesRefusedError, match="3 of tea cannot be sent back: 2 of it are out"):
        cases.request(order(shipped=4), [case(2)], CASE, {1: 3}, "late", "")


def test_what_inspection_refused_can_be_asked_for_again() -> None:
    received = cases.receive(case(2), {1: 2})
    inspected = cases.inspect(received, [Inspected(line=1, refuse=2)])
    assert cases.coming_back([inspected]) == {1: 0}
    assert cases.reject(inspected).state == "rejected"


def test_more_than_was_announced_cannot_be_received() -> None:
    with pytest.raises(PiecesRefusedError, match="3 of tea cannot be received: 2 of it were announced"):
        cases.receive(case(2), {1: 3})


@pytest.mark.parametrize(
    "found", [Inspected(line=1, restock=1), Inspected(line=1, restock=3), Inspected(line=1, restock=-1, refuse=3)]
)
def test_inspection_accounts_for_every_piece_once(found: Inspected) -> None:
    with pytest.raises(BadInputError, match="2 of tea were received, and inspection accounts for"):
        cases.inspect(cases.receive(case(2), {1: 2}), [found])


def test_a_return_that_was_not_inspected_cannot_be_refunded() -> None:
    with pytest.raises(ConflictError, match="requested and cannot become refunded; it may become received, rejected"):
        cases.accepted(case(), "refunded")


def test_a_return_of_which_pieces_were_accepted_cannot_be_rejected() -> None:
    inspected = cases.inspect(cases.receive(case(2), {1: 2}), [Inspected(line=1, write_off=1, refuse=1)])
    with pytest.raises(ConflictError, match="refund or exchange it"):
        cases.reject(inspected)


def test_postage_goes_back_at_once_when_the_fault_is_ours_and_once_at_most() -> None:
    after = order(shipped=4, returned=1)
    assert cases.postage_goes_back(case(1), after, {})
    assert not cases.postage_goes_back(case(1), after, {"postage": 50})


@pytest.mark.parametrize("lines", [[], [LinePieces(line=1, quantity=0)], [LinePieces(line=1, quantity=1)] * 2])
def test_a_list_of_pieces_names_each_line_once_with_one_or_more(lines: list[LinePieces]) -> None:
    with pytest.raises(BadInputError):
        rules.pieces_of(lines, "return")


def test_a_shipment_gives_up_pieces_where_the_least_work_is_lost() -> None:
    to_send = [ToSend(1, "tea", TEA, "main", None, 2)]
    [first] = fulfilment.plan(ID, to_send, [UUID(int=7)])
    [second] = fulfilment.plan(ID, to_send, [UUID(int=8)])
    changed, out = fulfilment.without([fulfilment.move(first, "picked"), second], {1: 3})
    assert [(one.id.int, one.state, sum(line.quantity for line in one.lines)) for one in changed] == [
        (8, "cancelled", 0),
        (7, "picked", 1),
    ]
    assert sum(one.quantity for one in out) == 3


def test_a_shipment_that_has_left_can_only_arrive_or_be_lost() -> None:
    shipment = Shipment(id=CASE, order_id=ID, warehouse="main", state="shipped", version=4, lines=[])
    with pytest.raises(ConflictError, match="shipped and cannot become picked; it may become delivered, lost"):
        fulfilment.move(shipment, "picked")


@given(st.lists(st.integers(1, 9), max_size=6), st.integers(0, 40))
def test_a_receipt_fills_the_oldest_first_and_never_more_than_came(wanted: list[int], received: int) -> None:
    waiting = [Waiting(TEA, UUID(int=n), 1, "tea", None, "promised", pieces) for n, pieces in enumerate(wanted)]
    after, filled = fulfilment.fill(waiting, received)
    assert sum(one.quantity for one in filled) == min(received, sum(wanted))
    assert sum(one.quantity for one in after) + sum(one.quantity for one in filled) == sum(wanted)
    still = [one.quantity for one in after]
    assert not any(left and later < asked for left, later, asked in zip(still, still[1:], wanted[1:], strict=False))


def test_what_is_asked_counts_as_taken_and_nothing_is_given_up_meanwhile() -> None:
    shipped = order(shipped=4)
    assert money.on_shipment(shipped, paid(taking_minor=450)) == []
    assert money.unused(shipped, paid(300, taking_minor=50)) == []
    assert money.unused(shipped, paid(300)) == [("void", 150)]


def test_a_return_waits_while_its_money_is_on_its_way_in() -> None:
    with pytest.raises(ConflictError, match="still being captured"):
        money.on_return(order(shipped=4), paid(100, taking_minor=350), 200)
    assert money.on_return(order(shipped=4), paid(450, refunded_minor=400), 200) == 50


def test_money_taken_at_once_goes_back_when_pieces_are_cancelled() -> None:
    assert money.on_cancellation(order(), paid(450), kept_minor=150) == [("refund", 300)]
