"""The search store on Elasticsearch 8 or 9: an index per generation, reached by an alias of its name. Knows no business word.

Exactly once, by what the engine has: each document carries its item's version, which the server guards (see
``elasticsearch_writer``); a deletion is a document too, since Elasticsearch forgets a deleted version after a while and would
then let an older write raise the dead. Items are written first, then made visible, and then the position is, by
compare-and-set on its sequence number: so what a position says has been read is always found.

Only indexes that carry our mark in ``_meta`` are ever written or deleted.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import msgspec
from elasticsearch import BadRequestError, ConflictError, NotFoundError
from msgspec import structs

from entrepot.base.computing import computed
from entrepot.base.engine_limits import (
    SEARCH_FORGET_SECONDS_MAX,
    SEARCH_PART_ITEMS,
    SEARCH_PARTS_MAX,
    SEARCH_TRIES_MAX,
    SEARCH_VALUES_MAX,
)
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.event import START, Position
from entrepot.base.limits import SCAN_ITEMS_MAX
from entrepot.base.projection import Item, Refusal, Slot, Target
from entrepot.engines import newest
from entrepot.engines.search import elasticsearch_shape as shape
from entrepot.engines.search.elasticsearch_questions import Everywhere, Questions
from entrepot.engines.search.elasticsearch_shape import BODY, ID, KIND, LIVE
from entrepot.engines.search.elasticsearch_wire import ROLE, answering, check, connect, options_of, reason
from entrepot.engines.search.elasticsearch_writer import Change, Guard, Made, made_of, write
from entrepot.engines.search.port import Clause, Found, Near, Query, Word
from entrepot.engines.search.shape import Field, fields_of

_ASK_AGAIN_SECONDS = 0.05
_TAKEN = frozenset({"resource_already_exists_exception", "invalid_alias_name_exception"})


class ElasticsearchStore:
    """Answers ``SearchStore`` from the server of a URL ``elasticsearch(s)://user:password@host:port?ca=/path``."""

    def __init__(self, url: str) -> None:
        self._options = options_of(url)
        self._client = connect(url)
        self._numbers: dict[str, set[str]] = {}
        self._everywhere: dict[str, Everywhere] = {}

    async def open(self) -> None:
        """Look whether it is Elasticsearch, in a version that we speak."""
        await check(self._client)

    async def close(self) -> None:
        """Give every connection back."""
        await self._client.close()

    async def create(self, target: Target) -> None:
        """Make an empty index for this generation; does nothing if it is there."""
        fields, made_by = fields_of(target.shape), {"target": target.name}
        try:
            with answering():
                await self._client.indices.create(
                    index=self._index(target),
                    aliases={self._alias(target): {}},
                    mappings=shape.mapping(fields, made_by),
                    settings=shape.settings(self._options.shards, self._options.replicas, self._options.lifecycle),
                )
        except BadRequestError as error:
            if "lifecycle.name" in str(error) and self._options.lifecycle:
                raise BadInputError(
                    f"This Elasticsearch knows no lifecycle policies: leave lifecycle={self._options.lifecycle} out of "
                    "ENTREPOT_SEARCH_URL, or enable them there."
                ) from error
            if error.error not in _TAKEN:
                raise
            await self._check_ours(target)

    async def drop(self, target: Target) -> None:
        """Delete the index with its positions; does nothing if it is gone. One that is not ours is left as it is."""
        self._numbers.pop(target.name, None)
        self._everywhere.pop(target.name, None)
        with answering():
            if await self._client.indices.exists(index=self._index(target)):
                await self._check_ours(target)
                await self._client.indices.delete(index=self._index(target), ignore_unavailable=True)

    async def position(self, target: Target, slot: Slot) -> Position:
        """Return how far this generation has read this slot."""
        found = await self._get(target, [_place(slot)], BODY)
        return _position(found[0]["_source"]) if found else START

    async def read(self, target: Target, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items with these ids, tombstones included."""
        return {found["_id"]: _item(found) for found in await self._get(target, ids, BODY)}

    async def apply(self, target: Target, slot: Slot, items: Sequence[Item], position: Position) -> Sequence[Refusal]:
        """Write what is newer, show it, and move the position."""
        refused = await self._write_parts(target, newest(items))
        if items:
            await self._show(target)
        await self._move(target, slot, position)
        return refused

    async def scan(self, target: Target, low: str, high: str | None) -> Sequence[Item]:
        """Return the live items of a range of ids, by id."""
        bounds: dict[str, str] = {"gte": low} | ({} if high is None else {"lt": high})
        asked = {"bool": {"filter": [{"term": {KIND: LIVE}}, {"range": {ID: bounds}}]}}
        items: list[Item] = []
        after: dict[str, Any] = {}
        while True:
            with answering():
                page = await self._client.search(
                    index=self._alias(target),
                    query=asked,
                    sort=[{ID: "asc"}],
                    size=SCAN_ITEMS_MAX,
                    source_includes=[BODY],
                    version=True,
                    track_total_hits=False,
                    **after,
                )
            found = page["hits"]["hits"]
            items += map(_item, found)
            if len(found) < SCAN_ITEMS_MAX:
                return items
            after = {"search_after": found[-1]["sort"]}

    async def put(self, target: Target, items: Sequence[Item]) -> None:
        """Make each id exactly this, whatever is there; without a body, nothing."""
        kept = [item for item in items if item.body is not None]
        _, made = await _all([self._know(target, self._new(target, kept)), _made(kept, fields_of(target.shape))])
        changes = [*made.changes, *(Change(item.id, 0, None) for item in items if item.body is None)]
        written = await write(self._client, self._alias(target), changes, "external_gte")
        if refused := [*made.refused, *written.refused]:
            raise BadInputError(f"{refused[0].id} cannot be repaired: {refused[0].reason}", id=refused[0].id)
        older = set(written.older)
        await self._until_written(target, [change for change in changes if change.id in older], "external_gte")
        await self._show(target)

    async def search(self, target: Target, query: Query) -> Found:
        """Return a page of hits, the total and the facets."""
        return await self._questions(target).search(query)

    async def count(self, target: Target, clauses: Sequence[Clause]) -> list[int]:
        """Return how many items each clause selects."""
        return await self._questions(target).count(clauses)

    async def search_and_count(self, target: Target, query: Query, clauses: Sequence[Clause]) -> tuple[Found, list[int]]:
        """Return what the query asks for, and how many items each clause selects, in one request."""
        return await self._questions(target).search_and_count(query, clauses)

    async def words(self, target: Target, field: str, start: str, among: Clause | None = None, limit: int = 20) -> list[Word]:
        """Return the words of a folded field that begin so, the most frequent first."""
        return await self._questions(target).words(field, start, among, limit)

    async def near(self, target: Target, field: str, text: str, edits: int, start: str = "") -> list[Near]:
        """Return the words of a folded field that begin so, at most so many typing errors from a folded text."""
        return await self._questions(target).near(field, text, edits, start)

    def _alias(self, target: Target) -> str:
        return f"{self._options.prefix}{target.name}"

    def _index(self, target: Target) -> str:
        # Writes go by the alias and say so: an index that was dropped is then never made anew by a late batch.
        return f"{self._alias(target)}.items"

    def _questions(self, target: Target) -> Questions:
        everywhere = self._everywhere.setdefault(target.name, Everywhere())
        # One shard alone knows the most frequent values; of several, each has to name more than are wanted.
        values = SEARCH_VALUES_MAX if self._options.shards > 1 else 0
        return Questions(self._client, self._alias(target), fields_of(target.shape), everywhere, values)

    async def _check_ours(self, target: Target) -> None:
        try:
            found = (await self._client.indices.get_mapping(index=self._index(target))).body
        except NotFoundError:
            found = {}
        marks: list[dict[str, Any]] = [index["mappings"].get("_meta", {}) for index in found.values()]
        if [mark.get("entrepot") for mark in marks] != [{"target": target.name}]:
            raise BadInputError(
                f"Elasticsearch has an index {self._alias(target)} that Entrepôt did not make, and it is left as it is: name "
                f"another beginning for ours by ?prefix= in ENTREPOT_SEARCH_URL (now {self._options.prefix!r}), or remove it."
            )

    async def _get(self, target: Target, ids: Sequence[str], *source: str) -> list[dict[str, Any]]:
        if not ids:
            return []
        with answering():
            answer = await self._client.mget(index=self._alias(target), ids=list(ids), source_includes=list(source))
        for one in answer["docs"]:
            if "error" in one:
                raise EngineAwayError(ROLE, reason(one))
        return [one for one in answer["docs"] if one["found"]]

    def _new(self, target: Target, items: Sequence[Item]) -> set[str]:
        """Return the fields of numbers that these items need, and that we do not know to be there."""
        return shape.numbers(items, fields_of(target.shape)) - self._numbers.setdefault(target.name, set())

    async def _know(self, target: Target, new: set[str]) -> None:
        """Make these fields of numbers in one request: left to the documents, each would wait for its own."""
        if not new:
            return
        try:
            with answering():
                await self._client.indices.put_mapping(index=self._alias(target), properties=shape.number_mapping(new))
        except BadRequestError:
            return  # one of them cannot be made: the documents that have it will be refused, the others not
        self._numbers[target.name] |= new

    async def _write_parts(self, target: Target, items: Sequence[Item]) -> list[Refusal]:
        """Write the newest of each item: the server has some parts in hand while the documents of the next are made."""
        fields, new, room = fields_of(target.shape), self._new(target, items), asyncio.Semaphore(SEARCH_PARTS_MAX)
        knowing = asyncio.ensure_future(self._know(target, new))

        async def write_part(part: Sequence[Item]) -> list[Refusal]:
            async with room:
                made = await _made(part, fields)
                if new and shape.numbers(part, fields) & new:
                    await knowing
                return made.refused + await self._write(target, made.changes)

        # Those that need a new field come last, so that the others do not wait for it.
        ordered = sorted(items, key=lambda item: bool(shape.numbers([item], fields) & new)) if new else items
        parts = [ordered[start : start + SEARCH_PART_ITEMS] for start in range(0, len(ordered), SEARCH_PART_ITEMS)]
        _, *refused = await _all([knowing, *map(write_part, parts)])
        return [one for each in refused for one in each]

    async def _write(self, target: Target, changes: Sequence[Change]) -> list[Refusal]:
        """Write what is newer. A conflict with a document that is not there is one with a repair's deletion: it passes."""
        written = await write(self._client, self._alias(target), changes, "external")
        if written.older:
            present = {found["_id"] for found in await self._get(target, written.older, ID)}
            missing = set(written.older) - present
            await self._until_written(target, [change for change in changes if change.id in missing], "external")
        return written.refused

    async def _until_written(self, target: Target, changes: Sequence[Change], guard: Guard) -> None:
        """Write again until the server has forgotten the deletion in the way; a repair deletes what is newer first."""
        deadline = asyncio.get_running_loop().time() + SEARCH_FORGET_SECONDS_MAX
        while changes:
            if guard == "external_gte":
                deletions = [Change(change.id, 0, None) for change in changes]
                await write(self._client, self._alias(target), deletions, guard)
            await asyncio.sleep(_ASK_AGAIN_SECONDS)
            older = set((await write(self._client, self._alias(target), changes, guard)).older)
            changes = [change for change in changes if change.id in older]
            if changes and asyncio.get_running_loop().time() > deadline:
                raise EngineAwayError(ROLE, f"it does not let go of a deletion of {changes[0].id}")

    async def _show(self, target: Target) -> None:
        with answering():
            await self._client.indices.refresh(index=self._alias(target))

    async def _move(self, target: Target, slot: Slot, position: Position) -> None:
        """Move the position, never back: whoever changed it since we looked is looked at again."""
        id_ = _place(slot)
        body = msgspec.json.encode(structs.asdict(position)).decode()
        for _ in range(SEARCH_TRIES_MAX):
            found = await self._get(target, [id_], BODY)
            guard: Mapping[str, Any] = {"op_type": "create"}
            if found:
                if _position(found[0]["_source"]) >= position:
                    return
                guard = {"if_seq_no": found[0]["_seq_no"], "if_primary_term": found[0]["_primary_term"]}
            try:
                with answering():
                    await self._client.index(
                        index=self._alias(target), id=id_, document={KIND: shape.PLACE, BODY: body}, require_alias=True, **guard
                    )
            except ConflictError:
                continue
            return
        raise EngineAwayError(ROLE, f"others move the position of {target.name} all the time")


async def _all(works: Sequence[Awaitable[Any]]) -> list[Any]:
    """Wait for all of these at once; where one fails the others are ended before that is told."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _made(items: Sequence[Item], fields: Mapping[str, Field]) -> Made:
    return await computed(made_of, items, fields) if items else Made([], [])


def _place(slot: Slot) -> str:
    # No item has such an id: an item's begins with the name of an aggregate.
    return f"@{slot.cell}.{slot.shard}.{slot.shards}"


def _position(source: Mapping[str, Any]) -> Position:
    return msgspec.json.decode(source[BODY], type=Position)


def _item(found: Mapping[str, Any]) -> Item:
    body = found["_source"].get(BODY)
    return Item(found["_id"], found["_version"], None if body is None else msgspec.json.decode(body))
