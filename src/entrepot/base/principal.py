"""Who asks: resolved once per request at the edge, carried by every command as its actor. Decides nothing of what they may."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

Kind = Literal["anonymous", "person", "key", "system"]

SELLER, COMPANY = "seller", "company"


class Membership(Struct, frozen=True, order=True):
    """A role that somebody holds: for a tenant (``seller/<code>``, ``company/<id>``), or for the platform (empty)."""

    role: str
    tenant: str = ""


class Principal(Struct, frozen=True, kw_only=True):
    """Who asks. ``id`` is the person's (also of one who uses an API key, whose own id is then ``key``).

    ``proved_at`` is when they last proved who they are (a step-up renews it) by ``methods``; ``scopes`` narrow what a key may.
    ``withheld``: they hold roles of the platform that wait for a second factor, and are left out of ``memberships``.
    """

    kind: Kind
    id: UUID | None = None
    key: UUID | None = None
    session: UUID | None = None
    memberships: frozenset[Membership] = frozenset()
    scopes: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    proved_at: datetime | None = None
    expires_at: datetime | None = None
    withheld: bool = False

    def __str__(self) -> str:
        """Return what events carry as their actor."""
        if self.kind == "key":
            return f"key/{self.key}"
        return f"person/{self.id}" if self.kind == "person" else self.kind

    @property
    def roles(self) -> frozenset[str]:
        """The names of all roles held, wherever."""
        return frozenset(one.role for one in self.memberships)

    @property
    def sellers(self) -> frozenset[str]:
        """The codes of the sellers they act for."""
        return self._tenants(SELLER)

    @property
    def companies(self) -> frozenset[str]:
        """The ids of the companies they act for."""
        return self._tenants(COMPANY)

    def holds(self, role: str, tenant: str = "") -> bool:
        """Say whether they hold this role for this tenant (none: for the platform)."""
        return Membership(role, tenant) in self.memberships

    def _tenants(self, kind: str) -> frozenset[str]:
        return frozenset(one.tenant.partition("/")[2] for one in self.memberships if one.tenant.startswith(f"{kind}/"))


ANONYMOUS = Principal(kind="anonymous")
SYSTEM = Principal(kind="system")
