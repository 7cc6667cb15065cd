"""Buying for a company, decided on paper: who may buy what, what is agreed on, and which money settles which invoice."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.base.errors import BadInputError, ConflictError, VatIdRefusedError
from entrepot.commerce.business import invoicing, negotiation, rules
from entrepot.commerce.business.events import Party
from entrepot.commerce.business.invoicing import Invoice, Receipt
from entrepot.commerce.business.negotiation import NEGOTIATION, Negotiation, WantedPieces
from entrepot.commerce.business.rules import CompanyDraft
from entrepot.commerce.ordering.events import Charge, Line, OrderPlaced

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
COMPANY, BUYER = UUID(int=1), UUID(int=2)


def company(**changes: object) -> CompanyDraft:
    """Return the draft of a German company."""
    shared = {"name": "Kim GmbH", "country": "DE", "currency": "EUR", **changes}
    return CompanyDraft(**shared)  # type: ignore[arg-type]  # the changes are fields of it


def invoice(number: int, total_minor: int, *, due_on: date = date(2026, 12, 1), currency: str = "EUR") -> Invoice:
    """Return an open invoice."""
    return Invoice(
        id=UUID(int=100 + number), number=f"INV1-2026-{number:06}", state="open", company_id=COMPANY, order_id=UUID(int=number),
        issued_at=NOW, due_on=due_on, currency=currency, total_minor=total_minor, paid_minor=0, credited_minor=0, version=1,
    )  # fmt: skip


def money(amount_minor: int, remittance: str = "") -> Receipt:
    """Return money of the company that has settled nothing yet."""
    return Receipt(
        id=UUID(int=9), bank_reference="b", company_id=COMPANY, remittance=remittance, received_on=date(2026, 11, 22),
        currency="EUR", amount_minor=amount_minor, used_minor=0, version=1,
    )  # fmt: skip


def order(amounts: list[int], charges: list[int]) -> OrderPlaced:
    """Return an order on terms with lines and charges of these amounts."""
    lines = [
        Line(
            line=n, product_id=UUID(int=n), variant_id=UUID(int=n), sku=f"S{n}", warehouse="main", quantity=1,
            unit_minor=amount, amount_minor=amount,
        )
        for n, amount in enumerate(amounts, 1)
    ]  # fmt: skip
    beside = [Charge(charge=n, kind="adjustment", amount_minor=amount) for n, amount in enumerate(charges, 1)]
    goods, charged = sum(amounts), sum(charges)
    return OrderPlaced(
        id=UUID(int=5), placed_at=NOW, market="de", country="DE", currency="EUR", lines=lines, charges=beside,
        goods_minor=goods, charges_minor=charged, total_minor=goods + charged, paid_by="terms", company_id=COMPANY,
    )  # fmt: skip


@given(amounts=st.lists(st.integers(0, 10**9), min_size=1, max_size=20), charges=st.lists(st.integers(0, 10**6), max_size=4))
def test_the_sums_of_an_invoice_are_the_order_s(amounts: list[int], charges: list[int]) -> None:
    placed, of = order(amounts, charges), rules.company(COMPANY, company())
    shown = invoicing.document("INV1-2026-000001", Party(name="Us"), of, placed, "PO", {})
    billed = invoicing.bill(UUID(int=7), shown.number, placed, of, NOW)
    assert billed.open_minor == shown.total_minor == placed.total_minor
    assert sum(line.amount_minor for line in shown.lines) + sum(c.amount_minor for c in shown.charges) == billed.total_minor
    assert billed.due_on == date(2026, 12, 22)


@given(
    totals=st.lists(st.integers(1, 10_000), max_size=8),
    amount=st.integers(1, 50_000),
    named=st.sets(st.integers(0, 9), max_size=4),
)
def test_money_settles_at_most_itself_and_at_most_what_is_open(totals: list[int], amount: int, named: set[int]) -> None:
    opened = [invoice(n, total) for n, total in enumerate(totals)]
    parts = invoicing.match(money(amount), [one for n, one in enumerate(opened) if n in named], opened)
    assert sum(part for _, part in parts) <= amount
    assert all(0 < part <= one.open_minor for one, part in parts)
    settled = [invoicing.settle(one, part, "paid") for one, part in parts]
    assert all((one.state == "paid") == (one.open_minor == 0) for one in settled)
    if not named & set(range(len(totals))) and amount not in totals:
        assert sum(part for _, part in parts) == min(amount, sum(totals))


def test_money_goes_to_the_invoice_it_names_then_to_the_one_of_its_amount_then_to_the_oldest() -> None:
    late, early = invoice(1, 500, due_on=date(2026, 12, 9)), invoice(2, 700, due_on=date(2026, 12, 1))
    assert invoicing.match(money(900), [late], [late, early]) == [(late, 500)]
    assert invoicing.match(money(500), [], [late, early]) == [(late, 500)]
    assert invoicing.match(money(900), [], [late, early]) == [(early, 700), (late, 200)]
    assert invoicing.match(money(900), [], [invoice(3, 900, currency="GBP")]) == []


def test_the_numbers_in_a_remittance_text_are_found_however_it_is_written() -> None:
    assert invoicing.named_in("Rg. inv1-2026-000007/INV1-2026-000008, danke") == ["INV1-2026-000007", "INV1-2026-000008"]


def test_an_invoice_is_never_paid_beyond_itself_and_stays_overdue_while_anything_is_open() -> None:
    overdue = invoicing.fall_due(invoice(1, 500))
    part = invoicing.settle(overdue, 499, "credited")
    assert part.state == "overdue"
    assert invoicing.settle(part, 1, "paid").state == "paid"
    with pytest.raises(ConflictError, match="1 are open"):
        invoicing.settle(part, 2, "paid")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"country": "Germany"}, BadInputError),
        ({"currency": "EURO"}, BadInputError),
        ({"credit_limit_minor": -1}, BadInputError),
        ({"terms_days": 1000}, BadInputError),
        ({"name": " "}, BadInputError),
        ({"vat_id": "DE123456789"}, VatIdRefusedError),
        ({"vat_id": "FR40303265045"}, BadInputError),
    ],
)
def test_a_company_that_cannot_be_is_refused(changes: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        rules.company(COMPANY, company(**changes))


def test_a_vat_id_is_kept_as_it_is_looked_for() -> None:
    assert rules.company(COMPANY, company(vat_id="DE 136.695 976")).vat_id == "DE136695976"


def begun() -> Negotiation:
    return Negotiation(
        id=UUID(int=3), company_id=COMPANY, buyer_id=BUYER, state="requested", market="de", currency="EUR", skus=["a", "b"],
        quantities=[10, 20], units_minor=[], proposed_by="company", valid_until=None, version=1,
    )  # fmt: skip


@given(steps=st.lists(st.sampled_from(["offer", "counter", "us", "them", "decline", "expire"]), max_size=12))
def test_however_one_negotiates_nobody_agrees_alone_and_what_is_agreed_has_a_price(steps: list[str]) -> None:
    one, until = begun(), NOW + timedelta(days=3)
    for step in steps:
        before = one
        try:
            match step:
                case "offer":
                    one = negotiation.offer(one, {"a": 5, "b": 7}, until, NOW)
                case "counter":
                    one = negotiation.counter(one, {"a": 4, "b": 6}, NOW)
                case "us" | "them":
                    one = negotiation.accept(one, "merchant" if step == "us" else "company", NOW)
                    assert one.proposed_by == ("company" if step == "us" else "merchant")
                case "decline":
                    one = negotiation.decline(one)
                case _:
                    one = negotiation.expire(one)
        except ConflictError:
            assert one is before
        else:
            assert NEGOTIATION.allows(before.state, one.state)
    if one.state == "accepted":
        assert negotiation.agreed(one, COMPANY, NOW) in ({"a": (10, 5), "b": (20, 7)}, {"a": (10, 4), "b": (20, 6)})


def test_a_proposal_names_a_price_for_each_article_and_no_other() -> None:
    for units in ({"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": -1}):
        with pytest.raises(BadInputError):
            negotiation.offer(begun(), units, NOW + timedelta(days=1), NOW)
    with pytest.raises(BadInputError, match="valid until"):
        negotiation.offer(begun(), {"a": 1, "b": 2}, NOW, NOW)


def test_prices_are_asked_for_articles_named_once_in_quantities_that_can_be() -> None:
    for lines in ([], [("a", 1), ("a", 2)], [("a", 0)], [("a", 10**9)]):
        with pytest.raises(BadInputError):
            negotiation.check_wanted([WantedPieces(sku=sku, quantity=quantity) for sku, quantity in lines])
