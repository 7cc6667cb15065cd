"""The composition root: the only file that joins rooms. It opens what a process needs and closes it in the reverse order."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import structlog
from msgspec import Struct

from entrepot.audit.archived import ArchivedRows
from entrepot.audit.commands import Auditor
from entrepot.audit.publishing import Publisher
from entrepot.audit.roots import Roots
from entrepot.audit.rows import Rows
from entrepot.audit.signing import Signer
from entrepot.audit.store import ensure_partitions as ensure_audit_partitions
from entrepot.audit.verify import Verifier as AuditVerifier
from entrepot.base import limits
from entrepot.base.breaker import Breaker, guarded
from entrepot.base.engine_limits import DOUBT_SHARE, RECORD_PROBE_TIMES
from entrepot.base.errors import NotFoundError
from entrepot.base.projection import Projection
from entrepot.base.time import SystemClock, utc
from entrepot.behaviour import table as behaviour
from entrepot.commerce.approval.migrating import migrate_with_word
from entrepot.commerce.approval.production import refuse_at
from entrepot.commerce.cart.commands import Carts
from entrepot.commerce.checkout.gather import Gatherer
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.checkout.store import ensure_room
from entrepot.commerce.people import residence
from entrepot.commerce.people.people import People, open_people
from entrepot.commerce.webhook.rules import reachable
from entrepot.engines.columns.clickhouse_rows import ClickHouseRows
from entrepot.engines.memory.redis_cache import RedisCache
from entrepot.engines.memory.redis_drawer import RedisDrawer
from entrepot.engines.objects.port import LockedObjects
from entrepot.engines.objects.s3 import S3Objects
from entrepot.engines.objects.s3_locked import S3Locked
from entrepot.engines.spool import Spool
from entrepot.log.archive import ensure_partitions
from entrepot.log.archived import ArchivedLog
from entrepot.log.bell import Bell
from entrepot.log.live import LiveTargets
from entrepot.log.projector import Subscription
from entrepot.moving.readers import beside, breakers_of, needed, open_readers
from entrepot.moving.stores import Stores, open_stores
from entrepot.partners.carrier.own import OwnCarrier
from entrepot.partners.carrier.port import Carrier
from entrepot.partners.identity.oidc import OidcProvider
from entrepot.partners.keys.choice import key_provider
from entrepot.partners.keys.port import KeyProvider
from entrepot.partners.mail.files import FileMail
from entrepot.partners.mail.port import Mail
from entrepot.partners.mail.smtp import SmtpMail
from entrepot.partners.payment.port import GatewayAwayError, PaymentGateway
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.subscriber.http import HttpSender
from entrepot.partners.tax.regional import RegionalTax
from entrepot.privacy.certificate import Certifier
from entrepot.privacy.copies import Copies
from entrepot.privacy.desk import PrivacyDesk
from entrepot.privacy.erasing import Erasing
from entrepot.privacy.exporting import Exporter
from entrepot.privacy.retention import Retention
from entrepot.privacy.scanner import Scanner
from entrepot.projections.bought_together.project import BoughtTogether
from entrepot.projections.live_stock.project import LiveStock
from entrepot.projections.product_page.project import ProductPages
from entrepot.projections.product_search.project import ProductSearch
from entrepot.projections.sales_facts.project import SalesFacts
from entrepot.record.probe import Probe
from entrepot.record.replica import open_replica
from entrepot.record.transaction import Record, open_record
from entrepot.record.wake import Waker
from entrepot.sealing.ring import check_ring
from entrepot.sealing.sealing import Sealing, open_sealing
from entrepot.settings import Settings, require

log = structlog.get_logger()

ROLES = ("record", "documents", "memory", "graph", "columns", "objects", "search", "gateway")

# What a payment gateway tells of by webhook: the rest we have asked for ourselves, and know from its answer.
GATEWAY_NEWS = (
    *("challenge.approved", "challenge.refused", "payout.paid"),
    *("dispute.opened", "dispute.evidence_sent", "dispute.won", "dispute.lost"),
)

KEYRING_FILE = "keyring.json"
ROOTS_FILE = "audit-roots.jsonl"


class App(Struct, frozen=True, kw_only=True):
    """What one process of Entrepôt has open; ``readers`` are the ``stores`` for who answers requests, each call bounded."""

    settings: Settings
    record: Record
    sealing: Sealing
    bell: Bell
    stores: Stores
    readers: Stores
    breakers: Mapping[str, Breaker]
    projections: Sequence[Projection]
    subscriptions: Sequence[Subscription]
    live: LiveTargets
    gatherer: Gatherer
    drawer: RedisDrawer
    cache: RedisCache
    carts: Carts
    archived: ArchivedLog
    sender: HttpSender
    gateway: PaymentGateway
    carriers: Mapping[str, Carrier]
    quoting: Quoting
    checkouts: Checkouts
    people: People
    auditor: Auditor


def projections() -> list[Projection]:
    """Return every question the platform answers from an engine."""
    return [ProductPages(), ProductSearch(), SalesFacts(), BoughtTogether(), LiveStock()]


def projection_named(name: str) -> Projection:
    """Return the projection of this name; one that is not there is refused with the names of those that are."""
    known = {one.name: one for one in projections()}
    if name not in known:
        raise NotFoundError(f"There is no projection {name!r}: {', '.join(known)}.", projection=name)
    return known[name]


async def prepare(settings: Settings) -> list[str]:
    """Bring the schema up to date, make room for the coming weeks, and return the migrations that were applied.

    A key-encryption key that does not fit is refused before anything is touched; a record in production takes a word first.
    """
    require(settings, *ROLES)
    async with await open_record(settings.engines.owner, connections=1) as record:
        await check_ring(record, keys_of(settings))
        applied = await migrate_with_word(record, settings.cell, settings.engines.owner)
        await make_room(record)
        async with record.transaction(settings.cell) as tx:
            await residence.settle(tx, settings.region)
    return applied


def keys_of(settings: Settings) -> KeyProvider:
    """Return who keeps the key-encryption key: whom the settings name, or a file of the home."""
    return key_provider(settings.keys or (settings.home.absolute() / KEYRING_FILE).as_uri())


async def make_room(record: Record) -> None:
    """Make the partitions that orders and events of the coming weeks need; called at start and every hour."""
    clock = SystemClock()
    now = utc(clock.millis())
    await ensure_partitions(record, clock)
    async with record.committing() as connection:
        await ensure_room(connection, now - timedelta(days=1), now + timedelta(days=limits.ROOM_DAYS))
        await ensure_audit_partitions(connection, now)


class Closing(Protocol):
    """What gives something back in its end."""

    async def close(self) -> None:
        """Give it back."""
        ...


Part = TypeVar("Part", bound=Closing)


def closed_with(stack: AsyncExitStack, part: Part) -> Part:
    """Return a part that is closed when the stack is."""
    stack.push_async_callback(part.close)
    return part


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[App]:
    """Open everything a process needs, engines included; closes it when the block ends."""
    require(settings, *ROLES)
    async with AsyncExitStack() as stack:
        waker = closed_with(stack, Waker(settings.engines.record))
        sealing = closed_with(stack, await open_sealing(settings.engines.record, keys_of(settings)))
        record = await stack.enter_async_context(await _record(settings, waker, sealing))
        probe = closed_with(stack, Probe(settings.engines.record))
        record.breaker = closed_with(stack, Breaker("record", probe.ask, RECORD_PROBE_TIMES * settings.engine_seconds))
        bell = await stack.enter_async_context(Bell(settings.engines.record))
        stores = await stack.enter_async_context(open_stores(settings, record, sealing))
        every = projections()
        live = await stack.enter_async_context(LiveTargets(record, bell, every, stores.ready))
        breakers = {role: closed_with(stack, one) for role, one in breakers_of(settings, stores, every, live.target).items()}
        gatherer = Gatherer(record, settings.cell)
        gateway = await stack.enter_async_context(payment_gateway(settings))
        quoting = Quoting(RegionalTax(), SystemClock())
        checkouts = Checkouts(record, settings.cell, gateway, quoting)
        stack.push_async_callback(checkouts.close)
        stack.push_async_callback(gatherer.close)
        sender = closed_with(stack, _sender(settings))
        drawer = closed_with(stack, RedisDrawer(settings.engines.memory, f"cart-{settings.cell}"))
        cache = closed_with(stack, RedisCache(settings.engines.memory))
        kept = guarded(drawer, breakers["memory"], needed(settings))
        auditor = closed_with(stack, Auditor(record, settings.cell))
        people = await stack.enter_async_context(open_people_of(settings, record, sealing, breakers["memory"]))
        yield App(
            settings=settings,
            record=record,
            sealing=sealing,
            bell=bell,
            stores=stores,
            readers=await stack.enter_async_context(open_readers(settings, stores, live, every, breakers, cache)),
            breakers={"record": record.breaker, **breakers},
            projections=every,
            subscriptions=[Subscription(one, stores.of(one), stores.shards(one)) for one in every],
            live=live,
            gatherer=gatherer,
            drawer=drawer,
            cache=cache,
            carts=Carts(kept, settings.cell, record.clock, record.ids, sealing),
            archived=ArchivedLog(record, stores.objects, Path(settings.home) / "archive"),
            sender=sender,
            gateway=gateway,
            carriers=carriers(settings),
            quoting=quoting,
            checkouts=checkouts,
            people=people,
            auditor=auditor,
        )


@asynccontextmanager
async def open_people_of(
    settings: Settings, record: Record, sealing: Sealing, memory: Breaker | None = None
) -> AsyncIterator[People]:
    """Open the door, and what stands beside it: a drawer for sessions, and the other providers of identities."""
    async with AsyncExitStack() as stack:
        drawer = RedisDrawer(settings.engines.memory, f"people-{settings.cell}")
        stack.push_async_callback(drawer.close)
        if memory is not None:
            drawer = guarded(drawer, memory, beside(settings))
        providers = {name: OidcProvider(name, url) for name, url in settings.providers.items()}
        for provider in providers.values():
            stack.push_async_callback(provider.close)
        yield await stack.enter_async_context(
            open_people(
                record,
                settings.cell,
                drawer,
                sealing,
                SystemClock(),
                origin=settings.site,
                providers=providers,
                proxies=settings.proxies,
                second_factor=settings.second_factor,
            )
        )


def publisher(app: App) -> Publisher:
    """Return who publishes the roots of the audit's chain: to object storage, and to a file of this machine."""
    signer = Signer(app.record, keys_of(app.settings))
    return Publisher(app.record, app.settings.cell, signer, roots_of(app), Path(app.settings.home) / ROOTS_FILE)


@asynccontextmanager
async def audit_archive(settings: Settings, record: Record) -> AsyncIterator[ArchivedRows]:
    """Open what has left the audit's table for object storage."""
    require(settings, "objects")
    async with AsyncExitStack() as stack:
        objects = closed_with(stack, S3Objects(settings.engines.objects))
        yield ArchivedRows(record, settings.cell, objects)


@asynccontextmanager
async def audit_verifier(settings: Settings, seen: Callable[[int], None]) -> AsyncIterator[AuditVerifier]:
    """Open what proves the audit: the record, the archives, and the place where roots lie; nothing else need run."""
    require(settings, "record", "objects")
    async with AsyncExitStack() as stack:
        record = await stack.enter_async_context(await open_record(settings.engines.record))
        roots = S3Locked(settings.engines.objects)
        stack.push_async_callback(roots.close)
        rows = Rows(record, settings.cell, await stack.enter_async_context(audit_archive(settings, record)))
        yield AuditVerifier(record, settings.cell, rows, Roots(roots, settings.cell, Signer(record, keys_of(settings))), seen)


def roots_of(app: App) -> LockedObjects:
    """Return where roots lie that nobody can change: a bucket of their own, whose objects are locked."""
    return S3Locked(app.settings.engines.objects)


def privacy_of(app: App) -> PrivacyDesk:
    """Return what tells people what is known of them, forgets them, and searches for them afterwards."""
    settings, record, sealing, clock = app.settings, app.record, app.sealing, SystemClock()
    letters = Path(settings.home) / "mail"
    columns, table = app.stores.columns, behaviour_table(app)
    copies = Copies(record, app.live, app.subscriptions, app.drawer, sealing, letters, columns, table)
    certifier = Certifier(record, settings.cell, sealing, clock, Scanner(settings, app.stores.places.moved))
    return PrivacyDesk(
        erasing=Erasing(record, settings.cell, sealing, app.people.sessions, clock, copies, certifier),
        retention=Retention(record, settings.cell, sealing, clock),
        exporter=Exporter(record, settings.cell, sealing, copies, columns, app.live, clock),
    )


def behaviour_table(app: App) -> behaviour.Table:
    """Return the table of what shoppers did, and what waits for it on this machine."""
    settings, made_by = app.settings, behaviour.made_by(app.settings.behaviour_days)
    rows = partial(ClickHouseRows, settings.engines.columns, behaviour.TARGET.name, made_by, behaviour.COLUMNS)
    spool = Spool(settings.behaviour_folder, app.record.ids, behaviour.SPOOL_BYTES_MAX, role="columns")
    return behaviour.Table(rows, spool)


def mail_of(settings: Settings) -> Mail:
    """Return who carries letters: the server that the settings name, else files in ``<home>/mail``."""
    if settings.mail:
        return SmtpMail(settings.mail, settings.mail_from, SystemClock())
    return FileMail(Path(settings.home) / "mail", settings.mail_from, SystemClock())


@asynccontextmanager
async def payment_gateway(settings: Settings) -> AsyncIterator[SandboxGateway]:
    """Open the payment gateway that the settings name; a new vendor is a file in ``partners/payment`` and a line here."""
    gateway = SandboxGateway(settings.engines.gateway)
    try:
        yield gateway
    finally:
        await gateway.close()


def own_carrier(settings: Settings) -> OwnCarrier:
    """Return our own vans, whose parcels lie in ``<home>/parcels``."""
    return OwnCarrier(Path(settings.home) / "parcels", SystemClock())


def carriers(settings: Settings) -> Mapping[str, Carrier]:
    """Return the carriers that can be booked; a new vendor is a file in ``partners/carrier`` and an entry here."""
    return {one.name: one for one in (own_carrier(settings),)}


async def subscribe_to_gateway(app: App) -> None:
    """Tell the sandbox gateway where webhooks go, and of what we do not cause ourselves; a real one is told in its console."""
    if isinstance(app.gateway, SandboxGateway):
        host = app.settings.host.replace("0.0.0.0", "127.0.0.1")  # noqa: S104  # nothing is bound: an address to be called at
        address = f"http://{host}:{app.settings.port}/v1/webhooks/payments/{app.gateway.name}"
        try:
            await app.gateway.subscribe(address, list(GATEWAY_NEWS))
        except GatewayAwayError as error:  # it remembers who subscribed at an earlier start
            log.warning("gateway.not_subscribed", why=str(error))


async def _record(settings: Settings, waker: Waker, sealing: Sealing) -> Record:
    engines, pooler, tenant = settings.engines, settings.pooler, settings.engines.record_tenant
    if settings.demo:
        await refuse_at(engines.record, "demo")
    record = await open_record(engines.record, tenant_url=tenant, pooler=pooler, wake=waker.wake, seals=sealing)
    if engines.record_replica:
        seconds = DOUBT_SHARE * settings.engine_seconds
        record.replica = await open_replica(record.pool, engines.record_replica, tenant, seconds)
    return record


def _sender(settings: Settings) -> HttpSender:
    return HttpSender(partial(reachable, private=settings.webhooks_private or settings.demo), settings.webhooks_to)
