"""Pure decisions about what takes two people, and about who may give their word."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.machine import Machine
from entrepot.commerce.approval.events import ApprovalMoved, ApprovalState, DeedKind

APPROVAL = Machine(
    "approval",
    {
        "requested": ("approved", "refused", "expired"),
        "approved": ("applied", "expired"),
        "refused": (),
        "expired": (),
        "applied": (),
    },
)

# What the limit of each kind counts, and what its scope names. What is not listed always takes two people.
LIMITED: Mapping[DeedKind, str] = {
    "refund": "minor units given back of one payment, by currency",
    "payout": "minor units paid to a seller at once, by currency",
    "price": "permille by which a price changes or a list departs from it, by market",
    "first_price": "minor units that a product which never had a price is first to cost (0: every one), by market",
    "role": "0: every time it is given, by role",
    "migration": "0: every time the schema changes, of the record",
}
_EVERY_TIME = ("role", "migration")  # takes two people wherever a limit names it, whatever the number
_SCOPE = re.compile(r"[A-Za-z0-9_-]{1,40}")
_PEOPLE = ("person/", "key/")
RECORD = "record"  # what a limit on migrations is of


class Deed(Struct, frozen=True, kw_only=True):
    """What somebody is about to do. ``about`` names the thing, ``what`` the deed itself in full: an approval is for that."""

    kind: DeedKind
    about: str
    scope: str
    amount: int
    what: str

    @property
    def digest(self) -> bytes:
        """What an approval is bound to: another amount, or another thing, is another deed."""
        return hashlib.sha256(msgspec.json.encode([self.kind, self.about, self.what])).digest()


class Limit(Struct, frozen=True, kw_only=True):
    """From where on deeds of a kind take two people: more than ``above`` in this scope; None lifts it."""

    kind: DeedKind
    scope: str
    above: int | None


class Approval(ApprovalMoved, frozen=True, kw_only=True):
    """A deed that waits for somebody's word, or had it; ``version`` counts its states."""

    version: int = 1


class ApprovalNeededError(ConflictError):
    """A deed is beyond its limit: it takes somebody else's word first. Nothing was done."""

    slug = "approval-needed"

    def __init__(self, deed: Deed, approval_id: UUID | None = None, state: str = "") -> None:
        self.deed = deed
        waits = f" It waits as {approval_id}; do the same again once that is approved." if approval_id else ""
        super().__init__(
            f"{deed.what} takes the word of somebody else, who may do it too.{waits}",
            kind=deed.kind,
            about=deed.about,
            **({"approval_id": str(approval_id), "state": state} if approval_id else {}),
        )


class OwnApprovalError(ConflictError):
    """Nobody decides what they asked for themselves."""

    slug = "own-approval"

    def __init__(self, id_: UUID) -> None:
        super().__init__(f"You asked for {id_} yourself: somebody else must decide it.", approval_id=str(id_))


def by_people(actor: str) -> bool:
    """Say whether somebody acts, rather than the house: jobs and the command line are held by those who run them."""
    return actor.startswith(_PEOPLE)


def is_beyond(deed: Deed, above: int | None) -> bool:
    """Say whether a deed takes two people."""
    if deed.kind not in LIMITED:
        return True
    return above is not None and (deed.kind in _EVERY_TIME or deed.amount > above)


def asked(deed: Deed, id_: UUID, by: UUID | None, now: datetime) -> Approval:
    """Return the approval that a deed waits for."""
    return Approval(
        id=id_, kind=deed.kind, about=deed.about, scope=deed.scope, amount=deed.amount, what=deed.what, state="requested",
        asked_by=by, asked_at=now, expires_at=now + timedelta(days=limits.APPROVAL_DAYS),
    )  # fmt: skip


def decide(approval: Approval, to: ApprovalState, by: UUID, why: str, now: datetime) -> Approval:
    """Return an approval with somebody's word; refuses one's own, one that is over, and a refusal without a reason."""
    if approval.asked_by == by:
        raise OwnApprovalError(approval.id)
    if len(why) > limits.REASON_CHARS_MAX or (to == "refused" and not why.strip()):
        raise BadInputError(f"A refusal says why, in 1 to {limits.REASON_CHARS_MAX} characters.", field="why")
    if approval.expires_at <= now:
        raise ConflictError(f"The approval {approval.id} is over since {approval.expires_at:%Y-%m-%d %H:%M} UTC: ask again.")
    return msgspec.structs.replace(_move(approval, to), decided_by=by, decided_at=now, why=why.strip())


def apply(approval: Approval, now: datetime) -> Approval:
    """Return an approval that was used; it is good for one deed."""
    return msgspec.structs.replace(_move(approval, "applied"), applied_at=now)


def expire(approval: Approval) -> Approval:
    """Return an approval whose time is over."""
    return _move(approval, "expired")


def is_over(approval: Approval, now: datetime) -> bool:
    """Say whether nobody decided or used it in time."""
    return APPROVAL.allows(approval.state, "expired") and approval.expires_at <= now


def is_good(approval: Approval | None, now: datetime) -> bool:
    """Say whether an approval is somebody's word that can be used now."""
    return approval is not None and approval.state == "approved" and not is_over(approval, now)


def is_final(approval: Approval) -> bool:
    """Say whether somebody has said no."""
    return approval.state == "refused"


def of_limit(wanted: Limit) -> Deed:
    """Return the deed that lets more through than before."""
    told = "no limit" if wanted.above is None else f"a limit of {wanted.above}"
    what = f"To have {told} of {wanted.kind} in {wanted.scope}"
    return Deed(
        kind="limit", about=f"limit/{wanted.kind}/{wanted.scope}", scope=wanted.scope, amount=wanted.above or 0, what=what
    )


def migrating(missing: Sequence[tuple[str, bytes]]) -> Deed:
    """Return what it is to apply these migrations, with what they say: another text is another deed."""
    names = ", ".join(name for name, _ in missing)
    digest = hashlib.sha256(msgspec.json.encode([[name, text.decode()] for name, text in missing])).hexdigest()
    what = f"To change the schema of the record by {names} (sha256 {digest[:16]})"
    return Deed(kind="migration", about="migration/record", scope=RECORD, amount=len(missing), what=what)


def check_limit(wanted: Limit) -> None:
    """Refuse a limit of what has none, of no scope, or below nothing."""
    if wanted.kind not in LIMITED:
        raise BadInputError(f"{wanted.kind!r} has no limit: {', '.join(LIMITED)}.", field="kind", value=wanted.kind)
    if not _SCOPE.fullmatch(wanted.scope) or (wanted.kind == "migration") != (wanted.scope == RECORD):
        raise BadInputError(f"The scope {wanted.scope!r} is none: a {LIMITED[wanted.kind].rpartition(' ')[2]}.", field="scope")
    if wanted.above is not None and not 0 <= wanted.above <= limits.MINOR_MAX:
        raise BadInputError(f"A limit of {wanted.above} cannot be: 0 to {limits.MINOR_MAX}.", field="above", value=wanted.above)


def loosens(known: int | None, wanted: int | None) -> bool:
    """Say whether a change of a limit lets more through than before."""
    return known is not None and (wanted is None or wanted > known)


def change_permille(before: int | None, after: int) -> int:
    """Return by how many permille of a price it changes, rounded up: what is barely beyond a limit is beyond it.

    A first price changes all of it: it is as far as a price that becomes nothing, or comes from nothing.
    """
    if before is None:
        return max(after, 1) * 1_000
    return 0 if before == after else -(-abs(after - before) * 1_000 // max(before, 1))


def _move(approval: Approval, to: ApprovalState) -> Approval:
    APPROVAL.check(approval.id, approval.state, to)
    return msgspec.structs.replace(approval, state=to, version=approval.version + 1)


def known_kind(kind: str) -> DeedKind:
    """Return a kind of deeds that have limits, or say that it is none."""
    found = next((one for one in LIMITED if one == kind), None)
    if found is None:
        raise BadInputError(f"{kind!r} has no limit: {', '.join(LIMITED)}.", field="kind", value=kind)
    return found
