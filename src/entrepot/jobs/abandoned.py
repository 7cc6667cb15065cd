"""Tells the log of carts that their buyers have left alone: once each time, however often this job is cut or runs twice."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from entrepot.base.limits import CART_ABANDONED_HOURS, CART_ANNOUNCED_PER_STEP_MAX
from entrepot.base.time import Clock
from entrepot.commerce.cart import rules, state
from entrepot.commerce.cart.commands import announce
from entrepot.commerce.cart.drawer import Drawer
from entrepot.commerce.cart.events import CartAbandoned
from entrepot.record.transaction import Record

HOUR_MILLIS = 3_600_000
ACTOR = "job/abandoned_carts"

Restricted = Callable[[Record, Sequence[UUID]], Awaitable[set[UUID]]]


async def nobody_restricted(_record: Record, _subjects: Sequence[UUID]) -> set[UUID]:
    """Return that everybody's data may be used."""
    return set()


async def announce_abandoned(
    record: Record, drawer: Drawer, cell: int, clock: Clock, restricted: Restricted = nobody_restricted
) -> int:
    """Tell of every cart idle for hours and not told of yet; returns how many were told of.

    ``restricted`` says whose data may be used for nothing: their carts are told of to nobody.
    """
    before, told = clock.millis() - CART_ABANDONED_HOURS * HOUR_MILLIS, 0
    while idle := await drawer.idle(before, CART_ANNOUNCED_PER_STEP_MAX):
        found = [one for name, touched in idle if (one := await _abandoned(drawer, name, touched))]
        frozen = await restricted(record, [one.customer_id for one in found if one.customer_id is not None])
        found = [one for one in found if one.customer_id not in frozen]
        if found:
            async with record.transaction(cell, ACTOR) as tx:
                told += await announce(tx, found)
        # Dismissed after the commit: a crash between the two finds them again, and the log already told.
        await drawer.dismiss(idle)
    return told


async def _abandoned(drawer: Drawer, name: str, touched: int) -> CartAbandoned | None:
    kept = await drawer.load(name)
    return None if kept is None else rules.abandonment(name, state.decode(kept), touched)
