"""Measures the products of the roles that are asked for: the embedded one as the reference, and those that are given by URL.

The embedded engine is one of the bench's own, on empty data, one role after the other. A given one is written to, under names
of the bench's own. A product that was not given has a row that says so, with the command that fills it.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec import Struct, structs

from entrepot.base.errors import BadInputError
from entrepot.base.redaction import redact
from entrepot.bench import Row, icecat, targets
from entrepot.bench.engines import matrix, relaying
from entrepot.bench.engines.figures import Subject, command, figures
from entrepot.bench.engines.filling import Place, filled, opened_work
from entrepot.bench.engines.measure import measure
from entrepot.engines.products import PRODUCTS, product
from entrepot.local import control
from entrepot.local.ping import ping
from entrepot.settings import SCHEMES, Engines, Settings

ROLES = ("documents", "search", "columns", "graph", "memory", "series", "stream")
SHARE_MIN = 0.01
# Which embedded engine plays a role, and in which folder of its home; none does the stream.
EMBEDDED: Mapping[str, str] = {
    "documents": "record",
    "search": "search",
    "columns": "columns",
    "graph": "graph",
    "memory": "memory",
    "series": "columns",
}


class Asked(Struct, frozen=True, kw_only=True):
    """What to measure: roles, and products by role and URL, with the folder of their data; ``kill``: and how they come back."""

    roles: Sequence[str]
    products: Sequence[tuple[str, str]] = ()
    folders: Mapping[str, Path] = {}
    kill: bool = False
    share: float = 1.0
    write: bool = False


def asked(
    roles: Sequence[str] | None,
    products: Sequence[str] | None,
    folders: Sequence[str] | None,
    *,
    share: float,
    kill: bool,
    write: bool,
) -> Asked:
    """Read what a command line asks for; refuses what cannot be measured before anything is started."""
    given = [_pair(one, "--product search=elasticsearch://...") for one in products or ()]
    for role, url in given:
        product(role, url)
    wanted = tuple(roles or dict.fromkeys(role for role, _ in given) or ROLES)
    if unknown := [role for role in wanted if role not in ROLES]:
        raise BadInputError(f"There is nothing to measure of the role {unknown[0]!r}: {', '.join(ROLES)}.")
    if left := [role for role, _ in given if role not in wanted]:
        raise BadInputError(f"A product of {left[0]} was given, and --role leaves that role out: name it too.")
    if not SHARE_MIN <= share <= 1:
        raise BadInputError(f"A share of {share} is not possible: give one from {SHARE_MIN} to 1.")
    places = {role: Path(place) for role, place in (_pair(one, "--folder search=/var/lib/...") for one in folders or ())}
    return Asked(roles=wanted, products=given, folders=places, share=share, kill=kill, write=write)


def _pair(text: str, example: str) -> tuple[str, str]:
    role, equals, value = text.partition("=")
    if not (role and equals and value):
        raise BadInputError(f"{redact(text)!r} names no role and value: give them as in {example}.")
    return role, value


async def run(settings: Settings, asked: Asked) -> list[Row]:
    """Measure what is asked for, write it into the matrix if that is asked for too, and return the rows."""
    began = os.getloadavg()[0]
    found = await subjects(settings, asked)
    if asked.write:
        matrix.write(found, datetime.now(UTC).date(), (began, os.getloadavg()[0]))
    return rows(found)


async def subjects(settings: Settings, asked: Asked) -> list[Subject]:
    """Measure what is asked for and return every product of its roles, the embedded one first."""
    data = str(icecat.folder(settings)) if {"documents", "search"} & set(asked.roles) else ""
    found: list[Subject] = []
    for role in asked.roles:
        given = [Place(role, url, asked.share, data) for one, url in asked.products if one == role]
        if role in EMBEDDED:
            async with _embedded(role) as (url, folder):
                found.append(await _measured(Place(role, url, asked.share, data), folder, kill=asked.kill, embedded=True))
        for place in given:
            async with _with_log(place) as place_:
                found.append(await _measured(place_, asked.folders.get(role), kill=asked.kill, embedded=False))
        known = {one.name for one in found if one.role == role}
        found += [Subject(role=role, name=one.name) for one in PRODUCTS if one.role == role and one.name not in known]
    return found


async def _measured(place: Place, folder: Path | None, *, kill: bool, embedded: bool) -> Subject:
    role, url = place.role, place.url
    version = "" if role == "stream" else await ping(role, url)  # a broker has no way to tell its own
    async with opened_work(place) as work:
        measured = await measure(work, partial(filled, place), url, folder, kill=kill)
    return Subject(role=role, name=product(role, url).name, version=version, embedded=embedded, measured=measured)


@asynccontextmanager
async def _embedded(role: str) -> AsyncIterator[tuple[str, Path]]:
    """Run the embedded engine of a role on empty data; gives its URL and its folder."""
    engine = EMBEDDED[role]
    async with _own(role, engine) as started:
        url = started.engines.columns if role == "series" else getattr(started.engines, role)
        yield url, started.home / engine


@asynccontextmanager
async def _with_log(place: Place) -> AsyncIterator[Place]:
    """Give a stream topics of its own, and beside it a record with a log to relay; any other role as it is."""
    if place.role != "stream":
        yield place
        return
    async with _own("record") as started:
        events = await relaying.write_log(started.engines, place.share)
        url = relaying.own_topics(place.url)
        yield structs.replace(place, url=url, record=started.engines.record, events=events)


@asynccontextmanager
async def _own(*wanted: str) -> AsyncIterator[Settings]:
    """Run embedded engines on empty data until the block ends."""
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as folder:
        await asyncio.to_thread(Path(folder).chmod, 0o755)  # the database server's own user must reach it
        empty = Settings(home=Path(folder), engines=Engines())
        try:
            yield await control.start(empty, [one for one in SCHEMES if one not in wanted])
        finally:
            await control.stop(empty)


def rows(found: Sequence[Subject]) -> list[Row]:
    """Return a row for each figure, beside the embedded engine's of the same run, and one for each product without figures."""
    made: list[Row] = []
    references: dict[tuple[str, str], float] = {}
    for one in found:
        if one.measured is None:
            made.append(Row(name=f"{one.role}: {one.name}", note=f"not measured: {command(one)}"))
            continue
        for name, unit, value in figures(one.measured):
            reference = references.get((one.role, name))
            if one.embedded:
                references[one.role, name] = value
            target, met = targets.met_by_engine(one.name, name, value)
            ratio = value / reference if reference else None
            label = f"{one.role}: {one.name}, {name}"
            made.append(Row(name=label, value=value, unit=unit, reference=reference, ratio=ratio, target=target, met=met))
    return made
