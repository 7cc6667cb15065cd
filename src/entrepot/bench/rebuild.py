"""How long each projection takes to be built anew from the log, beside the live one, on the data that is there."""

import asyncio
import time
from collections.abc import Sequence

from entrepot.app import prepare, projections
from entrepot.base import limits
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.projection import Projection
from entrepot.bench import Row, targets
from entrepot.bench.process import running
from entrepot.log import generations
from entrepot.record.named import queries
from entrepot.record.transaction import Record, open_record
from entrepot.settings import Settings

SQL = queries("entrepot.bench", "rebuild.sql")

BUILD_SECONDS_MAX = 600.0
WHOLE_CATALOGUE = ("product_page", "product_search")


async def run(settings: Settings) -> list[Row]:
    """Rebuild every projection, one after the other, and return how long each took."""
    rows: list[Row] = []
    both = 0.0
    for name, (seconds, events) in (await rebuild_each(settings, projections())).items():
        rows.append(Row(name=f"{name}, rebuilt", value=seconds, unit="s"))
        rows.append(Row(name=f"{name}, read", value=events, unit="events"))
        both += seconds if name in WHOLE_CATALOGUE else 0.0
    target = targets.REBUILD_SECONDS
    rows.append(Row(name="documents and search of the whole catalogue", value=both, unit="s", target=target, met=both < target))
    return rows


async def rebuild_each(settings: Settings, wanted: Sequence[Projection]) -> dict[str, tuple[float, int]]:
    """Rebuild projections one after the other; returns the seconds and the events of each; refuses an empty log."""
    await prepare(settings)
    found: dict[str, tuple[float, int]] = {}
    async with await open_record(settings.engines.record, connections=2) as record:
        async with record.reading() as connection:
            events = {one.name: await connection.fetchval(SQL["events"], list(one.kinds)) for one in wanted}
        if not all(events.values()):
            empty = ", ".join(name for name, count in events.items() if not count)
            raise BadInputError(f"There is nothing in the log for {empty}: bring in orders first, as 'entrepot demo' does.")
        async with running(settings, "project"):
            for projection in wanted:
                began = time.perf_counter()
                number = await generations.rebuild(record, projection)
                await _until_live(record, projection, number)
                found[projection.name] = (time.perf_counter() - began, events[projection.name])
    return found


async def _until_live(record: Record, projection: Projection, number: int) -> None:
    until = time.monotonic() + BUILD_SECONDS_MAX
    while time.monotonic() < until:
        live = await generations.generations(record, [projection.name], ["live"])
        if any(generation.generation >= number for generation in live):
            return
        await asyncio.sleep(limits.POLL_SECONDS)
    raise EngineAwayError(projection.role, f"{projection.name} was not rebuilt within {BUILD_SECONDS_MAX:.0f} s")
