"""Which requests the database keeps to a tenant's own rows, besides the policies: the second wall behind the first.

A request runs as a tenant when all that lets it in is a tenant's role; whoever works for the platform reads as the platform.
"""

from collections.abc import Mapping

from entrepot.access.policies import grants
from entrepot.base.principal import Principal

# What is a seller's or a company's alone, read and written.
AS_TENANT = frozenset(
    {
        *("sellers.read", "companies.read", "purchases.read", "invoices.read"),
        *("sellers.sell", "companies.staff", "purchases.decide", "negotiations.ask"),
    }
)

# What tenants may that reaches rows which are not theirs alone: it is let in by the policies, and done on the platform's own
# behalf, each for this reason. So is, of the above, what a route does by ``Parts.platform``, and says why.
AS_PLATFORM: Mapping[str, str] = {
    "purchases.ask": "a purchase is quoted from everybody's stock, prices and promotions, under limits that all share",
    "orders.fulfil": "a shipment moves its order, its stock and its payment, which are the buyer's and the platform's too",
    "orders.read": "an order tells of its customer's checkout and of what others sold in it",
    "digital.read": "what was bought digitally is the platform's to hand out, by addresses that it signs",
}


def as_tenant(who: Principal, permission: str) -> bool:
    """Say whether a request runs as the tenant who asks."""
    return permission in AS_TENANT and {one.reach for one in grants(who, permission)} == {"tenant"}
