"""What carts decide, without any engine: their law of merging, their limits, and what two tabs or two carts make of one."""

from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError, KeyReusedError, NotFoundError
from entrepot.base.register import Register, latest
from entrepot.commerce.cart import rules
from entrepot.commerce.cart.requests import Carted, CartLineRequest, CartRequest, LineChange
from entrepot.commerce.cart.rules import Write
from entrepot.commerce.cart.state import Address, Cart, Contact, decode, encode, merge, reference, replica
from entrepot.commerce.cart.view import changed

SKUS = ("MUG", "TRAY")
OFFERS = {sku: Carted(sku=sku, product_id=UUID(int=1), offered=True, unit_minor=500, left=9) for sku in SKUS}
CONTACT = Contact(email="a@b.example", name="A", address=Address(line1="1 Way", city="Town", country="GB"))

Change = Callable[[Cart, Write], Cart]


def line(sku: str, quantity: int, note: str = "") -> CartLineRequest:
    return CartLineRequest(sku=sku, quantity=quantity, note=note)


def opened(write: Write, *lines: CartLineRequest, **other: str) -> Cart:
    request = CartRequest(market="uk", country="GB", lines=list(lines), **other)  # type: ignore[arg-type]  # texts only
    return rules.open_cart(request, ["GBP", "EUR"], OFFERS, write)


def remember(number: int) -> Change:
    return lambda cart, write: rules.remember(cart, f"key {number}", b"", write)


CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(
        lambda sku, n, note: lambda cart, write: rules.put_in(cart, [line(sku, n, note)], OFFERS, write),
        st.sampled_from(SKUS), st.integers(1, 9), st.sampled_from(["", "gift"]),
    ),
    st.builds(lambda sku: lambda cart, write: rules.take_out(cart, sku, write), st.sampled_from(SKUS)),
    st.builds(lambda code: lambda cart, write: rules.use_coupon(cart, code, write), st.sampled_from(["A", "B"])),
    st.builds(lambda code: lambda cart, write: rules.drop_coupon(cart, code, write), st.sampled_from(["A", "B"])),
    st.just(lambda cart, write: rules.deliver_to(cart, CONTACT, write)),
    st.builds(remember, st.integers(0, 3)),
)  # fmt: skip
# Which replica changes what, or (None) hears of everything that the next one knows.
HISTORIES = st.lists(st.tuples(st.integers(0, 2), CHANGES | st.none()), max_size=20)


def lived(history: list[tuple[int, Change | None]]) -> list[Cart]:
    """Return the states that three cells then have of one cart; stamps repeat, as those of two cells may."""
    first = opened(Write("0-x", 1))
    states = [first] * 3
    for number, (cell, act) in enumerate(history):
        if act is None:
            states[cell] = merge(states[cell], states[(cell + 1) % 3])
        else:
            states[cell] = act(states[cell], Write(f"{cell}-x", 2 + number // 2))
    return states


@given(HISTORIES)
def test_two_states_of_a_cart_become_one_whatever_happened(history: list[tuple[int, Change | None]]) -> None:
    a, b, c = lived(history)
    assert merge(a, b) == merge(b, a)
    assert merge(a, merge(b, c)) == merge(merge(a, b), c)
    assert merge(a, a) == a
    assert decode(encode(merge(a, b))) == merge(a, b)


@given(st.lists(st.builds(Register, st.text(max_size=2), st.integers(0, 3)), min_size=3, max_size=3))
def test_the_last_written_value_counts_everywhere(three: list[Register[str]]) -> None:
    a, b, c = three
    assert latest(a, b) == latest(b, a)
    assert latest(a, latest(b, c)) == latest(latest(a, b), c)
    assert latest(a, b).stamp == max(a.stamp, b.stamp)


def test_a_guest_s_cart_comes_into_the_customer_s_once_with_all_that_is_said_of_it() -> None:
    guest = opened(Write("1-g", 5), line("MUG", 2, "gift"))
    own = opened(Write("1-o", 1), line("MUG", 1), line("TRAY", 1))
    closed = rules.give_up(guest, Write("1-g", 6), into="own")
    once = rules.sign_in(closed, own, Write("1-o", 7), into="own")
    twice = rules.sign_in(closed, once, Write("1-o", 8), into="own")
    assert once.lines.counts() == twice.lines.counts() == {"MUG": 3, "TRAY": 1}
    assert (once.notes["MUG"].value, once.standing.value) == ("gift", "open")
    out = rules.take_out(twice, "MUG", Write("1-o", 9))
    assert rules.sign_in(closed, out, Write("1-o", 10), into="own").lines.counts() == {"TRAY": 1}


def test_carts_of_two_currencies_customers_or_destinies_cannot_become_one() -> None:
    write = Write("1-a", 1)
    own, euros = opened(write), opened(write, currency="EUR")
    first, second = opened(write, customer_id=UUID(int=1)), opened(write, customer_id=UUID(int=2))  # type: ignore[arg-type]  # ids, no texts
    elsewhere = rules.give_up(opened(write), write, into="another")
    for guest, into in ((euros, own), (first, second), (elsewhere, own), (own, rules.close(own, "ordered", write))):
        with pytest.raises(ConflictError):
            rules.check_sign_in(guest, into, "own")


def test_limits_of_a_cart_are_told_with_what_to_do() -> None:
    many = [line(f"S{n}", 1) for n in range(limits.CART_LINES_MAX)]
    offers = {one.sku: OFFERS["MUG"] for one in many} | OFFERS
    with pytest.raises(ConflictError, match="order some of them first"):
        rules.put_in(opened(Write("1-a", 1), line("MUG", 1)), many, offers, Write("1-a", 2))
    with pytest.raises(BadInputError, match="201 lines were given"):
        rules.put_in(opened(Write("1-a", 1)), [line("MUG", 1), *many], offers, Write("1-a", 2))
    full = opened(Write("1-a", 1), line("MUG", limits.CART_QUANTITY_MAX))
    with pytest.raises(BadInputError, match="100001 pieces of MUG"):
        rules.put_in(full, [line("MUG", 1)], OFFERS, Write("1-a", 2))
    with pytest.raises(ConflictError, match="open a new one"):
        rules.check_bytes(limits.CART_BYTES_MAX + 1)


def test_what_is_taken_out_and_put_in_again_begins_anew() -> None:
    cart = rules.take_out(opened(Write("1-a", 1), line("MUG", 1, "gift")), "MUG", Write("1-a", 2))
    assert rules.put_in(cart, [line("MUG", 1)], OFFERS, Write("1-a", 3)).notes == {}


def test_a_key_is_remembered_with_what_it_was_for_and_the_oldest_is_forgotten() -> None:
    cart = rules.remember(opened(Write("1-a", 1)), "first", b"a", Write("1-a", 2))
    assert rules.was_done(cart, "first", b"a")
    with pytest.raises(KeyReusedError, match="'first'"):
        rules.was_done(cart, "first", b"b")
    for number in range(limits.CART_KEYS_REMEMBERED_MAX):
        cart = rules.remember(cart, str(number), b"", Write("1-a", 3 + number))
    assert not rules.was_done(cart, "first", b"a")
    assert len(cart.done) == limits.CART_KEYS_REMEMBERED_MAX


def test_a_closed_cart_takes_no_change() -> None:
    write = Write("1-a", 1)
    closed = rules.close(opened(write, line("MUG", 1)), "ordered", write)
    acts: list[Callable[[], Cart]] = [
        lambda: rules.put_in(closed, [line("MUG", 1)], OFFERS, write),
        lambda: rules.change_line(closed, "MUG", LineChange(quantity=1), OFFERS, write),
        lambda: rules.take_out(closed, "MUG", write),
        lambda: rules.use_coupon(closed, "A", write),
        lambda: rules.drop_coupon(closed, "A", write),
        lambda: rules.deliver_to(closed, CONTACT, write),
    ]
    for act in acts:
        with pytest.raises(ConflictError, match="was ordered"):
            act()


def test_what_is_no_longer_offered_is_told_but_may_be_taken_out() -> None:
    cart = opened(Write("1-a", 1), line("MUG", 3))
    assert changed(cart, "GBP", "MUG", 3, None) == ["This article is no longer on offer: take it out."]
    dearer = Carted(sku="MUG", product_id=UUID(int=1), offered=True, unit_minor=550, left=1)
    assert changed(cart, "GBP", "MUG", 3, dearer) == ["The price was 5.00 GBP and is 5.50 GBP.", "Only 1 is left, 3 wanted."]
    with pytest.raises(NotFoundError, match="'MUG'"):
        rules.change_line(cart, "MUG", LineChange(quantity=2), {}, Write("1-a", 2))
    assert rules.take_out(cart, "MUG", Write("1-a", 2)).lines.counts() == {}


def test_a_version_is_read_back_as_what_was_seen() -> None:
    cart = opened(Write(replica(7, reference(UUID(int=9))), 1), line("MUG", 1), line("TRAY", 1))
    assert rules.parse_seen(rules.version(cart)) == cart.lines.seen
    assert (rules.parse_seen(""), rules.parse_seen(None)) == ({}, None)
    for bad in ("x", "1-a:1:2", "1-a:-1", "1-a:1,"):
        with pytest.raises(BadInputError, match="no version"):
            rules.parse_seen(bad)


@pytest.mark.parametrize("code", ["", "-", "A B", "A" * 41, "A/B"])
def test_a_coupon_s_code_that_cannot_be_is_refused(code: str) -> None:
    with pytest.raises(BadInputError, match="cannot be"):
        rules.use_coupon(opened(Write("1-a", 1)), code, Write("1-a", 2))


def test_what_is_wrong_with_a_contact_is_told_without_repeating_it() -> None:
    wrong = Contact(email="secret person", name="A", address=CONTACT.address)
    with pytest.raises(BadInputError) as told:
        rules.check_contact(wrong)
    assert "secret" not in f"{told.value} {told.value.facts}"
