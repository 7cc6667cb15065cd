"""What security costs: the hot path with row-level security, with an audit entry for each order and its contact sealed too, and
without, in turns; and what else a request pays for it: a session checked, a password compared, a sealed field read.

Everything happens in a database of its own on the same server, which is dropped afterwards.
"""

import statistics
import time
from collections.abc import Sequence
from functools import partial

import msgspec
from msgspec import structs

from entrepot.app import keys_of, open_people_of
from entrepot.bench import Row, sealing
from entrepot.bench.audit import link_all, requests_of
from entrepot.bench.hot_path import CUSTOMERS, Mode, cpu_of, in_turns, rows_of
from entrepot.bench.key import bench_key
from entrepot.bench.orders import ARTICLES, Way, own_database, owned
from entrepot.bench.promotions import BUYER
from entrepot.bench.shop import open_shop
from entrepot.bench.targets import SECURITY_ORDERS_LOST, SESSION_CHECK_MILLIS, SIGN_IN_CPU_MILLIS
from entrepot.commerce.checkout.gather import PlacesOrders
from entrepot.commerce.checkout.held import CONTACT
from entrepot.commerce.checkout.place import Answer, Asked, place_orders
from entrepot.commerce.people.passwords import Passwords
from entrepot.record.named import queries
from entrepot.record.transaction import Record, open_record
from entrepot.sealing.sealing import Sealing, open_sealing
from entrepot.settings import Settings

SQL = queries("entrepot.bench", "security.sql")

TURNS = 16
CHECKS = 5_000
HASHES = 5


async def run(settings: Settings) -> list[Row]:
    """Measure and return the rows."""
    async with own_database(settings) as url:
        engines = structs.replace(settings.engines, record=url, record_owner=owned(settings, url), record_tenant="")
        own = structs.replace(settings, engines=engines)
        rows = [*await _hot_path(own), await _session(own)]
    return [*rows, await _sign_in(), *(await sealing.run(settings))[:1]]


async def _hot_path(settings: Settings) -> list[Row]:
    async with (
        await open_sealing(settings.engines.record, keys_of(settings)) as seals,
        await open_record(settings.engines.record) as record,
        await open_record(settings.engines.owner, connections=1) as owner,
        owner.committing() as switch,
    ):
        await open_shop(record, ARTICLES)
        audited, sealed = Way(cause=requests_of(record)), Way(cause=requests_of(record), place=await _sealing_contacts(seals))
        off, on = (partial(switch.execute, SQL[name]) for name in ("policies_off", "policies_on"))
        modes = [
            Mode("nothing on", Way(), off),
            Mode("row-level security", Way(), on),
            Mode("and audited", audited, on),
            Mode("and contacts sealed: all three", sealed, on),
        ]
        compared = await in_turns(record, modes, cpu_of(settings), TURNS)
        return [*rows_of(compared, SECURITY_ORDERS_LOST), *await _linking(record, settings)]


async def _sealing_contacts(seals: Sealing) -> PlacesOrders:
    """Return what places orders as a call of checkouts does: all its contacts are sealed first, by one asking for keys.

    Each is sealed under the key of its customer, who has one: guests' are made beside (``bench sealing``).
    """
    contact = {CONTACT: msgspec.json.encode(BUYER).decode()}
    await seals.seal_many([(one, contact) for one in CUSTOMERS])

    async def place(record: Record, cell: int, asked: Sequence[Asked], actor: str) -> list[Answer]:
        whose = [request.customer_id for _, request, _ in asked]
        sealed = await seals.seal_many([(one, contact) for one in whose if one is not None])
        assert len(sealed) == len(asked)
        return await place_orders(record, cell, asked, actor=actor)

    return place


async def _linking(record: Record, settings: Settings) -> list[Row]:
    """Link what was placed: the chain is no part of an order's way, but of what the audit costs the house later."""
    used = cpu_of(settings)
    before = used()
    linked = await link_all(record)
    return [
        Row(name="chained later: CPU", value=(seconds - before[part]) / linked * 1e6, unit="µs/row", note=part)
        for part, seconds in used().items()
    ]


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
    kept = await passwords.hash("correct horse battery staple")
    await passwords.matches("", kept)  # the first makes what others are compared with, too
    began = time.process_time()
    for _ in range(HASHES):
        await passwords.matches("correct horse battery staple", kept)
    millis = (time.process_time() - began) / HASHES * 1_000
    await passwords.close()
    name = "a password compared, CPU"
    return Row(name=name, value=millis, unit="ms", target=SIGN_IN_CPU_MILLIS, met=millis <= SIGN_IN_CPU_MILLIS)
