"""The policies: who may do what to which rows. Pure; the only place that decides it.

Roles say how far a permission reaches (``roles.py``). Beyond that: whoever reaches only their own, or their tenant's, must
name a thing, and every thing that they name must be theirs, else there is none, as far as they are told. What is nobody's
(a guest's cart) is whose knows its id, which cannot be guessed.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from uuid import UUID

from msgspec import Struct, structs

from entrepot.access.errors import (
    ForbiddenError,
    NotYoursError,
    ReasonNeededError,
    SecondFactorNeededError,
    WhoseNeededError,
)
from entrepot.access.permissions import PERMISSIONS
from entrepot.access.roles import EVERYBODY, ROLES, SHOWN_IN_A_DEMO, SIGNED_IN, Reach, roles_of
from entrepot.base.errors import SignInNeededError
from entrepot.base.limits import WHY_CHARS_MIN
from entrepot.base.principal import Principal

_PLATFORM = ""
_GRANTS_HELD_MAX = 4_096  # roles are data that never changes: each request asks the same few again

# A passkey is one by itself: the browser asks for a finger, a face or a PIN before it signs.
SECOND_FACTORS = frozenset({"totp", "recovery_code", "passkey"})


class Owners(Struct, frozen=True, kw_only=True):
    """Whose a thing is. ``shown``: who asks brought its secret; ``exists``: there is such a thing at all."""

    exists: bool = True
    customer: UUID | None = None
    tenants: frozenset[str] = frozenset()
    shown: bool = False

    @property
    def somebodys(self) -> bool:
        """Say whether it belongs to a person or a tenant."""
        return self.customer is not None or bool(self.tenants)


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked: by whom, for which permission, of which things; ``selves`` are the ids of customers that they are.

    ``shown``: they brought the secret of an order, be it this one's or not.
    """

    who: Principal
    permission: str
    things: Sequence[Owners] = ()
    selves: frozenset[UUID] = frozenset()
    why: str = ""
    shown: bool = False


class Granted(Struct, frozen=True):
    """By which role, and how far it reaches; for which tenant it is held."""

    role: str
    reach: Reach
    tenant: str = _PLATFORM


def grants(who: Principal, permission: str, *, demo: bool = False) -> Sequence[Granted]:
    """Return every way in which somebody holds a permission; for an API key, as far as its scopes let it."""
    if permission not in PERMISSIONS:
        raise KeyError(permission)  # a route that declares what there is not: tests/unit/test_access.py
    if who.kind == "system" or (demo and permission in SHOWN_IN_A_DEMO):
        return [Granted("admin", "all")]
    if who.kind == "key" and not in_scope(permission, who.scopes):
        return [one for one in _granted(permission, ((EVERYBODY, _PLATFORM),)) if one.reach == "open"]
    everybody = ((name, _PLATFORM) for name in roles_of((), signed_in=who.id is not None))
    return _granted(permission, (*everybody, *((one.role, one.tenant) for one in sorted(who.memberships))))


def in_scope(permission: str, scopes: Iterable[str]) -> bool:
    """Say whether a key's scopes hold a permission: ``*``, ``orders:*``, ``orders:read``."""
    area, _, verb = permission.partition(".")
    return not {"*", f"{area}:*", f"{area}:{verb}"}.isdisjoint(scopes)


def withhold(who: Principal) -> Principal:
    """Return who asks without the roles of the platform, where they came in by a single factor; a key was made by two."""
    if who.kind != "person" or not who.methods.isdisjoint(SECOND_FACTORS):
        return who
    kept = frozenset(one for one in who.memberships if one.tenant != _PLATFORM)
    return who if kept == who.memberships else structs.replace(who, memberships=kept, withheld=True)


def check(asked: Asked) -> None:
    """Refuse what is not for who asks: 401, 403, or 404 where it is a secret that there is such a thing."""
    try:
        _check(asked)
    except (ForbiddenError, NotYoursError, WhoseNeededError):
        if asked.who.withheld:
            raise SecondFactorNeededError from None
        raise


def _check(asked: Asked) -> None:
    held = grants(asked.who, asked.permission)
    if not held:
        raise SignInNeededError if asked.who.id is None else ForbiddenError(asked.permission)
    if needs_no_owners(held):
        return
    own = all(any(_within(thing, one, asked) for one in held if one.reach != "all") for thing in asked.things)
    if any(one.reach == "all" for one in held):
        if not own and len(asked.why.strip()) < WHY_CHARS_MIN:
            raise ReasonNeededError
    elif not asked.things:
        _whole(asked, held)
    elif not own:
        raise _refusal(asked)


def needs_no_owners(held: Sequence[Granted]) -> bool:
    """Say whether it does not matter whose things are: who asks may see everybody's, and need not say why."""
    return any(one.reach == "all" and not ROLES[one.role].says_why for one in held)


def role_reach(role: str, permission: str) -> Reach | None:
    """Return how far a role reaches with a permission, with what everybody may (the access matrix)."""
    names = roles_of([role], signed_in=role != EVERYBODY)
    found = [reach for name in names if (reach := ROLES[name].reach(permission))]
    order: list[Reach] = ["all", "tenant", "own", "open"]
    return next((reach for reach in order if reach in found), None)


@lru_cache(maxsize=_GRANTS_HELD_MAX)
def _granted(permission: str, held: tuple[tuple[str, str], ...]) -> tuple[Granted, ...]:
    return tuple(
        Granted(name, reach, tenant) for name, tenant in held if (role := ROLES.get(name)) and (reach := role.reach(permission))
    )


def _whole(asked: Asked, held: Sequence[Granted]) -> None:
    """Let through what concerns no thing: open to all, or one's own account."""
    reaches = {one.reach for one in held}
    if "open" in reaches or (asked.permission == "account.own" and SIGNED_IN in {one.role for one in held}):
        return
    raise SignInNeededError if asked.who.id is None else WhoseNeededError(asked.permission)


def _within(thing: Owners, by: Granted, asked: Asked) -> bool:
    if not thing.exists:
        return by.reach == "open"  # the route says itself that there is none: whose it could be is no secret
    if thing.shown or (thing.customer is not None and thing.customer in asked.selves):
        return True
    if by.reach == "tenant":
        return by.tenant in thing.tenants
    return by.reach == "open" and not thing.somebodys


def _refusal(asked: Asked) -> Exception:
    """Ask who has shown nothing to sign in; nobody learns by the answer which ids are used."""
    return NotYoursError() if asked.shown or asked.selves else SignInNeededError()
