"""Parts of an order: whatever is shipped, cancelled and returned in whatever steps, money, tax and ledger add up exactly."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from entrepot.base.errors import PiecesRefusedError
from entrepot.commerce.ordering import parts
from entrepot.commerce.ordering import rules as ordering
from entrepot.commerce.ordering.events import Charge, ChargeKind, Line, OrderPlaced, TaxLine
from entrepot.commerce.ordering.parts import OrderedLine, StoredOrder
from entrepot.commerce.ordering.rules import Transfer

ID = UUID(int=7)
SELLER = UUID(int=9)
KINDS: list[ChargeKind] = ["postage", "fee", "donation", "discount", "voucher"]


@st.composite
def orders(draw: st.DrawFn) -> StoredOrder:
    """Draw an order: lines of ours and of a seller's, tax within prices or on top, charges that never exceed the goods."""
    lines, taxes = [], []
    for n in range(1, draw(st.integers(1, 3)) + 1):
        quantity, amount = draw(st.integers(1, 5)), draw(st.integers(0, 999))
        included, tax = draw(st.booleans()), draw(st.integers(0, amount // 4))
        lines.append(
            Line(
                line=n, product_id=ID, variant_id=UUID(int=n), sku=f"S{n}", warehouse="main", quantity=quantity, unit_minor=0,
                amount_minor=amount, tax_minor=tax if included else 0, seller_id=draw(st.sampled_from([None, SELLER])),
                commission_minor=draw(st.integers(0, amount)),
            )
        )  # fmt: skip
        taxes.append(_tax(n, amount, tax, included=included))
    lines = [line if line.seller_id else msgspec.structs.replace(line, commission_minor=0) for line in lines]
    goods = sum(line.amount_minor for line in lines)
    charges = [
        _charge(n, kind, draw(st.integers(0, 300)), goods)
        for n, kind in enumerate(draw(st.lists(st.sampled_from(KINDS), unique=True)), 1)
    ]
    added = sum(tax.tax_minor for tax in taxes if not tax.included)
    charges.append(Charge(charge=9, kind="tax", amount_minor=added + draw(st.sampled_from([0, 0, 17]))))
    beside = sum(charge.amount_minor for charge in charges)
    placed = OrderPlaced(
        id=ID, placed_at=datetime(2026, 11, 22, tzinfo=UTC), market="eu", country="DE", currency="EUR", lines=lines,
        charges=charges, taxes=taxes, goods_minor=goods, charges_minor=beside, total_minor=goods + beside,
    )  # fmt: skip
    return StoredOrder(placed, "placed", 1, [OrderedLine(line, 0) for line in lines])


def _tax(line: int, base: int, tax: int, *, included: bool) -> TaxLine:
    return TaxLine(
        jurisdiction="DE", name="VAT", rate_ppm=190_000, base_minor=base, tax_minor=tax, included=included, line=line
    )


def _charge(number: int, kind: ChargeKind, amount: int, goods: int) -> Charge:
    return Charge(
        charge=number, kind=kind, amount_minor=-(amount % (goods // 2 + 1)) if kind in {"discount", "voucher"} else amount
    )


STEPS = st.lists(st.tuples(st.sampled_from(["ship", "cancel", "return"]), st.integers(1, 3), st.integers(1, 5)), max_size=14)


class Books:
    """What a run of steps did: the order as it stands, what was given back, and every transfer."""

    def __init__(self, order: StoredOrder) -> None:
        self.order, self.cancelled, self.returned = order, 0, 0
        self.transfers = ordering.book_sale(order.placed)

    def take(self, what: str, line: int, pieces: int) -> None:
        before = self.order
        if line > len(before.lines):
            return
        try:
            act = {"ship": ordering.ship, "cancel": ordering.cancel_pieces, "return": ordering.take_back}[what]
            self.order = act(before, {line: pieces})
        except PiecesRefusedError:
            return
        if what == "cancel":
            part = parts.to_cancel(before, {line: pieces})
            self.cancelled += part.total_minor
            self.transfers += ordering.book_cancellation(part)
        elif what == "return":
            part = parts.to_return(before, {line: pieces}, postage=False)
            self.returned += part.total_minor
            self.transfers += ordering.book_part_returned(part)


def balances(transfers: list[Transfer]) -> dict[tuple[str, str], int]:
    """Return what each account of each party holds; accounts at nothing are left out."""
    found: dict[tuple[str, str], int] = {}
    for one in transfers:
        for account, amount in (
            ((one.debit, one.debit_party), one.amount_minor),
            ((one.credit, one.credit_party), -one.amount_minor),
        ):
            found[account] = found.get(account, 0) + amount
    return {account: amount for account, amount in found.items() if amount}


@given(orders(), STEPS)
def test_what_left_and_what_was_cancelled_never_exceed_the_order(order: StoredOrder, steps: list[tuple[str, int, int]]) -> None:
    books, captured = Books(order), 0
    for step in steps:
        books.take(*step)
        due = parts.due(books.order).total_minor
        assert captured <= due <= order.placed.total_minor - books.cancelled
        assert 0 <= books.returned <= due
        captured = due


@given(orders(), STEPS)
def test_an_order_of_which_nothing_is_open_owes_exactly_what_was_not_cancelled(
    order: StoredOrder, steps: list[tuple[str, int, int]]
) -> None:
    books = Books(order)
    for step in steps:
        books.take(*step)
    for one in books.order.lines:
        books.take("cancel", one.line.line, one.open)
    assert parts.due(books.order).total_minor == order.placed.total_minor - books.cancelled


@given(orders(), STEPS)
def test_an_order_that_is_cancelled_piece_by_piece_leaves_nothing_in_the_ledger(
    order: StoredOrder, steps: list[tuple[str, int, int]]
) -> None:
    books = Books(order)
    for _, line, pieces in steps:
        books.take("cancel", line, pieces)
    for one in books.order.lines:
        books.take("cancel", one.line.line, one.open)
    assert books.cancelled == order.placed.total_minor
    assert books.order.state == "cancelled"
    assert balances(books.transfers) == {}


@given(orders(), STEPS)
def test_what_customers_owe_is_the_order_less_what_was_given_back(
    order: StoredOrder, steps: list[tuple[str, int, int]]
) -> None:
    books = Books(order)
    for step in steps:
        books.take(*step)
    owed = sum(amount for (account, _), amount in balances(books.transfers).items() if account == "receivable")
    assert owed == order.placed.total_minor - books.cancelled - books.returned


@given(orders())
def test_an_order_that_came_back_whole_leaves_tax_and_sellers_with_nothing(order: StoredOrder) -> None:
    books = Books(order)
    for one in order.lines:
        books.take("ship", one.line.line, one.line.quantity)
        for _ in range(one.line.quantity):
            books.take("return", one.line.line, 1)
    left = {account for account, _ in balances(books.transfers)}
    assert left <= {"receivable", "sales", "sales_returns", "postage", "fees", "donations"}
