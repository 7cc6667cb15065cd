"""What people may type, what tokens look like, and when a code counts: rules without an engine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.api.place import network_of, place_of
from entrepot.base import limits
from entrepot.base.errors import BadInputError, TokenRefusedError
from entrepot.base.ids import IdSource
from entrepot.base.principal import ANONYMOUS, SYSTEM, Membership, Principal
from entrepot.commerce.people import rules, second_factor, tokens
from entrepot.commerce.people.letters import OCCASIONS
from entrepot.commerce.people.passwords import breached
from entrepot.commerce.people.tokens import KEY, LINK, SESSION, Proof

IDS = IdSource()
SEED = second_factor.new_seed(IDS.secret())
STEP = 60_000_000


def test_the_list_of_breached_passwords_is_long_enough() -> None:
    long_enough = [one for one in breached() if len(one) >= limits.PASSWORD_CHARS_MIN]
    assert len(breached()) > limits.PASSWORD_LISTED_MIN
    assert long_enough


@pytest.mark.parametrize(
    "password", ["brief one", "x" * 257, "1234567890", "Password123", "ababababab", "ada.lovelace-2026", "my Entrepot word"]
)
def test_a_password_that_is_easily_guessed_is_refused_without_being_repeated(password: str) -> None:
    with pytest.raises(BadInputError) as refused:
        rules.check_password(password, breached(), rules.context_of("ada.lovelace@example.com"))
    assert password not in str(refused.value)


@pytest.mark.parametrize("password", ["nine apples under the tree", "日本語のとても長い合言葉です", "a" * 9 + "bcd efg"])
def test_any_kind_of_characters_makes_a_password(password: str) -> None:
    rules.check_password(password, breached(), rules.context_of("ada@example.com"))


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "@example.com", "a b@example.com", "ada@example", "ada@example.com\nBcc: x"]
)
def test_what_no_letter_could_be_sent_to_is_refused(email: str) -> None:
    with pytest.raises(BadInputError):
        rules.check_email(email)


@given(st.binary(min_size=32, max_size=32), st.uuids(), st.sampled_from([SESSION, KEY, LINK]))
def test_a_token_is_read_back_as_it_was_written(secret: bytes, id_: object, mark: str) -> None:
    proof = Proof(mark, id_, secret)  # type: ignore[arg-type]  # hypothesis' UUIDs are untyped
    assert tokens.read(str(proof), mark) == proof
    assert proof.matches(proof.hash)
    assert str(proof)[12:] not in repr(proof)


@given(st.text(max_size=90) | st.from_regex(r"ses_[a-z2-7]{78}", fullmatch=True))
def test_what_is_no_token_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        assert str(tokens.read(text, SESSION)) == text
    except TokenRefusedError:
        return


def test_a_token_is_good_only_for_what_it_is() -> None:
    proof = Proof(KEY, IDS.unguessable(), IDS.secret())
    with pytest.raises(TokenRefusedError):
        tokens.read(str(proof), SESSION)


@pytest.mark.parametrize(("of", "last", "accepted"), [(0, 0, True), (-1, 0, False), (1, 0, False), (0, STEP, False)])
def test_a_code_counts_for_its_thirty_seconds_and_never_again(of: int, last: int, accepted: bool) -> None:
    code = second_factor.code_at(SEED, STEP + of)
    found = second_factor.accepted_step(SEED, code, STEP * limits.TOTP_STEP_SECONDS + 5, last)
    assert (found == STEP + of) is accepted


@given(st.text(max_size=12))
def test_whatever_is_typed_as_a_code_is_answered(code: str) -> None:
    second_factor.accepted_step(SEED, code, STEP * limits.TOTP_STEP_SECONDS, 0)


def test_a_recovery_code_is_known_however_it_is_typed() -> None:
    code = second_factor.recovery_code(IDS.secret())
    assert second_factor.recovery_hash(code.upper().replace("-", " ")) == second_factor.recovery_hash(code)


@pytest.mark.parametrize(
    ("role", "tenant"),
    [("king", ""), ("admin", "seller/acme"), ("seller_admin", ""), ("buyer", "seller/acme"), ("buyer", "x/y")],
)
def test_a_role_is_held_for_its_kind_of_tenant_only(role: str, tenant: str) -> None:
    with pytest.raises(BadInputError):
        rules.check_membership(role, tenant, 0)


def test_staff_stay_signed_in_for_a_shorter_time_than_customers() -> None:
    staff, customer = rules.lifetime([Membership("support")]), rules.lifetime([])
    assert (staff.idle, staff.whole) < (customer.idle, customer.whole)


def test_a_principal_says_who_acts_and_for_whom() -> None:
    id_ = IDS.fresh()
    held = frozenset({Membership("seller_staff", "seller/acme"), Membership("buyer", "company/7"), Membership("support")})
    who = Principal(kind="person", id=id_, memberships=held)
    assert (str(who), str(ANONYMOUS), str(SYSTEM)) == (f"person/{id_}", "anonymous", "system")
    assert (set(who.sellers), set(who.companies)) == ({"acme"}, {"7"})
    assert who.holds("support")
    assert not who.holds("seller_staff", "seller/other")


def test_a_network_is_what_one_household_shares() -> None:
    assert network_of("192.0.2.7") == network_of("192.0.2.200") != network_of("192.0.3.7")
    assert network_of("2001:db8::1") == network_of("2001:db8:0:ff::2") != network_of("2001:db9::1")
    assert network_of("nonsense") == "nonsense"


@pytest.mark.parametrize(("proxies", "address"), [(0, "10.0.0.1"), (1, "203.0.113.9"), (2, "198.51.100.1"), (5, "10.0.0.1")])
def test_only_what_our_own_proxies_have_added_is_believed(proxies: int, address: str) -> None:
    headers = [(b"x-forwarded-for", b"6.6.6.6, 198.51.100.1, 203.0.113.9"), (b"user-agent", b"Fire\tfox")]
    scope = {"client": ("10.0.0.1", 4711), "headers": headers}
    place = place_of(scope, proxies)  # type: ignore[arg-type]  # as much of a scope as is asked
    assert (place.address, place.agent) == (address, "Firefox")


def test_every_letter_that_holds_a_link_has_a_place_for_it_and_no_other_does() -> None:
    assert {about for about, one in OCCASIONS.items() if one.link} == {
        about for about, one in OCCASIONS.items() if "{link}" in one.text
    }
