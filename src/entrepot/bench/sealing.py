"""What sealing costs: a contact of an order sealed and opened, beside the same contact written and read plain as JSON.

Keys are made in a database of its own, which goes away with them.
"""

import time
from collections.abc import Callable
from uuid import UUID

import msgspec
from msgspec import structs

from entrepot.app import keys_of
from entrepot.base.ids import IdSource
from entrepot.bench import Row
from entrepot.bench.orders import own_database, owned
from entrepot.bench.promotions import BUYER
from entrepot.bench.targets import SEALED_ORDER_MILLIS, SEALED_READ_MICROS
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.checkout.held import CONTACT
from entrepot.sealing.sealing import Sealing, open_sealing
from entrepot.settings import Settings

ROUNDS = 20_000
SUBJECTS = 300
BATCHES = 10


async def run(settings: Settings) -> list[Row]:
    """Measure and return the rows."""
    ids = IdSource()
    async with own_database(settings) as url:
        own = structs.replace(
            settings, engines=structs.replace(settings.engines, record=url, record_owner=owned(settings, url))
        )
        async with await open_sealing(url, keys_of(own)) as seals:
            return await _rows(own, seals, [[ids.fresh() for _ in range(SUBJECTS)] for _ in range(BATCHES)])


async def _rows(settings: Settings, seals: Sealing, batches: list[list[UUID]]) -> list[Row]:
    plain = msgspec.json.encode(BUYER).decode()
    began = time.perf_counter()
    sealed = [await seals.seal_many([(subject, {CONTACT: plain}) for subject in batch]) for batch in batches]
    fresh = (time.perf_counter() - began) / (BATCHES * SUBJECTS)
    subject, one = batches[0][0], sealed[0][0]
    began = time.perf_counter()
    for _ in range(ROUNDS):
        await seals.seal(subject, {CONTACT: plain})
    seal = (time.perf_counter() - began) / ROUNDS
    began = time.perf_counter()
    for _ in range(ROUNDS):
        await seals.unseal(subject, one)
    unseal = (time.perf_counter() - began) / ROUNDS
    async with await open_sealing(settings.engines.record, keys_of(settings)) as cold:
        began = time.perf_counter()
        for batch, values in zip(batches, sealed, strict=True):
            await cold.unseal_many(list(zip(batch, values, strict=True)))
        asked = (time.perf_counter() - began) / (BATCHES * SUBJECTS)
    blind = _each(lambda: seals.blind(CONTACT, BUYER.email))
    micros = 1e6
    return [
        Row(name="a contact read sealed, its key at hand", value=unseal * micros, unit="µs", target=SEALED_READ_MICROS,
            met=unseal * micros <= SEALED_READ_MICROS),
        Row(name="the same read plain", value=_each(lambda: msgspec.json.decode(plain, type=Contact)) * micros, unit="µs"),
        Row(name=f"a contact read sealed, keys asked for by {SUBJECTS}", value=asked * micros, unit="µs"),
        Row(name="a contact sealed, its key at hand", value=seal * micros, unit="µs"),
        Row(name=f"a guest's contact sealed, keys made by {SUBJECTS}", value=fresh * 1e3, unit="ms", target=SEALED_ORDER_MILLIS,
            met=fresh * 1e3 <= SEALED_ORDER_MILLIS),
        Row(name="the same written plain", value=_each(lambda: msgspec.json.encode(BUYER)) * micros, unit="µs"),
        Row(name="what an email is found by", value=blind * micros, unit="µs"),
    ]  # fmt: skip


def _each(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(ROUNDS):
        act()
    return (time.perf_counter() - began) / ROUNDS
