"""Where access is enforced: one guard before every route. Finds what a request names, asks the policies, decides nothing.

It stands in each route's way as middleware, not as a guard of the framework, which copies the route for every request.

What a request names stands in its path, its query and the top of its body, by the names in ``access.owners.KINDS``; so no
route can forget it. Of the query, that is what the route takes: who reaches their own alone must name what is theirs, and a
name that nobody reads would open a list of everybody's. A route that declares no permission is not served at all.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, get_type_hints
from urllib.parse import parse_qsl
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from entrepot.access import policies
from entrepot.access.owners import ACTING, CART, KINDS, UNKNOWN, Whose, guest_proof, same
from entrepot.access.policies import Asked, Owners
from entrepot.api import watching
from entrepot.api.body import JsonRequest
from entrepot.api.edge import API, is_file
from entrepot.api.parts import Parts
from entrepot.api.place import why_of
from entrepot.api.principal import principal_of
from entrepot.base.errors import BadInputError, NotFoundError
from entrepot.base.limits import BODY_NAMES_MAX
from entrepot.commerce.cart.commands import Kept
from entrepot.sealing.sealing import Sealing

PERMISSION = "permission"
SECRET = "entrepot-order-secret"  # noqa: S105  # the name of a header
GUEST, BUYER = "entrepot_customer", "entrepot_buyer"
COMPANY = "/account/company"

_BODY = "data"

Connection = ASGIConnection[Any, Any, Any, Any]
Name = tuple[str, UUID]


class Guard:
    """Refuses what is not for who asks."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._sealing, self._demo = parts, parts.people.sealing, parts.flash is not None
        self._whose = Whose(parts.record, parts.cell, parts.people.sealing)

    def before(self, app: ASGIApp) -> ASGIApp:
        """Return a route that only those reach whom it is for."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            assert scope["type"] == ScopeType.HTTP  # there is no other kind of route
            await self.check(JsonRequest(scope, receive, send))
            await app(scope, receive, send)

        return guarded

    async def check(self, connection: JsonRequest) -> None:
        """Let a request through, or raise why not."""
        if connection.method == "OPTIONS":  # made by the framework: says which methods there are
            return
        permission, who = connection.route_handler.opt.get(PERMISSION), principal_of(connection)
        if permission is None:  # the framework's own, such as its pages about the description of the API
            raise NotFoundError(f"There is nothing at {connection.scope['path']}: /v1/docs lists what there is.")
        watching.watches.set(bool(policies.grants(who, watching.PERMISSION, demo=self._demo)))
        held = policies.grants(who, permission, demo=self._demo)
        if policies.needs_no_owners(held):
            return
        named = await _named(connection) if held else []
        if len(named) > BODY_NAMES_MAX:
            raise BadInputError(f"The request names {len(named)} things by their ids: {BODY_NAMES_MAX} at most.")
        shown = connection.headers.get(SECRET, "")
        things = [await self._owners(connection, kind, id_, who.id, shown) for kind, id_ in named]
        selves = frozenset(one for one in (who.id, guest_of(connection, self._sealing)) if one)
        why = why_of(connection.scope)
        policies.check(Asked(who=who, permission=permission, things=things, selves=selves, why=why, shown=bool(shown)))

    async def _owners(self, connection: JsonRequest, kind: str, id_: UUID, person_id: UUID | None, shown: str) -> Owners:
        if kind != CART:
            return await self._whose.find(kind, id_, person_id, shown)
        try:
            return Owners(customer=(await cart_named(connection, self._parts, id_)).cart.customer_id.value)
        except NotFoundError:
            return UNKNOWN


@cache
def names_taken(handler: BaseRouteHandler) -> frozenset[str]:
    """Return by which names a route takes what is sent to it; ``data`` is its body."""
    says = get_type_hints(handler.fn, include_extras=True)
    return frozenset(
        next((one.name for one in getattr(says.get(name), "__metadata__", ()) if getattr(one, "name", None)), name)
        for name in inspect.signature(handler.fn).parameters
    )


async def cart_named(connection: Connection, parts: Parts, cart_id: UUID) -> Kept:
    """Return a cart that a request names, read once for guard and route: who changes it finds out whether it is still so."""
    carts: dict[UUID, Kept] = connection.scope["state"].setdefault("carts", {})
    if cart_id not in carts:
        carts[cart_id] = await parts.carts.load(cart_id)
    return carts[cart_id]


def guest_of(connection: Connection, sealing: Sealing) -> UUID | None:
    """Return which guest a browser is, if this house has told it so; a program is none."""
    if connection.scope["path"].startswith(API):
        return None
    text, _, proof = connection.cookies.get(GUEST, "").partition(".")
    id_ = _id(text)
    return id_ if id_ and same(proof, guest_proof(sealing, id_)) else None


async def _named(connection: JsonRequest) -> list[Name]:
    taken = names_taken(connection.route_handler)
    found = dict.fromkeys(_kinds(connection.path_params.items(), {}))
    found |= dict.fromkeys(
        _kinds(((name, value) for name, value in connection.query_params.multi_items() if name in taken), {})
    )
    path = connection.scope["path"]
    if path.startswith(COMPANY) and (connection.method, path) != ("POST", COMPANY):
        # The pages of the buyer whom a cookie names.
        company, buyer, _ = (*connection.cookies.get(BUYER, "").split("."), "", "")[:3]
        found |= dict.fromkeys(_kinds([("company", company), ("buyer", buyer)], {"buyer": ACTING}))
    if connection.method != "GET" and _BODY in taken and not is_file(connection.scope):
        # Who acts is named in the body: it must be themselves.
        acting = {"buyer_id": ACTING, "buyer": ACTING}
        found |= dict.fromkeys(_kinds(await _body(connection), acting))
    return list(found)


async def _body(connection: JsonRequest) -> Iterable[tuple[str, object]]:
    """Return what the top of a body says, read as its route will read it; what it cannot be read as is the route's to tell."""
    if not connection.scope["path"].startswith(API):
        return parse_qsl((await connection.body()).decode("utf-8", "replace"))
    try:
        sent = await connection.json()
    except BadInputError:
        return ()
    return sent.items() if isinstance(sent, Mapping) else ()


def _kinds(given: Iterable[tuple[str, object]], instead: Mapping[str, str]) -> Iterator[Name]:
    for name, value in given:
        kind, id_ = instead.get(name) or KINDS.get(name), _id(value)
        if kind is not None and id_ is not None:
            yield kind, id_


def _id(value: object) -> UUID | None:
    try:
        return value if isinstance(value, UUID) else UUID(str(value))
    except ValueError:
        return None
