"""Searches everything at once: which source by which engine's URL is said here, and nowhere else."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct

from entrepot.privacy.scan import clickhouse, files, influxdb, postgresql, redis, tantivy
from entrepot.privacy.scan.looking import Finding, Looked
from entrepot.privacy.scan.needles import Needles
from entrepot.settings import OUTSIDE, SCHEMES, Settings

Search = Callable[[str, str, Needles], Coroutine[object, object, Looked]]
Moved = Callable[[], Awaitable[Mapping[str, Sequence[str]]]]


def _late(product: str) -> Search:
    """Return the search of a product whose driver is loaded when it is searched: that takes long, and most houses have none."""

    async def search(source: str, url: str, needles: Needles) -> Looked:
        module = await asyncio.to_thread(import_module, f"entrepot.privacy.scan.{product}")
        return await module.search(source, url, needles)  # type: ignore[no-any-return]  # as each module of the folder has it

    return search


# How each product of a role is searched, by the beginning of its scheme. Record and stream know pseudonyms, being the log;
# projections must know nobody.
_SEARCHES: Mapping[str, Mapping[str, Search]] = {
    "record": {"postgresql": partial(postgresql.search, ids=False)},
    "documents": {"postgresql": partial(postgresql.search, ids=True), "mongodb": _late("mongodb")},
    "memory": {"redis": redis.search},
    "graph": {"falkor": redis.search, "bolt": _late("neo4j"), "neo4j": _late("neo4j")},
    "columns": {"clickhouse": clickhouse.search},
    "search": {"tantivy": tantivy.search, "elasticsearch": _late("elasticsearch")},
    "objects": {"s3": files.search_objects},
    "stream": {"kafka": _late("kafka")},
    "series": {"influxdb": influxdb.search, "clickhouse": clickhouse.search},
}


class Scan(Struct, frozen=True):
    """What a search of everything has looked at."""

    sources: list[Looked]

    @property
    def findings(self) -> list[str]:
        """Every place where something was found, with its source."""
        return [f"{source.source}: {finding.place}" for source in self.sources for finding in source.findings]


class Scanner:
    """Searches the engines of these settings; ``moved`` tells where those of moved roles are, all that hold something."""

    def __init__(self, settings: Settings, moved: Moved | None = None) -> None:
        self._settings, self._moved = settings, moved

    async def search(self, values: Sequence[str], subjects: Sequence[UUID], restored: Sequence[str] = ()) -> Scan:
        """Search everything for these values, and the projections for these subjects' ids, too.

        ``restored`` are the URLs of databases that old backups were restored into.
        """
        scan = await self.look(await asyncio.to_thread(Needles, values, subjects), restored)
        keys = [self._keys(f"keys in restored {number}", url, subjects) for number, url in enumerate(restored, 1)]
        return Scan([*scan.sources, *await asyncio.gather(*keys)])

    async def look(self, needles: Needles, restored: Sequence[str] = ()) -> Scan:
        """Search everything for whatever these needles find."""
        engines, home = self._settings.engines, Path(self._settings.home)
        moved = await self._moved() if self._moved is not None else {}
        searches: list[Coroutine[object, object, Looked]] = [
            _search_of(role, url)(source, url, needles)
            for role in _SEARCHES
            for source, url in _numbered(role, moved.get(role) or [getattr(engines, role)])
            if url or role not in OUTSIDE
        ]
        searches.append(files.search_folder("home", home, frozenset(SCHEMES), needles))
        searches += [postgresql.search(f"restored {number}", url, needles, ids=False) for number, url in enumerate(restored, 1)]
        return Scan(list(await asyncio.gather(*searches)))

    async def _keys(self, source: str, url: str, subjects: Sequence[UUID]) -> Looked:
        kept = await postgresql.keys_in(url, [str(one) for one in subjects])
        return Looked(source, 1, 0, [Finding("privacy.person_key", 0, "key")] * kept)


def _numbered(role: str, urls: Sequence[str]) -> list[tuple[str, str]]:
    """Return the engines of a role, two of them while it is moved, each under a name of its own."""
    return [(role if number == 1 else f"{role} {number}", url) for number, url in enumerate(urls, 1)]


def _search_of(role: str, url: str) -> Search:
    product = urlsplit(url).scheme.partition("+")[0]
    return _SEARCHES[role].get(product) or _SEARCHES[role].get(product.removesuffix("s"), _unsearched)


async def _unsearched(source: str, _url: str, _needles: Needles) -> Looked:
    """Return that a product cannot be searched yet: what was not searched is not clean."""
    return Looked(source, 0, 0, [Finding("a product that the search does not know", 0, "unsearched")])
