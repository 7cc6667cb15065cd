"""Which requests the database keeps to a tenant's own rows, besides the policies: the second wall behind the first.

A request runs as a tenant when all that lets it in is a tenant's role; whoever works for the platform reads as the platform.
"""

from entrepot.access.policies import grants
from entrepot.base.principal import Principal

# Reads of what is a seller's or a company's. What tenants change reaches rows that are not theirs alone (a purchase is quoted
# from everybody's stock, under limits that all share): it is let in by the policies, and done on the platform's own behalf.
AS_TENANT = frozenset({"sellers.read", "companies.read", "purchases.read", "invoices.read"})


def as_tenant(who: Principal, permission: str) -> bool:
    """Say whether a request runs as the tenant who asks."""
    return permission in AS_TENANT and {one.reach for one in grants(who, permission)} == {"tenant"}
