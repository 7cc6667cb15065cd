"""What can have happened to deeds that wait and to limits. Keys: ``approval/<id>`` and ``limit/<kind>/<scope>``."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

APPROVAL_MOVED = "approval.moved.v1"
LIMIT_SET = "approval.limit_set.v1"

ApprovalState = Literal["requested", "approved", "refused", "expired", "applied"]
DeedKind = Literal["refund", "payout", "price", "first_price", "role", "limit", "reopening", "migration"]


class ApprovalMoved(Struct, frozen=True, kw_only=True):
    """A deed that takes two people now stands so. Nobody (None) has asked for what the house itself does."""

    id: UUID
    kind: DeedKind
    about: str
    scope: str
    amount: int
    what: str
    state: ApprovalState
    asked_by: UUID | None
    asked_at: datetime
    expires_at: datetime
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    applied_at: datetime | None = None
    why: str = ""


class LimitSet(Struct, frozen=True, kw_only=True):
    """From where on deeds of a kind take two people: more than ``above``. None: there is no such limit any more."""

    kind: DeedKind
    scope: str
    above: int | None
