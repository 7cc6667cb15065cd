"""What security costs: the hot path with row-level security, with an audit entry for each order and its contact sealed too, and
without, in turns; and what else a request pays for it: a session checked, a password compared, a sealed field read.

Everything happens in a database of its own on the same server, which is dropped afterwards.
"""

import statistics
import time

import msgspec
from msgspec import structs

from entrepot.app import keys_of, open_people_of
from entrepot.bench import Row, sealing
from entrepot.bench.audit import Seal, orders_per_second
from entrepot.bench.key import bench_key
from entrepot.bench.orders import ARTICLES, own_database, owned
from entrepot.bench.promotions import BUYER
from entrepot.bench.shop import open_shop
from entrepot.bench.targets import SECURITY_ORDERS_LOST, SESSION_CHECK_MILLIS, SIGN_IN_CPU_MILLIS
from entrepot.commerce.checkout.held import CONTACT
from entrepot.commerce.people.passwords import Passwords
from entrepot.record.named import queries
from entrepot.record.transaction import Record, open_record
from entrepot.sealing.sealing import Sealing, open_sealing
from entrepot.settings import Settings

SQL = queries("entrepot.bench", "security.sql")

ROUNDS = 3
CHECKS = 5_000
HASHES = 5
CUSTOMERS = 1_000


async def run(settings: Settings) -> list[Row]:
    """Measure and return the rows."""
    async with own_database(settings) as url:
        engines = structs.replace(settings.engines, record=url, record_owner=owned(settings, url), record_tenant="")
        own = structs.replace(settings, engines=engines)
        rows = [*await _hot_path(own), await _session(own)]
    return [*rows, await _sign_in(), *(await sealing.run(settings))[:1]]


async def _hot_path(settings: Settings) -> list[Row]:
    off, policies, both, all_three = [], [], [], []
    async with (
        await open_sealing(settings.engines.record, keys_of(settings)) as seals,
        await open_record(settings.engines.record) as record,
        await open_record(settings.engines.owner, connections=1) as owner,
        owner.committing() as switch,
    ):
        await open_shop(record, ARTICLES)
        seal = await _sealing_contacts(record, seals)
        await orders_per_second(record, ROUNDS, audited=False)  # warms up
        for turn in range(ROUNDS):
            await switch.execute(SQL["policies_off"])
            off.append(await orders_per_second(record, turn, audited=False))
            await switch.execute(SQL["policies_on"])
            policies.append(await orders_per_second(record, ROUNDS + 1 + turn, audited=False))
            both.append(await orders_per_second(record, turn, audited=True))
            all_three.append(await orders_per_second(record, ROUNDS + 1 + turn, audited=True, seal=seal))
    without, kept, noted, sealed = (statistics.median(seen) for seen in (off, policies, both, all_three))
    lost, most = 1 - kept / without, SECURITY_ORDERS_LOST
    return [
        Row(name="orders, no policies and no audit", value=without, unit="orders/s"),
        Row(name="orders, row-level security", value=kept, unit="orders/s", reference=without, ratio=kept / without),
        Row(name="lost by row-level security", value=lost, unit="", target=most, met=lost < most),
        Row(name="orders, audited too", value=noted, unit="orders/s", reference=without, ratio=noted / without),
        Row(name="lost by both", value=1 - noted / without, unit="", target=most, met=1 - noted / without < most),
        Row(name="orders, contacts sealed too", value=sealed, unit="orders/s", reference=without, ratio=sealed / without),
        Row(name="lost by all three", value=1 - sealed / without, unit="", target=most, met=1 - sealed / without < most),
    ]


async def _sealing_contacts(record: Record, seals: Sealing) -> Seal:
    """Return what seals the contact of the n-th order under the key of its customer, who has one: guests' are made beside."""
    customers, text = [record.ids.fresh() for _ in range(CUSTOMERS)], msgspec.json.encode(BUYER).decode()
    await seals.seal_many([(one, {CONTACT: text}) for one in customers])

    async def seal(n: int) -> object:
        return await seals.seal(customers[n % CUSTOMERS], {CONTACT: text})

    return seal


async def _session(settings: Settings) -> Row:
    """Check one key, as every request with a token does."""
    async with (
        bench_key(settings) as key,
        await open_sealing(settings.engines.record, keys_of(settings)) as seals,
        await open_record(settings.engines.record, connections=2, seals=seals) as record,
        open_people_of(settings, record, seals) as people,
    ):
        taken = []
        for _ in range(CHECKS):
            began = time.perf_counter()
            await people.sessions.check(key)
            taken.append((time.perf_counter() - began) * 1_000)
    p50 = statistics.median(taken)
    return Row(name="a token checked, p50", value=p50, unit="ms", target=SESSION_CHECK_MILLIS, met=p50 <= SESSION_CHECK_MILLIS)


async def _sign_in() -> Row:
    passwords = Passwords()
    await passwords.open()
    kept = await passwords.hash("correct horse battery staple")
    began = time.process_time()
    for _ in range(HASHES):
        await passwords.matches("correct horse battery staple", kept)
    millis = (time.process_time() - began) / HASHES * 1_000
    await passwords.close()
    name = "a password compared, CPU"
    return Row(name=name, value=millis, unit="ms", target=SIGN_IN_CPU_MILLIS, met=millis <= SIGN_IN_CPU_MILLIS)
