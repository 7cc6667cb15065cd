"""The search store embedded by tantivy: an index per generation, in a folder; any number of processes read it.

Items, tombstones and positions are documents of one index, so that one commit moves them together and a crash at any
moment leaves the last commit. Everything that blocks runs in threads. Knows no business word.
"""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from entrepot.base.engine_limits import SEARCH_ASIDE_SECONDS_MAX
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.event import Position
from entrepot.base.projection import Item, Refusal, Slot, Target
from entrepot.engines import answering
from entrepot.engines.search.port import Clause, Found, Near, Query, Word
from entrepot.engines.search.tantivy_index import TantivyIndex

T = TypeVar("T")

_IDLE_SECONDS = 0.25


class TantivyStore:
    """Answers ``SearchStore`` from the folder of a URL ``tantivy:///absolute/folder``."""

    def __init__(self, url: str) -> None:
        folder = Path(unquote(urlsplit(url).path))
        if urlsplit(url).scheme != "tantivy" or not folder.is_absolute():
            raise BadInputError(f"{url!r} is no folder for search: give tantivy:///absolute/folder.", url=url)
        self._folder = folder
        self._open: dict[str, TantivyIndex] = {}
        self._idling: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Do nothing: a folder needs no connection, and an index is opened when it is first asked."""

    async def create(self, target: Target) -> None:
        """Make an empty index for this generation; does nothing if it is there."""
        with answering("search", OSError):  # no disk, no room on it, no right to write there
            await asyncio.to_thread(self._create, target)

    async def drop(self, target: Target) -> None:
        """Delete the index with its positions; does nothing if it is gone. Readers elsewhere keep what they had open."""
        held = self._open.pop(target.name, None)
        if held is not None:
            async with held.writing:
                await asyncio.to_thread(held.turn.end)
        await asyncio.to_thread(self._drop, target)

    async def position(self, target: Target, slot: Slot) -> Position:
        """Return how far this generation has read this slot."""
        return await asyncio.to_thread(lambda: self._index(target).position(slot))

    async def read(self, target: Target, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items with these ids, tombstones included."""
        return await asyncio.to_thread(lambda: self._index(target).read(ids))

    async def apply(self, target: Target, slot: Slot, items: Sequence[Item], position: Position) -> Sequence[Refusal]:
        """Write the newer of the items and move the position, in one commit."""
        return await self._write(target, lambda index: index.apply(slot, items, position))

    async def put(self, target: Target, items: Sequence[Item]) -> None:
        """Make each id exactly this, in one commit."""
        await self._write(target, lambda index: index.put(items))

    async def scan(self, target: Target, low: str, high: str | None) -> Sequence[Item]:
        """Return the live items of the range, by id."""
        return await asyncio.to_thread(lambda: self._index(target).scan(low, high))

    async def search(self, target: Target, query: Query) -> Found:
        """Return what the query asks for."""
        return await asyncio.to_thread(lambda: self._index(target).search(query))

    async def count(self, target: Target, clauses: Sequence[Clause]) -> list[int]:
        """Return how many items each clause selects."""
        return await asyncio.to_thread(lambda: self._index(target).count(clauses))

    async def search_and_count(self, target: Target, query: Query, clauses: Sequence[Clause]) -> tuple[Found, list[int]]:
        """Return what the query asks for, and how many items each clause selects, from one thread."""

        def both() -> tuple[Found, list[int]]:
            index = self._index(target)
            return index.search(query), index.count(clauses)

        return await asyncio.to_thread(both)

    async def words(self, target: Target, field: str, start: str, among: Clause | None = None, limit: int = 20) -> list[Word]:
        """Return the words of a folded field that begin so, the most frequent first."""
        return await asyncio.to_thread(lambda: self._index(target).words(field, start, among, limit))

    async def near(self, target: Target, field: str, text: str, edits: int, start: str = "") -> list[Near]:
        """Return the words of a folded field that begin so, at most so many typing errors from a folded text."""
        return await asyncio.to_thread(lambda: self._index(target).near(field, text, edits, start))

    async def close(self) -> None:
        """End the turns to write and let go of the indexes."""
        for task in self._idling:
            task.cancel()
        indexes = list(self._open.values())
        self._open.clear()
        for index in indexes:
            async with index.writing:
                await asyncio.to_thread(index.turn.end)

    def _index(self, target: Target) -> TantivyIndex:
        found = self._open.get(target.name)
        if found is None or not found.there():
            folder = self._folder / target.name
            if not (folder / "meta.json").exists():
                raise EngineAwayError("search", f"the index {target.name} is not there")
            found = self._open[target.name] = TantivyIndex(folder, target.shape)
        return found

    def _create(self, target: Target) -> None:
        folder = self._folder / target.name
        self._sweep()
        if (folder / "meta.json").exists():
            return
        # Made aside and renamed, so that no other process ever opens half an index.
        self._folder.mkdir(parents=True, exist_ok=True)
        aside = self._folder / f".{target.name}.{uuid4().hex}"
        aside.mkdir()
        TantivyIndex(aside, target.shape)
        with suppress(OSError):  # another process was first: theirs is as empty as ours
            aside.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)

    def _sweep(self) -> None:
        """Delete what a crash left aside, half made or half dropped: it is older than the folder's last change by long."""
        with suppress(FileNotFoundError):  # no folder yet, or another process was faster
            last = self._folder.stat().st_mtime
            for aside in self._folder.glob(".*_g*.*"):
                if last - aside.stat().st_mtime > SEARCH_ASIDE_SECONDS_MAX:
                    shutil.rmtree(aside, ignore_errors=True)

    def _drop(self, target: Target) -> None:
        aside = self._folder / f".{target.name}.{uuid4().hex}"
        with suppress(FileNotFoundError):
            (self._folder / target.name).rename(aside)
            shutil.rmtree(aside, ignore_errors=True)

    async def _write(self, target: Target, act: Callable[[TantivyIndex], T]) -> T:
        # Shielded: a thread cannot be cancelled, so a cancelled caller must not free the writer for the next one.
        return await asyncio.shield(asyncio.create_task(self._write_alone(target, act)))

    async def _write_alone(self, target: Target, act: Callable[[TantivyIndex], T]) -> T:
        index = await asyncio.to_thread(self._index, target)
        async with index.writing:
            idle = not index.turn.held
            try:
                return await asyncio.to_thread(act, index)
            finally:
                if idle and index.turn.held:
                    task = asyncio.create_task(self._give_back_when_idle(index))
                    self._idling.add(task)
                    task.add_done_callback(self._idling.discard)

    async def _give_back_when_idle(self, index: TantivyIndex) -> None:
        while index.turn.held:
            await asyncio.sleep(_IDLE_SECONDS)
            async with index.writing:
                if index.turn.idle():
                    await asyncio.to_thread(index.turn.end)
