"""Whatever is asked of a payment and however it ends, the amounts stay within each other and the books sum to what moved."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from entrepot.base.errors import ConflictError, EntrepotError
from entrepot.commerce.payment import differences, rules
from entrepot.commerce.payment.differences import Difference
from entrepot.commerce.payment.rules import Ending, Operation, OperationKind, Payment
from entrepot.partners.payment.port import DisputeState, GatewayDispute, GatewayPayment

ID = UUID(int=1)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["capture", "refund", "void", "dispute"]),
        st.one_of(st.none(), st.integers(-1, 1_200)),
        st.sampled_from(["done", "failed", "unclear"]),
    ),
    max_size=12,
)


def payment(**amounts: int) -> Payment:
    return Payment(id=ID, gateway="sandbox", reference="pay_1", label="", currency="EUR", authorized_minor=1_000, **amounts)


def step(now: Payment, kind: OperationKind, amount: int | None, ending: Ending) -> tuple[Payment, int]:
    """Ask and end one operation; returns the payment and what its bookings put into the gateway's account."""
    asked, minor = rules.ask(now, kind, amount)
    operation = Operation(
        id=ID, payment_id=ID, kind=kind, amount_minor=minor, currency="EUR", state="asked", about_id=ID
    )  # fmt: skip
    after, bookings, _ = rules.end(asked, operation, ending)
    return after, sum(one.amount_minor if one.debit == "gateway" else -one.amount_minor for one in bookings)


def dispute(now: Payment, amount: int | None) -> Payment:
    """Open a dispute, as a bank may: of more than is left, too."""
    return rules.dispute(now, [], opened(amount or 1), ID)[0]


def opened(amount: int, state: DisputeState = "opened", reference: str = "d") -> GatewayDispute:
    return GatewayDispute(
        id=reference, payment_id="p", state=state, amount_minor=amount, currency="EUR", reason="",
        evidence_due=datetime.now(UTC),
    )  # fmt: skip


@given(STEPS)
def test_no_sequence_of_operations_takes_or_gives_back_more_than_there_is(steps: list[tuple[str, int | None, Ending]]) -> None:
    now, held = payment(), 0
    for kind, amount, ending in steps:
        try:
            if kind == "dispute":
                now = dispute(now, amount)
            else:
                now, moved = step(now, kind, amount, ending)  # type: ignore[arg-type]  # the three that are operations
                held += moved
        except EntrepotError:
            continue
        assert now.captured_minor + now.voided_minor + now.taking_minor <= now.authorized_minor
        assert now.refunded_minor + now.disputed_minor + now.returning_minor <= now.captured_minor
        assert held == now.captured_minor - now.refunded_minor


@given(STEPS)
def test_states_only_follow_each_other_as_the_machine_says(steps: list[tuple[str, int | None, Ending]]) -> None:
    now = payment()
    for kind, amount, ending in steps:
        before = now.state
        try:
            now = dispute(now, amount) if kind == "dispute" else step(now, kind, amount, ending)[0]  # type: ignore[arg-type]  # as above
        except EntrepotError:
            continue
        assert before == now.state or rules.MACHINE.allows(before, now.state), (before, now.state)


def test_an_operation_ends_once() -> None:
    asked, minor = rules.ask(payment(), "capture", None)
    ended = Operation(
        id=ID, payment_id=ID, kind="capture", amount_minor=minor, currency="EUR", state="done", about_id=ID
    )  # fmt: skip
    with pytest.raises(EntrepotError, match="done and cannot become failed"):
        rules.end(asked, ended, "failed")


def there(captured_minor: int = 0, refunded_minor: int = 0, voided_minor: int = 0) -> GatewayPayment:
    return GatewayPayment(
        id="pay_1",
        reference=ID,
        state="authorized",
        currency="EUR",
        authorized_minor=1_000,
        captured_minor=captured_minor,
        refunded_minor=refunded_minor,
        voided_minor=voided_minor,
    )


@pytest.mark.parametrize(
    ("theirs", "ours", "why"),
    [
        (there(), None, "missing_here"),
        (there(captured_minor=5), None, "missing_here"),
        (there(voided_minor=1_000), None, None),
        (there(captured_minor=1_000, refunded_minor=1_000), None, None),
        (there(), payment(), None),
        (there(captured_minor=5), payment(), "other_amount"),
    ],
)
def test_only_what_is_held_for_nobody_is_missing_here(theirs: GatewayPayment, ours: Payment | None, why: str | None) -> None:
    found = differences.of_payment(theirs, ours)
    assert (found.why if found else None) == why


def test_a_difference_reads_as_a_sentence() -> None:
    found = Difference("capture", "k", "other_amount", "5 EUR", "")
    assert str(found) == "capture k: other amount (here 5 EUR, there nothing)"


def test_a_dispute_of_what_was_given_back_holds_what_is_left_and_lets_go_of_no_more() -> None:
    now = structs.replace(payment(), captured_minor=1_000, refunded_minor=700)
    first, a = rules.dispute(now, [], opened(800), UUID(int=7))
    assert a is not None
    assert (a.amount_minor, first.disputed_minor, first.refundable_minor) == (800, 300, 0)
    second, b = rules.dispute(first, [a], opened(100, reference="e"), UUID(int=8))
    assert b is not None
    assert second.disputed_minor == 300
    won, _ = rules.dispute(second, [a, b], opened(100, "won", "e"), ID)
    assert won.disputed_minor == 300
    over, _ = rules.dispute(won, [a], opened(800, "won"), ID)
    assert over.refundable_minor == 300


@pytest.mark.parametrize("on_its_way", ["taking_minor", "returning_minor"])
def test_a_dispute_of_more_than_is_left_waits_while_money_is_on_its_way(on_its_way: str) -> None:
    now = structs.replace(payment(), **{on_its_way: 100, "captured_minor": 500})
    with pytest.raises(ConflictError, match="on its way still: tell it again"):
        rules.dispute(now, [], opened(600), ID)
    assert rules.dispute(now, [], opened(400), ID)[0].disputed_minor == 400
