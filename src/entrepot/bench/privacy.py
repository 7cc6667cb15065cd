"""How long a person of 1,000 orders takes to export, and to forget over all engines with the search and its certificate.

The orders are placed by the hot path, their contacts sealed beside them; projections, jobs and reactions run in this process.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import json, structs

from entrepot.app import App, opened, prepare, privacy_of
from entrepot.bench import BenchError, Row
from entrepot.bench.promotions import BUYER
from entrepot.bench.shop import article_order, open_shop
from entrepot.bench.targets import ERASURE_SECONDS, EXPORT_SECONDS
from entrepot.commerce.checkout.held import CONTACT
from entrepot.commerce.people import commands
from entrepot.duties import keep_up
from entrepot.privacy.certificate import certificate_of
from entrepot.record.named import queries
from entrepot.settings import Settings

SQL = queries(__package__, "privacy.sql")

ORDERS = 1_000
AT_ONCE = 100
ARTICLES = 10


async def run(settings: Settings) -> list[Row]:
    """Measure and return the rows."""
    await prepare(settings)
    async with opened(settings) as app:
        work = asyncio.create_task(keep_up(app))
        try:
            return await _rows(app)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


async def _rows(app: App) -> list[Row]:
    person_id = await _settle(app)
    began = time.perf_counter()
    archive = await privacy_of(app).exporter.export([person_id])
    exported = time.perf_counter() - began
    asked = await privacy_of(app).erasing.ask(str(person_id), "bench", timedelta(0))
    began = time.perf_counter()
    done = await privacy_of(app).erasing.finish(asked.id)
    erased = time.perf_counter() - began
    async with app.record.reading() as connection:
        certificate = (await certificate_of(connection, app.settings.cell, person_id)).certificate
    if done.state != "certified":
        raise BenchError(f"The erasure is {done.state}: {[one.source for one in certificate.sources if one.findings]}.")
    searched = sum(one.bytes for one in certificate.sources)
    return [
        Row(name=f"export of {ORDERS:,} orders", value=exported, unit="s", target=EXPORT_SECONDS,
            met=exported <= EXPORT_SECONDS),
        Row(name="the archive", value=len(archive) / 1e6, unit="MB"),
        Row(name=f"erasure of {ORDERS:,} orders, certified", value=erased, unit="s", target=ERASURE_SECONDS,
            met=erased <= ERASURE_SECONDS),
        Row(name="of it the search", value=certificate.seconds, unit="s"),
        Row(name="what was searched", value=searched / 1e6, unit="MB"),
    ]  # fmt: skip


async def _settle(app: App) -> UUID:
    """Let somebody have ordered, and wait until every projection knows."""
    await open_shop(app.record, ARTICLES)
    cell, now = app.settings.cell, datetime.now(UTC)
    who = structs.replace(BUYER, email=f"{app.record.ids.fresh()}@bench.example", name=f"Buyer {app.record.ids.fresh()}")
    async with app.record.transaction(cell) as tx:
        person_id = await commands.add_person(tx, app.sealing, who.email, [], now)
    orders, token = [], None
    for first in range(0, ORDERS, AT_ONCE):
        asked = [structs.replace(article_order(n % ARTICLES), customer_id=person_id) for n in range(first, first + AT_ONCE)]
        placed = await asyncio.gather(*(app.gatherer.place(str(app.record.ids.fresh()), one) for one in asked))
        orders += [one.order_id for one in placed]
        token = max((one.token for one in placed), key=lambda one: one.position)
    text = json.encode(who).decode()
    sealed = await app.sealing.seal_many([(person_id, {CONTACT: text})] * ORDERS)
    async with app.record.committing() as connection:
        await connection.execute(SQL["add_contacts"], cell, orders, person_id, [one[CONTACT] for one in sealed])
    assert token is not None
    for projection in app.projections:
        await app.live.wait_for(projection.name, token, 60.0)
    return person_id
