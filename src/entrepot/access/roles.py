"""What each role may, as data: permissions by reach. The names are those of ``commerce/people/rules.py``; a test compares them.

Everybody is ``anonymous``; who has signed in is a ``customer`` too; the rest are held, for the platform or for one tenant.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from entrepot.access.permissions import PERMISSIONS

Reach = Literal["open", "own", "tenant", "all"]
"""Over whose rows: nobody's and one's own (``open``); one's own; one's tenant's; everybody's."""


class Role(Struct, frozen=True, kw_only=True):
    """What holders of a role may; ``says_why``: they give a reason to see what belongs to somebody."""

    open: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    tenant: frozenset[str] = frozenset()
    all: frozenset[str] = frozenset()
    says_why: bool = False

    def reach(self, permission: str) -> Reach | None:
        """Return how far this role reaches with a permission; None: it does not hold it."""
        if permission in self.all:
            return "all"
        if permission in self.tenant:
            return "tenant"
        if permission in self.own:
            return "own"
        return "open" if permission in self.open else None


def words(*given: str) -> frozenset[str]:
    """Return these permissions, written with spaces between."""
    return frozenset(name for one in given for name in one.split())


_READS = words(
    "catalogue.read pricing.read promotions.read shipping.read stock.read orders.read payments.read companies.read",
    "purchases.read invoices.read subscriptions.use sellers.read digital.read sales.read behaviour.read house.watch",
)
_SELLS = words("sellers.read orders.fulfil")
_BUYS = words("companies.read purchases.read purchases.ask negotiations.ask invoices.read orders.read digital.read")

EVERYBODY, SIGNED_IN = "anonymous", "customer"
SHOWN_IN_A_DEMO = words("house.watch")
"""What a demo lets anybody do besides: look at the engine room. Nothing there belongs to anybody."""

ROLES: Mapping[str, Role] = {
    EVERYBODY: Role(
        open=words(
            "account.join docs.read catalogue.read carts.use checkout.buy payments.tell parcels.tell",
            "behaviour.tell",
        ),
        own=words("orders.read orders.cancel returns.ask digital.read"),
    ),
    SIGNED_IN: Role(own=words("account.own subscriptions.use")),
    "admin": Role(all=frozenset(PERMISSIONS)),
    "support": Role(
        all=words(
            "orders.read orders.cancel orders.refund returns.ask returns.handle payments.read companies.read purchases.read",
            "invoices.read subscriptions.use digital.read catalogue.read promotions.read stock.read carts.use checkout.buy",
            "approvals.read",
        ),
        says_why=True,
    ),
    "finance": Role(
        all=words(
            "orders.read orders.refund payments.read payments.handle companies.read companies.write purchases.read",
            "negotiations.offer invoices.read invoices.write subscriptions.use sellers.read sales.read pricing.read",
            "approvals.read approvals.decide approvals.limits",
        )
    ),
    "catalogue": Role(
        all=words(
            "catalogue.read catalogue.write pricing.read pricing.write promotions.read promotions.write plans.write",
            "shipping.read stock.read sellers.read digital.write sales.read behaviour.read approvals.read approvals.decide",
        )
    ),
    "operations": Role(
        all=words(
            "stock.read stock.write shipping.read shipping.write orders.read orders.plan orders.fulfil returns.handle",
            "house.watch house.run events.read webhooks.manage sellers.read sellers.write catalogue.read",
        )
    ),
    "privacy": Role(all=words("privacy.handle audit.read people.manage approvals.read approvals.decide"), says_why=True),
    "auditor": Role(all=_READS | words("audit.read events.read approvals.read"), says_why=True),
    "integration": Role(
        all=frozenset(PERMISSIONS) - words("people.manage privacy.handle audit.read approvals.decide approvals.limits")
    ),
    "seller_admin": Role(tenant=_SELLS | words("sellers.sell")),
    "seller_staff": Role(tenant=_SELLS),
    "company_admin": Role(tenant=_BUYS | words("companies.staff purchases.decide")),
    "buyer": Role(tenant=_BUYS),
    "approver": Role(tenant=_BUYS | words("purchases.decide")),
}


def roles_of(held: Iterable[str], *, signed_in: bool) -> list[str]:
    """Return every role that counts for somebody: those held, and everybody's."""
    return [EVERYBODY, *([SIGNED_IN] if signed_in else []), *sorted(set(held) & ROLES.keys())]
