"""Whose a thing is that a request names: read from the truth, decided upon in ``policies.py``. Reads only."""

import hashlib
import hmac
from base64 import b32encode
from typing import Protocol
from uuid import UUID

from entrepot.access.policies import Owners
from entrepot.record.named import queries
from entrepot.record.transaction import Connection, Record
from entrepot.sealing.blind import email_normal
from entrepot.sealing.sealing import Sealing

SQL = queries(__package__, "owners.sql")

ORDER, CART, CUSTOMER, ACTING, PAYMENT = "order", "cart", "customer", "acting_buyer", "payment"

# By which name a request names a thing, in its path, its query or its body, and what kind of thing that is.
KINDS = {
    "order_id": ORDER,
    "shipment_id": "shipment",
    "return_id": "return",
    "checkout_id": "checkout",
    "cart_id": CART,
    "into": CART,
    "customer_id": CUSTOMER,
    "customer": CUSTOMER,
    "company_id": "company",
    "company": "company",
    "buyer_id": "buyer",
    "buyer": "buyer",
    "purchase_id": "purchase",
    "negotiation_id": "negotiation",
    "invoice_id": "invoice",
    "note_id": "credit_note",
    "subscription_id": "subscription",
    "method_id": "method",
    "seller_id": "seller",
    "payment_id": PAYMENT,
    "dispute_id": PAYMENT,
    "operation_id": PAYMENT,
    "receipt_id": PAYMENT,
}
"""Of payments and what belongs to them nobody but the platform may know more than their order tells."""

# The addresses by which companies know their buyers, and people sign in, are sealed apart: each is bound to its column.
BUYER_EMAIL, LOGIN_EMAIL = "business.buyer.email_sealed", "identity.login.email"
ORDER_SECRET, GUEST_SECRET = "access.order", "access.guest"
UNKNOWN, PLATFORMS = Owners(exists=False), Owners(tenants=frozenset({"platform"}))


class Blinding(Protocol):
    """What makes 32 bytes of a value that nobody else can make."""

    def blind(self, field: str, normal: str) -> bytes:
        """Return the bytes."""


def order_secret(sealing: Blinding, order_id: UUID) -> str:
    """Return what a guest proves by that an order is theirs; it is told once, to who placed it, and kept nowhere."""
    return "ord_" + _short(sealing.blind(ORDER_SECRET, str(order_id)))


def guest_proof(sealing: Blinding, guest_id: UUID | str) -> str:
    """Return what shows that what a browser brings (a guest's id) is what this house gave it."""
    return _short(sealing.blind(GUEST_SECRET, str(guest_id)))


def same(given: str, right: str) -> bool:
    """Compare without telling by the time it takes how much was right."""
    return hmac.compare_digest(hashlib.sha256(given.encode()).digest(), hashlib.sha256(right.encode()).digest())


class Whose:
    """Finds owners of what the record keeps (a cart lies elsewhere)."""

    def __init__(self, record: Record, cell: int, sealing: Sealing) -> None:
        self._record, self._cell, self._sealing = record, cell, sealing

    async def find(self, kind: str, id_: UUID, person_id: UUID | None, shown: str = "") -> Owners:
        """Return whose a thing is; ``shown`` is the secret of an order that was brought along."""
        if kind == CUSTOMER:
            return Owners(customer=id_)
        if kind == PAYMENT:
            return PLATFORMS
        async with self._record.committing() as connection:
            if kind == ACTING:
                return await self._acting(connection, id_, person_id)
            row = await connection.fetchrow(SQL[kind], self._cell, id_)
        if row is None:
            return UNKNOWN
        order_id = row["order_id"]
        by_secret = bool(shown) and order_id is not None and same(shown, order_secret(self._sealing, order_id))
        return Owners(customer=row["customer_id"], tenants=frozenset(row["tenants"]), shown=by_secret)

    async def _acting(self, connection: Connection, buyer_id: UUID, person_id: UUID | None) -> Owners:
        """Return that a buyer is this person's own if both have the same address."""
        row = await connection.fetchrow(SQL[ACTING], self._cell, buyer_id, person_id)
        if row is None:
            return UNKNOWN
        if person_id is None or row["email_sealed"] is None:
            return PLATFORMS
        email = (await self._sealing.unseal(person_id, {LOGIN_EMAIL: row["email_sealed"]}))[LOGIN_EMAIL] or ""
        mine = bool(email) and self._sealing.blind(BUYER_EMAIL, email_normal(email)) == row["email_blind"]
        return Owners(customer=person_id) if mine else PLATFORMS


def _short(proof: bytes) -> str:
    return b32encode(proof[:20]).decode().lower()
