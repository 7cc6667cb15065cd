"""What can have happened to digital goods. Keys: ``digital_article/<variant id>``, ``entitlement/<order id>/<line>``.

A licence's code is in no event: it is a secret of who bought it.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

LICENCES_ADDED = "digital.licences_added.v1"
FILE_OFFERED = "digital.file_offered.v1"
HANDED_OUT = "digital.handed_out.v1"
REVOKED = "digital.revoked.v1"
POOL_LOW = "digital.pool_low.v1"

EntitlementState = Literal["waiting", "handed_out", "revoked", "cancelled"]


class ArticleChanged(Struct, frozen=True, kw_only=True):
    """What a digital article is: licences from a pool (``added`` of them just now), a file, or both."""

    variant_id: UUID
    sku: str
    licensed: bool
    added: int = 0
    file_name: str = ""
    downloads_most: int = 0
    days: int = 0


class EntitlementMoved(Struct, frozen=True, kw_only=True):
    """What a line of an order gives a right to was handed out, or (some of) it was revoked."""

    order_id: UUID
    line: int
    sku: str
    quantity: int
    revoked: int
    state: EntitlementState
    at: datetime
    expires_at: datetime | None = None


class PoolLow(Struct, frozen=True, kw_only=True):
    """Of a pool of licences as few are free as its threshold; told once, until licences were added."""

    variant_id: UUID
    sku: str
    free: int
    low_at: int
