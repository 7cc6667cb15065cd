"""Sellers' money, whatever happens in whatever order: what is paid, held back and carried over adds up, as statements do."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.base.errors import BadInputError
from entrepot.commerce.marketplace import paying, rules
from entrepot.commerce.marketplace.paying import Balance, Booked
from entrepot.commerce.marketplace.rules import Feed, FeedLine, Seller, ShareLine, Stocked, Supplied

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SELLER = UUID(int=7)
ORDER = UUID(int=8)
SHOP = Seller(
    id=SELLER, code="lamps", name="Lamps", kind="marketplace", state="active", country="GB", commission_permille=100,
    holdback_days=14, payout_days=7, disputes="net", version=1,
)  # fmt: skip

# One order's life: what it brought, on which day it arrived (None: never), what came back of it and when.
LIVES = st.tuples(
    st.integers(1, 10**9), st.none() | st.integers(0, 100), st.fractions(0, 1), st.integers(0, 200)
)  # fmt: skip


def balance_on(day: int, lives: Sequence[tuple[int, int | None, object, int]], paid: int) -> Balance:
    """Return what the ledger and the orders say on a day."""
    nets = [amount - (int(amount * back) if day >= when else 0) for amount, _, back, when in lives]  # type: ignore[operator]  # a fraction
    held = [
        max(net, 0) for net, (_, arrived, _, _) in zip(nets, lives, strict=True)
        if arrived is None or arrived + SHOP.holdback_days > day
    ]  # fmt: skip
    return Balance("GBP", sum(nets) - paid, sum(held))


@given(st.lists(LIVES, max_size=12), st.lists(st.integers(0, 250), max_size=12))
def test_what_is_paid_never_exceeds_what_was_earned_and_no_longer_held_back(
    lives: list[tuple[int, int | None, object, int]], days: list[int]
) -> None:
    paid = 0
    for day in sorted(days):
        before = balance_on(day, lives, paid)
        payable = before.payable_minor
        assert payable == 0 or payable + before.held_minor == before.balance_minor
        paid += payable
        after = balance_on(day, lives, paid)
        assert after.payable_minor == 0
        assert after.balance_minor == before.balance_minor - payable
    earned = sum(amount for amount, arrived, _, _ in lives if arrived is not None)
    assert 0 <= paid <= earned


@given(
    st.lists(
        st.tuples(st.sampled_from(["receivable", "commission", "bank", "disputes", "supply"]), st.integers(-(10**9), 10**9))
    )
)
def test_a_statement_is_the_sum_of_its_transfers_however_it_is_cut(transfers: list[tuple[str, int]]) -> None:
    booked = [
        Booked(UUID(int=n), ORDER, NOW + timedelta(days=n), amount, other)
        for n, (other, amount) in enumerate(transfers)
        if amount
    ]
    whole = paying.statement(SELLER, "GBP", NOW, NOW, 5, booked)
    half = len(booked) // 2
    first = paying.statement(SELLER, "GBP", NOW, NOW, 5, booked[:half])
    second = paying.statement(SELLER, "GBP", NOW, NOW, first.closing_minor, booked[half:])
    total = 5 + sum(one.amount_minor for one in booked)
    assert whole.closing_minor == second.closing_minor == total == 5 + sum(whole.sums.values())


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.lists(st.integers(0, 10**8), min_size=1, max_size=5))
def test_a_lost_dispute_takes_no_more_than_it_was_over_and_leaves_no_seller_below_what_the_order_left_it(
    disputed: int, beside: int, nets: list[int]
) -> None:
    total = sum(nets) + beside
    taken = [rules.charge_back(min(disputed, total), total, net) for net in nets]
    assert sum(taken) <= min(disputed, total)
    assert all(0 <= one <= net for one, net in zip(taken, nets, strict=True))
    assert [rules.charge_back(total, total, net) for net in nets] == nets


@given(st.integers(0, 10**9), st.integers(0, 10**8), st.integers(0, 10**8), st.integers(0, 10**9))
def test_a_lost_dispute_is_borne_by_the_seller_and_our_commission_to_the_last_minor_unit(
    disputed: int, net: int, commission: int, beside: int
) -> None:
    total = net + commission + beside
    seller, ours = rules.borne("net", min(disputed, total), total, net, commission)
    everything, nothing = rules.borne("gross", min(disputed, total), total, net, commission)
    assert (seller + ours, nothing) == (everything, 0)
    assert 0 <= ours <= commission
    assert 0 <= seller <= net + 1  # the odd unit of a proportion is the seller's
    assert not total or rules.borne("net", total, total, net, commission) == (net, commission)


@given(st.integers(1, 100), st.integers(0, 10**6), st.lists(st.integers(0, 100), max_size=6))
def test_what_we_owe_a_supplier_is_what_it_kept_sold_in_whatever_steps_pieces_go_back(
    quantity: int, cost: int, backs: list[int]
) -> None:
    known = Supplied(order_id=ORDER, line=1, seller_id=SELLER, quantity=quantity, cost_minor=cost, currency="GBP")
    first = rules.book_supply(None, known)
    owed = first.amount_minor if first else 0
    for back in sorted(min(back, quantity) for back in backs):
        line = ShareLine(ORDER, SELLER, "placed", NOW, 1, ORDER, "near", True, quantity, 0, back, 0, False)  # a row
        after = rules.supply_back(known, line)
        if after is not None:
            transfer = rules.book_supply(known, after)
            owed -= transfer.amount_minor if transfer else 0
            known = after
    assert owed == (quantity - known.back) * cost


@given(st.integers(0, 1000), st.integers(0, 50), st.integers(0, 50), st.integers(0, 1000))
def test_a_feed_never_offers_what_is_reserved_or_sold_and_asking_twice_changes_nothing(
    available: int, reserved: int, unshipped: int, told: int
) -> None:
    after = available + rules.to_level(Stocked(ORDER, available, reserved, unshipped), told)
    assert after == max(told - reserved - unshipped, 0)
    assert rules.to_level(Stocked(ORDER, after, reserved, unshipped), told) == 0


def test_a_seller_is_paid_at_most_once_in_so_many_days() -> None:
    assert paying.due(SHOP, None, NOW)
    assert not paying.due(SHOP, NOW - timedelta(days=6), NOW)
    assert paying.due(SHOP, NOW - timedelta(days=7), NOW)


@pytest.mark.parametrize(
    ("feed", "says"),
    [
        (Feed(sequence=1, lines=[]), "0 lines"),
        (Feed(sequence=1, lines=[FeedLine(sku="a", quantity=-1)]), "-1 pieces of a"),
        (Feed(sequence=1, lines=[FeedLine(sku="a", quantity=1), FeedLine(sku="a", quantity=2)]), "names a twice"),
        (Feed(sequence=1, lines=[FeedLine(sku="a", quantity=1, cost_minor=5)]), "give a currency"),
        (Feed(sequence=10**15, lines=[FeedLine(sku="a", quantity=1)]), "out of range"),
    ],
)
def test_a_feed_that_nobody_can_mean_is_refused_with_the_value(feed: Feed, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        rules.check_feed("near", 0, feed)


def test_a_feed_as_csv_is_read_by_its_heading() -> None:
    lines = rules.read_csv('sku,quantity,cost_minor\r\n"a,b",3,250\r\nc,0,\r\n')
    assert lines == [FeedLine(sku="a,b", quantity=3, cost_minor=250), FeedLine(sku="c", quantity=0)]
    with pytest.raises(BadInputError, match="first line"):
        rules.read_csv("a,3\n")
