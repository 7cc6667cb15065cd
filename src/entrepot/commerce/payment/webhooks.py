"""The inbox: webhooks of gateways, checked on their raw bytes, taken in once, and never believed.

A webhook says that something is new about a payment. What, is read from the gateway.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import NotFoundError
from entrepot.base.limits import INBOX_DAYS, INBOX_PRUNED_PER_RUN_MAX
from entrepot.base.time import Clock, stamp_millis, utc
from entrepot.commerce.payment import commands, settling, store
from entrepot.partners.payment.port import Notice, PaymentGateway
from entrepot.record.transaction import Record

ACTOR = "webhook"

Headers: TypeAlias = Mapping[str, str]
Resume: TypeAlias = Callable[[UUID], Awaitable[object]]


class Handled(Struct, frozen=True, kw_only=True):
    """A webhook that was taken in; ``repeated`` when its work had been done before."""

    event_id: str
    kind: str
    repeated: bool = False


async def handle_webhook(
    record: Record, gateway: PaymentGateway, cell: int, headers: Headers, body: bytes, resume: Resume | None = None
) -> Handled:
    """Take a webhook in and do its work; one that is forged, late or replayed is refused, one that came before is done.

    ``resume`` is called with the id of a checkout whose payment has news before there is an order: its challenge was answered.
    """
    now = stamp_millis(record.clock.tick())
    notice = gateway.read_webhook(headers, body, now)
    async with record.committing() as connection:
        done = await store.take_in(connection, cell, gateway.name, notice.event_id, notice.kind, utc(now))
    if done:
        return Handled(event_id=notice.event_id, kind=notice.kind, repeated=True)
    await _work(record, gateway, cell, notice, resume)
    async with record.committing() as connection:
        await store.mark_done(connection, cell, gateway.name, notice.event_id, utc(now))
    return Handled(event_id=notice.event_id, kind=notice.kind)


async def prune_inbox(record: Record, cell: int, clock: Clock) -> int:
    """Forget webhooks of which no gateway sends a repetition any more, so many at a time; returns how many."""
    before = utc(clock.millis()) - timedelta(days=INBOX_DAYS)
    async with record.committing() as connection:
        return await store.prune_inbox(connection, cell, before, INBOX_PRUNED_PER_RUN_MAX)


async def _work(record: Record, gateway: PaymentGateway, cell: int, notice: Notice, resume: Resume | None) -> None:
    """Read what a notice is about from the gateway and note it; a payment that we do not have yet is a checkout's."""
    if not notice.payment_id:
        await settling.book_payouts(record, gateway, cell)
        return
    payment = await gateway.payment(notice.payment_id)
    if payment is None:
        raise NotFoundError(f"The gateway {gateway.name} knows no payment {notice.payment_id}.", payment_id=notice.payment_id)
    if notice.dispute_id:
        told = await gateway.dispute(notice.dispute_id)
        if told is None or told.payment_id != payment.id:
            raise NotFoundError(
                f"Payment {notice.payment_id} has no dispute {notice.dispute_id}.", dispute_id=notice.dispute_id
            )
        async with record.transaction(cell, ACTOR) as tx:
            await commands.put_dispute(tx, payment.reference, told)
        return
    async with record.reading() as connection:
        known = await store.payment(connection, cell, payment.reference)
    if known is None and resume is not None:
        await resume(payment.reference)
