"""What a process does beside answering: projections, jobs, reactions, and room for what comes."""

import asyncio
import socket
from functools import partial
from pathlib import Path

import structlog

from entrepot.app import App, mail_of, make_room, privacy_of, publisher
from entrepot.audit.archiving import Left, archive_entries
from entrepot.audit.linking import link_new
from entrepot.base import limits
from entrepot.base.errors import EngineAwayError
from entrepot.base.time import SystemClock
from entrepot.commerce.aftersale.carrying import follow_parcels, forget_webhooks
from entrepot.commerce.aftersale.commands import give_up_unused
from entrepot.commerce.aftersale.exchange import settle_placed
from entrepot.commerce.aftersale.planning import plan_placed
from entrepot.commerce.business.purchasing import Purchasing
from entrepot.commerce.ordering.events import ORDER_PLACED
from entrepot.commerce.payment.events import PAYMENT_CAPTURED
from entrepot.commerce.payment.operations import finish_operations
from entrepot.commerce.payment.settling import book_payouts
from entrepot.commerce.payment.webhooks import prune_inbox
from entrepot.commerce.people.events import SESSIONS_ENDED
from entrepot.commerce.stock.commands import watch_stock
from entrepot.commerce.stock.events import STOCK_CHANGED
from entrepot.commerce.subscription.renewing import Renewals
from entrepot.engines import products
from entrepot.engines.spool import Spool
from entrepot.jobs.abandoned import announce_abandoned
from entrepot.jobs.approvals import expire_over
from entrepot.jobs.digital import HANDING_OUT, hand_out_waiting
from entrepot.jobs.financial import FINANCIAL_CHANGES
from entrepot.jobs.invoicing import expire_negotiations, invoicing, mark_overdue
from entrepot.jobs.labels import drop_old_labels
from entrepot.jobs.letters import forget_what_is_over, send_letters
from entrepot.jobs.old_keys import OldKeys
from entrepot.jobs.payouts import pay_sellers
from entrepot.jobs.reaction import Reaction
from entrepot.jobs.renewals import announce_coming, renew_due
from entrepot.jobs.runner import Job, Runner
from entrepot.jobs.sellers import SELLER_ORDERS
from entrepot.jobs.service_pulse import ServicePulse
from entrepot.jobs.webhooks import tell_subscribers
from entrepot.log.archive import Moved, archive_passed
from entrepot.log.projector import Projector
from entrepot.log.reader import LogReader
from entrepot.log.streamed import StreamedLog
from entrepot.moving.series import FollowedSeries
from entrepot.partners.payout.own import OwnBank
from entrepot.privacy.erasing import whose_is_restricted
from entrepot.privacy.scanner import Scanner
from entrepot.privacy.subjects import find_guests
from entrepot.privacy.watching import watch_cards
from entrepot.record.transaction import open_record

log = structlog.get_logger()


async def keep_up(app: App) -> None:
    """Write this process's share of the projections, do its jobs, and keep room for what comes, until cancelled."""
    name = f"{socket.gethostname()}/{app.record.ids.fresh()}"
    streamed = streamed_log(app)
    projector = Projector(
        app.record,
        app.bell,
        app.subscriptions,
        cells=(app.settings.cell,),
        archived=app.archived,
        streamed={app.settings.cell: streamed} if streamed else None,
        holder=name,
    )
    pulses = service_pulse(app)
    runner = Runner(
        app.record,
        app.bell,
        app.settings.cell,
        name,
        jobs=[*jobs(app), *(each.job() for each in pulses)],
        reactions=[*reactions(app), *(each.reaction() for each in pulses)],
        archived=app.archived,
    )
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(projector.run())
            group.create_task(runner.run())
            group.create_task(_keep_room(app))
    finally:
        for each in pulses:
            await each.close()
        if streamed:
            await streamed.close()


def jobs(app: App) -> list[Job]:
    """Return what is to be done every so often."""
    record, cell, clock, desk = app.record, app.settings.cell, SystemClock(), privacy_of(app)
    reader = LogReader(record, app.archived)
    return [
        Job(name="webhooks", seconds=None, act=partial(tell_subscribers, record, reader, app.sender, cell, clock)),
        Job(name="checkouts", seconds=limits.CHECKOUT_RECOVER_SECONDS, act=app.checkouts.recover),
        Job(name="payment_operations", seconds=2.0, act=partial(finish_operations, record, app.gateway, cell)),
        Job(name="parcels", seconds=10.0, act=partial(follow_parcels, record, app.carriers, cell, clock)),
        Job(name="parcel_inbox", seconds=60.0, act=partial(forget_webhooks, record, cell, clock)),
        Job(name="old_labels", seconds=3600.0, act=partial(drop_old_labels, app.stores.objects, cell, clock)),
        Job(name="payment_inbox", seconds=60.0, act=partial(prune_inbox, record, cell, clock)),
        Job(name="payouts", seconds=60.0, act=partial(book_payouts, record, app.gateway, cell)),
        Job(
            name="seller_payouts",
            seconds=60.0,
            act=partial(pay_sellers, record, OwnBank(Path(app.settings.home) / "payouts"), cell, clock),
        ),
        Job(name="waiting_licences", seconds=10.0, act=partial(hand_out_waiting, record, cell)),
        Job(
            name="abandoned_carts",
            seconds=60.0,
            act=partial(announce_abandoned, record, app.drawer, cell, clock, whose_is_restricted),
        ),
        Job(name="renewals", seconds=30.0, act=partial(renew_due, record, cell, Renewals(record, cell, app.checkouts), clock)),
        Job(name="coming_renewals", seconds=300.0, act=partial(announce_coming, record, cell, clock)),
        Job(name="purchases", seconds=30.0, act=Purchasing(record, cell, app.checkouts).order_waiting),
        Job(name="negotiations", seconds=60.0, act=partial(expire_negotiations, record, cell, clock)),
        Job(
            name="letters",
            seconds=None,
            act=partial(send_letters, record, app.sealing, mail_of(app.settings), cell, clock, app.settings.site),
        ),
        Job(name="people_over", seconds=300.0, act=partial(forget_what_is_over, record, cell, clock)),
        Job(name="erasures", seconds=60.0, act=desk.erasing.run_due),
        Job(name="retention", seconds=limits.RETENTION_SECONDS, act=desk.retention.run_due),
        Job(name="overdue_invoices", seconds=300.0, act=partial(mark_overdue, record, cell, clock)),
        Job(name="audit_links", seconds=limits.AUDIT_LINK_SECONDS, act=partial(link_new, record, cell)),
        Job(name="audit_roots", seconds=limits.AUDIT_ROOT_SECONDS, act=publisher(app).publish),
        Job(
            name="card_scan",
            seconds=300.0,
            act=partial(watch_cards, record, Scanner(app.settings, app.stores.places.moved), clock),
        ),
        Job(name="approvals", seconds=60.0, act=partial(expire_over, record, cell, clock)),
        Job(name="old_keys", seconds=60.0, act=OldKeys(record, cell, clock).forget),
    ]


def reactions(app: App) -> list[Reaction]:
    """Return what is to be done when something has happened."""
    return [
        Reaction(name="low_stock", kinds=frozenset({STOCK_CHANGED}), react=watch_stock),
        Reaction(name="shipments", kinds=frozenset({ORDER_PLACED}), react=plan_placed),
        SELLER_ORDERS,
        Reaction(name="exchanges", kinds=frozenset({ORDER_PLACED}), react=settle_placed),
        HANDING_OUT,
        invoicing(SystemClock()),
        Reaction(name="ended_sessions", kinds=frozenset({SESSIONS_ENDED}), react=app.people.sessions.forget),
        Reaction(name="guests", kinds=frozenset({ORDER_PLACED}), react=partial(find_guests, app.sealing), from_start=True),
        FINANCIAL_CHANGES,
        Reaction(name="unused_promises", kinds=frozenset({PAYMENT_CAPTURED}), react=give_up_unused),
    ]


def streamed_log(app: App) -> StreamedLog | None:
    """Return the log as it was relayed, where projectors shall read that."""
    if app.settings.projectors_read != "stream":
        return None
    kinds = frozenset().union(*(each.projection.kinds for each in app.subscriptions))
    source = partial(products.source, app.settings.engines.stream)
    return StreamedLog(app.record, app.bell, LogReader(app.record, app.archived), source, app.settings.cell, kinds)


def service_pulse(app: App) -> list[ServicePulse]:
    """Return who keeps the pulse, where a series engine is named: none is embedded."""
    if not app.settings.engines.series:
        return []
    spool = Spool(app.settings.pulse_folder, app.record.ids)
    return [ServicePulse(FollowedSeries(app.record, app.stores.places), spool, SystemClock())]


async def archive(app: App) -> list[Moved]:
    """Move every partition of the log that all projections have passed to object storage; return what was moved."""
    async with await open_record(app.settings.engines.owner, connections=1) as owner:
        return await archive_passed(owner, app.stores.objects, SystemClock())


async def archive_audit(app: App) -> list[Left]:
    """Move entries of long ago to object storage, and retire those whose time is over; return what was done."""
    async with await open_record(app.settings.engines.owner, connections=1) as owner:
        return await archive_entries(owner, app.stores.objects, SystemClock())


async def _keep_room(app: App) -> None:
    """Make room for what comes and archive what all have passed, every hour; what fails now is tried again in the next."""

    async def room() -> None:
        async with await open_record(app.settings.engines.owner, connections=1) as owner:
            await make_room(owner)

    while True:
        for work in (room, lambda: archive(app), lambda: archive_audit(app)):
            try:
                await work()
            except Exception as error:  # an engine is away, a disk is full: no reason for the projections to stop
                log.warning("room.not_kept", why=str(error), exc_info=not isinstance(error, EngineAwayError))
        await asyncio.sleep(limits.ROOM_SECONDS)
