"""Recomputes the whole chain, from rows to published roots, and names what was changed. Trusts no hash that is stored."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from entrepot.audit import store
from entrepot.audit.comparing import compare_link, compare_rows
from entrepot.audit.report import Finding, Report, Unexplained
from entrepot.audit.roots import Find, Published
from entrepot.audit.rows import Rows
from entrepot.audit.rules import SOURCES, Link, Row, Source
from entrepot.audit.store import Place
from entrepot.base import limits
from entrepot.base.time import LOGICAL_BITS
from entrepot.record.transaction import Record

Seen = Callable[[int], None]


class ReadsRoots(Protocol):
    """Where published roots come from."""

    async def read(self, after_place: int, find: Find) -> Published:
        """Return the roots that reach beyond a place."""
        ...


class Verifier:
    """Verifies the chain of one cell. ``seen`` is told how many rows have been looked at."""

    def __init__(self, record: Record, cell: int, rows: Rows, roots: ReadsRoots, seen: Seen = lambda _: None) -> None:
        self._record, self._cell, self._rows, self._roots, self._seen = record, cell, rows, roots, seen
        self._findings: list[Finding] = []
        self._counts: dict[Source, int] = dict.fromkeys(SOURCES, 0)

    async def verify(self, first: int | None = None, before: int | None = None) -> Report:
        """Verify what was linked between two moments (milliseconds since 1970 UTC; all of it without them)."""
        began = time.monotonic()
        start, end = await self._bounds(first, before)
        published = await self._roots.read(start, self._find)
        links, last = 0, start
        async for page in self._pages(start, end):
            links += len(page)
            last = page[-1].place
            published.check(page, self._find)
            self._seen(sum(self._counts.values()))
        published.check_end(last, self._find, whole=end is None)
        return Report(
            cell=self._cell,
            links=links,
            entries=self._counts["entry"],
            events=self._counts["event"],
            roots=published.checked,
            unpublished=max(0, last - published.last_place) if end is None else 0,
            findings=self._findings[: limits.AUDIT_NAMED_MAX],
            unexplained=await self._unexplained(first, before),
            seconds=time.monotonic() - began,
        )

    def _find(self, finding: Finding) -> None:
        self._findings.append(finding)

    async def _bounds(self, first: int | None, before: int | None) -> tuple[int, int | None]:
        async with self._record.reading() as connection:
            start = await store.place_at(connection, self._cell, first << LOGICAL_BITS) if first is not None else 0
            end = await store.place_at(connection, self._cell, before << LOGICAL_BITS) if before is not None else None
        return start, end

    async def _pages(self, start: int, end: int | None) -> AsyncIterator[list[Link]]:
        """Give the links, a page at a time, each compared with the one before it and with its rows."""
        async with self._record.reading() as connection:
            before = await store.link_at(connection, self._cell, start) if start else None
            reached = {source: await store.linked_up_to(connection, self._cell, start, source) for source in SOURCES}
        place = start
        while page := await self._page(place, end):
            for link in page:
                for finding in compare_link(link, before):
                    self._find(finding)
                before = link
            for source in SOURCES:
                reached[source] = await self._compare(source, [link for link in page if link.source == source], reached[source])
            yield page
            place = page[-1].place

    async def _page(self, place: int, end: int | None) -> list[Link]:
        async with self._record.reading() as connection:
            page = await store.links_after(
                connection, self._cell, place, limits.AUDIT_PAGE_ROWS_MAX, limits.AUDIT_PAGE_LINKS_MAX
            )
        return [link for link in page if end is None or link.place <= end]

    async def _compare(self, source: Source, links: Sequence[Link], reached: Place) -> Place:
        """Compare a page's links of one source with the rows that lie between their places."""
        if not links:
            return reached
        ends = [max(link.last, reached) for link in links]
        found = await self._rows.between(source, reached, max(ends))
        self._counts[source] += len(found.rows)
        at, rows = 0, found.rows
        for link, end in zip(links, ends, strict=True):
            own: list[Row] = []
            while at < len(rows) and rows[at].place <= end:
                own.append(rows[at])
                at += 1
            for finding in compare_rows(link, own, retired=found.retired):
                self._find(finding)
        return max(ends)

    async def _unexplained(self, first: int | None, before: int | None) -> list[Unexplained]:
        now = self._record.clock.tick() >> LOGICAL_BITS
        until = min(before or now, now - round(limits.REQUEST_SECONDS_MAX * 2_000))
        async with self._record.reading() as connection:
            found = await store.without_entry(
                connection, self._cell, (first or 0) << LOGICAL_BITS, until << LOGICAL_BITS, limits.AUDIT_NAMED_MAX
            )
        return [Unexplained(request=one.request, kinds=one.kinds) for one in found]
