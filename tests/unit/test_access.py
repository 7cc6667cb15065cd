"""Policies, as functions: who may, who may not, and what they are told. The routes are walked in flows/test_access_walk.py."""

from uuid import UUID

import pytest

from entrepot.access.errors import ForbiddenError, NotYoursError, ReasonNeededError, WhoseNeededError
from entrepot.access.permissions import PERMISSIONS
from entrepot.access.policies import Asked, Owners, check, in_scope
from entrepot.access.roles import EVERYBODY, ROLES, SIGNED_IN
from entrepot.api.application import ROOMS
from entrepot.api.guard import PERMISSION
from entrepot.base.errors import SignInNeededError
from entrepot.base.principal import ANONYMOUS, Membership, Principal
from entrepot.commerce.people import rules
from entrepot.console import pages

ADA, BOB = UUID(int=1), UUID(int=2)
ADAS, BOBS, NOBODYS = Owners(customer=ADA), Owners(customer=BOB), Owners()
ACME = Owners(tenants=frozenset({"company/acme"}))
HANDLERS = [*(handler for room in ROOMS for handler in room.HANDLERS), *pages.handlers()]


def person(id_: UUID = ADA, *held: Membership) -> Principal:
    return Principal(kind="person", id=id_, memberships=frozenset(held))


def ask(who: Principal, permission: str, *things: Owners, why: str = "", shown: bool = False) -> None:
    selves = frozenset({who.id} if who.id else ())
    check(Asked(who=who, permission=permission, things=things, selves=selves, why=why, shown=shown))


@pytest.mark.parametrize("handler", HANDLERS, ids=str)
def test_every_route_declares_a_permission_that_there_is(handler: object) -> None:
    assert handler.opt.get(PERMISSION) in PERMISSIONS  # type: ignore[attr-defined]  # litestar's union of handlers


def test_every_permission_is_asked_for_by_some_route_or_kept_for_a_room_to_come() -> None:
    asked = {handler.opt[PERMISSION] for handler in HANDLERS}
    assert PERMISSIONS.keys() - asked <= {"privacy.handle", "audit.read", "people.manage"}


def test_the_roles_are_those_that_people_can_hold() -> None:
    assert ROLES.keys() - {EVERYBODY, SIGNED_IN} == rules.ROLES.keys()


def test_a_role_holds_only_permissions_that_there_are() -> None:
    assert not {name for role in ROLES.values() for name in role.open | role.own | role.tenant | role.all} - PERMISSIONS.keys()


def test_only_a_role_of_a_tenant_reaches_a_tenants_rows() -> None:
    assert {name for name, role in ROLES.items() if role.tenant} == {name for name, kind in rules.ROLES.items() if kind}


def test_a_customer_sees_their_own_order() -> None:
    ask(person(), "orders.read", ADAS)


@pytest.mark.parametrize("thing", [BOBS, NOBODYS, ACME, Owners(exists=False)])
def test_of_anothers_order_a_customer_does_not_learn_that_it_is_there(thing: Owners) -> None:
    with pytest.raises(NotYoursError):
        ask(person(), "orders.read", thing)


def test_every_thing_that_a_request_names_must_be_theirs() -> None:
    with pytest.raises(NotYoursError):
        ask(person(), "orders.read", ADAS, BOBS)


def test_a_guest_sees_the_order_whose_secret_they_hold() -> None:
    ask(ANONYMOUS, "orders.read", Owners(shown=True), shown=True)


def test_a_guest_with_the_secret_of_another_order_is_told_that_there_is_none() -> None:
    with pytest.raises(NotYoursError):
        ask(ANONYMOUS, "orders.read", Owners(), shown=True)


@pytest.mark.parametrize("thing", [BOBS, NOBODYS, Owners(exists=False)])
def test_nobody_is_asked_to_sign_in_whether_or_not_there_is_such_an_order(thing: Owners) -> None:
    with pytest.raises(SignInNeededError):
        ask(ANONYMOUS, "orders.read", thing)


def test_a_cart_of_nobodys_is_whose_knows_its_id() -> None:
    ask(ANONYMOUS, "carts.use", NOBODYS)


def test_nobody_opens_a_cart_in_anothers_name() -> None:
    with pytest.raises(SignInNeededError):
        ask(ANONYMOUS, "carts.use", BOBS)


def test_a_buyer_sees_what_is_their_companys() -> None:
    ask(person(ADA, Membership("buyer", "company/acme")), "purchases.read", ACME)


def test_a_buyer_of_another_company_does_not() -> None:
    with pytest.raises(NotYoursError):
        ask(person(ADA, Membership("buyer", "company/other")), "purchases.read", ACME)


def test_a_buyer_does_not_see_everybodys_purchases() -> None:
    with pytest.raises(WhoseNeededError):
        ask(person(ADA, Membership("buyer", "company/acme")), "purchases.read")


def test_a_role_is_not_borrowed_from_another_tenant() -> None:
    held = Membership("buyer", "company/acme"), Membership("approver", "company/other")
    with pytest.raises(NotYoursError):
        ask(person(ADA, *held), "purchases.decide", ACME)


def test_who_lacks_the_permission_is_told_which() -> None:
    with pytest.raises(ForbiddenError, match=r"stock\.write"):
        ask(person(), "stock.write")


def test_support_says_why_it_looks_at_what_is_others() -> None:
    with pytest.raises(ReasonNeededError):
        ask(person(BOB, Membership("support")), "orders.read", ADAS)


def test_support_that_says_why_sees_it() -> None:
    ask(person(BOB, Membership("support")), "orders.read", ADAS, why="ticket 4711")


def test_support_sees_its_own_orders_without_a_reason() -> None:
    ask(person(BOB, Membership("support")), "orders.read", BOBS)


def test_a_key_may_no_more_than_its_scopes() -> None:
    key = Principal(kind="key", id=ADA, key=BOB, memberships=frozenset({Membership("admin")}), scopes=frozenset({"stock:*"}))
    with pytest.raises(ForbiddenError):
        ask(key, "orders.read", BOBS)


def test_a_key_may_no_more_than_its_owner() -> None:
    with pytest.raises(ForbiddenError):
        ask(Principal(kind="key", id=ADA, key=BOB, scopes=frozenset({"*"})), "stock.write")


@pytest.mark.parametrize(
    ("scope", "covers"), [("*", True), ("orders:*", True), ("orders:read", True), ("orders:cancel", False), ("orders", False)]
)
def test_a_scope_covers_what_it_names(scope: str, *, covers: bool) -> None:
    assert in_scope("orders.read", [scope]) is covers
