"""The commands of approvals: a deed is held, asked for, decided, used once; limits; what was not used in time is over.

Whoever does something large calls ``need`` in the transaction of the deed: with it, the approval is used, or neither is.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from entrepot.base.errors import NotFoundError
from entrepot.base.event import Event, Token
from entrepot.base.limits import APPROVALS_EXPIRED_MAX
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.approval import rules, store
from entrepot.commerce.approval.events import APPROVAL_MOVED, LIMIT_SET, ApprovalMoved, ApprovalState, LimitSet
from entrepot.commerce.approval.rules import Approval, ApprovalNeededError, Deed, Limit
from entrepot.record.transaction import Fact, Transaction


async def need(tx: Transaction, deed: Deed, *, of_all: bool = False) -> None:
    """Let a deed through that is within its limit, or that somebody else has approved: that word is then used.

    People are held; the house itself only where ``of_all`` says so. Raises ``ApprovalNeededError``.
    """
    if not (of_all or rules.by_people(tx.actor)) or not await beyond(tx, deed):
        return
    found = await store.open_of(tx.connection, tx.cell, deed)
    if not rules.is_good(found, _now(tx)):
        raise ApprovalNeededError(deed)
    assert found is not None
    await _save(tx, rules.apply(found, _now(tx)))


async def beyond(tx: Transaction, deed: Deed) -> bool:
    """Say whether a deed takes two people."""
    return rules.is_beyond(deed, await store.threshold(tx.connection, deed.kind, deed.scope))


async def ask(tx: Transaction, deed: Deed, by: UUID | None) -> Approval:
    """Let a deed wait for somebody's word; one that waits already, or has it, is returned as it is."""
    known = await store.open_of(tx.connection, tx.cell, deed)
    if known is not None and rules.is_over(known, _now(tx)):
        await _save(tx, rules.expire(known))
        known = None
    if known is not None:
        return known
    one = rules.asked(deed, tx.ids.fresh(), by, _now(tx))
    if not await store.put_approval(tx.connection, tx.cell, one, deed.digest):
        return await ask(tx, deed, by)  # somebody else's, in the same moment: theirs is committed now
    await tx.append([_told(one)])
    return one


async def word(tx: Transaction, deed: Deed) -> ApprovalState:
    """Return how a deed of the house stands: ``approved`` too where it is within its limit; else it waits from now on."""
    if not await beyond(tx, deed):
        return "approved"
    last = await store.last_of(tx.connection, tx.cell, deed)
    if last is not None and rules.is_final(last):
        return last.state
    return (await ask(tx, deed, None)).state


async def decide(tx: Transaction, id_: UUID, to: ApprovalState, by: UUID, why: str = "") -> Approval:
    """Approve or refuse a deed that somebody else asked for."""
    decided = rules.decide(await _locked(tx, id_), to, by, why, _now(tx))
    await _save(tx, decided)
    return decided


async def use(tx: Transaction, deed: Deed) -> None:
    """Note that what was approved is done; what needed nobody's word leaves nothing."""
    known = await store.open_of(tx.connection, tx.cell, deed)
    if known is not None:
        await _save(tx, rules.apply(known, _now(tx)))


async def set_limit(tx: Transaction, wanted: Limit) -> Token | None:
    """Set or lift a limit; to let more through takes two people. None when it was so already."""
    rules.check_limit(wanted)
    known = await store.threshold(tx.connection, wanted.kind, wanted.scope)
    if rules.loosens(known, wanted.above):
        await need(tx, rules.of_limit(wanted))
    version = await store.put_threshold(tx.connection, wanted)
    if version is None:
        return None
    body = LimitSet(kind=wanted.kind, scope=wanted.scope, above=wanted.above)
    return await tx.append([Fact(LIMIT_SET, f"limit/{wanted.kind}/{wanted.scope}", version, body)])


async def expire_over(tx: Transaction, now: datetime) -> int:
    """End what nobody decided or used in time; returns how many."""
    over = await store.over(tx.connection, tx.cell, now, APPROVALS_EXPIRED_MAX)
    for id_ in over:
        one = await _locked(tx, id_)
        if rules.is_over(one, now):
            await _save(tx, rules.expire(one))
    return len(over)


async def note_changes(tx: Transaction, events: Sequence[Event]) -> None:
    """React to changes of financial terms: keep each."""
    await store.put_changes(tx.connection, tx.cell, events)


async def _locked(tx: Transaction, id_: UUID) -> Approval:
    found = await store.approval(tx.connection, tx.cell, id_, for_update=True)
    if found is None:
        raise NotFoundError(f"There is no approval {id_}.", approval_id=str(id_))
    return found


async def _save(tx: Transaction, one: Approval) -> None:
    await store.move_approval(tx.connection, tx.cell, one)
    await tx.append([_told(one)])


def _told(one: Approval) -> Fact:
    body = ApprovalMoved(**{name: getattr(one, name) for name in ApprovalMoved.__struct_fields__})
    return Fact(APPROVAL_MOVED, f"approval/{one.id}", one.version, body)


def _now(tx: Transaction) -> datetime:
    return utc(stamp_millis(tx.clock.tick()))
