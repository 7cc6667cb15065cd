"""One tantivy index as a process holds it: reads, writes and questions. Every method blocks: call it in a thread."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import structs
from tantivy import DocAddress, Document, IndexWriter, Searcher
from tantivy import Query as Asked

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.event import START, Position
from entrepot.base.limits import SCAN_ITEMS_MAX, SEARCH_DEPTH_MAX
from entrepot.base.projection import Item, Refusal, Shape, Slot
from entrepot.engines import newest
from entrepot.engines.search.port import Between, Bucket, Clause, Everything, Facet, Found, Hit, Near, OneOf, Query, Word
from entrepot.engines.search.shape import check_listed, check_sorted_by, fields_of
from entrepot.engines.search.tantivy_facets import Counting, matching
from entrepot.engines.search.tantivy_query import Compiler
from entrepot.engines.search.tantivy_shape import ID, PLACE, document, item_of, open_index
from entrepot.engines.search.tantivy_words import Words
from entrepot.engines.search.tantivy_writer import Turn


class TantivyIndex:
    """An open index: ``turn`` is the right to write it, ``writing`` keeps this process's writes one after the other."""

    def __init__(self, folder: Path, shape: Shape) -> None:
        self._fields = fields_of(shape)
        self._index = open_index(str(folder), self._fields)
        self._index.config_reader("manual")
        self._schema = self._index.schema
        self._compiler = Compiler.of(self._index, self._fields)
        self._meta = folder / "meta.json"
        self._made = folder.stat().st_ino
        self._seen = (0, 0)
        self._searcher = self._index.searcher()
        self._words = Words(self._searcher)
        self.turn = Turn(folder, self._index)
        self.writing = asyncio.Lock()

    def there(self) -> bool:
        """Return whether the folder is still the one that was opened: it may have been dropped, and made anew."""
        try:
            return self._meta.parent.stat().st_ino == self._made
        except OSError:  # it is gone, or its disk is
            return False

    def position(self, slot: Slot) -> Position:
        """Return how far the slot was read."""
        found = self.read([_place(slot)])
        return msgspec.convert(found[_place(slot)].body, Position) if found else START

    def read(self, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items with these ids, tombstones included."""
        return {item.id: item for item in map(item_of, self._documents(ids))}

    def scan(self, low: str, high: str | None) -> list[Item]:
        """Return the live items of the range, by id."""
        items: list[Item] = []
        for ids in self._ids(low, high):
            found = self.read(ids)
            items.extend(found[id_] for id_ in ids if id_ in found)
        return items

    def apply(self, slot: Slot, items: Sequence[Item], position: Position) -> list[Refusal]:
        """Write what is newer than what is there, and the position if it is ahead, in one commit."""
        latest = newest(items)
        writer = self.turn.take()  # first, so that no other process writes between the look and the commit
        present = self._versions([item.id for item in latest])
        newer = [item for item in latest if present.get(item.id, -1) < item.version]
        fitting, refusals = self._fitting(newer)
        replaced = [id_ for id_ in fitting if id_ in present]
        if position > self.position(slot):
            place = Item(_place(slot), 0, structs.asdict(position))
            fitting[place.id] = document(place, {}, self._schema, PLACE)
            replaced.append(place.id)
        if fitting:
            self._commit(writer, replaced, fitting.values())
        return refusals

    def put(self, items: Sequence[Item]) -> None:
        """Make each id exactly this; a body of None leaves no trace."""
        fitting, refusals = self._fitting([item for item in items if item.body is not None])
        if refusals:
            raise BadInputError(f"{refusals[0].id} cannot be repaired: {refusals[0].reason}", id=refusals[0].id)
        self._commit(self.turn.take(), [item.id for item in items], fitting.values())

    def count(self, clauses: Sequence[Clause]) -> list[int]:
        """Return how many items each clause selects."""
        searcher = self._fresh()
        return [matching(searcher, self._compiler.clause(clause)) for clause in clauses]

    def words(self, field: str, start: str, among: Clause | None, limit: int) -> list[Word]:
        """Return the words of a folded field that begin so."""
        check_listed(self._fields, field)
        begun = self._compiler.folded(start)
        query = None if among is None else self._compiler.clause(among)
        found = self._fresh().terms_with_prefix(field, begun, filter_query=query, limit=limit)
        return [Word(text, count) for text, count in found]

    def near(self, field: str, text: str, edits: int, start: str) -> list[Near]:
        """Return the words of a folded field that begin so and are so near to the text."""
        check_listed(self._fields, field)
        self._fresh()
        return self._words.near(field, text, edits, self._compiler.folded(start))

    def search(self, query: Query) -> Found:
        """Return a page of hits, the total and the facets."""
        searcher = self._fresh()
        selection = self._compiler.selection(query.where, query.filters)
        total = matching(searcher, selection) if query.counted else 0
        hits: list[Hit] = []
        cursor = ""
        if query.limit and (total or not query.counted):
            page = self._scored if query.sort is None else self._sorted
            hits, cursor = page(searcher, selection, query)
        return Found(hits=hits, total=total, facets=self._facets(searcher, selection, query), cursor=cursor)

    def _scored(self, searcher: Searcher, selection: Asked, query: Query) -> tuple[list[Hit], str]:
        start = _offset(query.cursor)
        found = searcher.search(selection, limit=min(query.limit, SEARCH_DEPTH_MAX - start), offset=start, count=False).hits
        items = [(score, item_of(searcher.doc(address))) for score, address in found]
        end = start + len(found)
        more = len(found) == query.limit and end < SEARCH_DEPTH_MAX
        return [Hit(item.id, score, dict(item.body or {})) for score, item in items], str(end) if more else ""

    def _fresh(self) -> Searcher:
        # A commit, of whichever process, renames a new meta.json into place: a stat sees it, and costs microseconds.
        stat = self._meta.stat()
        seen = (stat.st_ino, stat.st_mtime_ns)
        if seen != self._seen:
            self._index.reload()
            self._searcher = self._index.searcher()
            self._words = Words(self._searcher)
            self._seen = seen
        return self._searcher

    def _addresses(self, searcher: Searcher, ids: Sequence[str]) -> list[DocAddress]:
        if not ids:
            return []
        query = Asked.term_set_query(self._schema, ID, list(ids))
        return [address for _, address in searcher.search(query, limit=len(ids), count=False).hits]

    def _documents(self, ids: Sequence[str]) -> list[Document]:
        searcher = self._fresh()
        return [searcher.doc(address) for address in self._addresses(searcher, ids)]

    def _versions(self, ids: Sequence[str]) -> dict[str, int]:
        return {item.id: item.version for item in map(item_of, self._documents(ids))}

    def _ids(self, low: str, high: str | None) -> Iterator[list[str]]:
        searcher = self._fresh()
        live = self._compiler.clause(Everything())
        if high is None or low < high:
            yield [low]  # the pages below begin after their bound
        after = low
        while True:
            page = {"size": SCAN_ITEMS_MAX, "sources": [{"id": {"terms": {"field": ID}}}], "after": {"id": f"str:{after}"}}
            found = [each["key"]["id"] for each in searcher.aggregate(live, {"page": {"composite": page}})["page"]["buckets"]]
            wanted = [id_ for id_ in found if high is None or id_.encode() < high.encode()]
            if wanted:
                yield wanted
            if len(wanted) < SCAN_ITEMS_MAX:
                return
            after = wanted[-1]

    def _fitting(self, items: Iterable[Item]) -> tuple[dict[str, Document], list[Refusal]]:
        made: dict[str, Document] = {}
        refusals = []
        for item in items:
            try:
                made[item.id] = document(item, self._fields, self._schema)
            except (ValueError, TypeError) as error:  # a value that does not fit its field, by tantivy or by us
                refusals.append(Refusal(item.id, str(error)))
        return made, refusals

    def _commit(self, writer: IndexWriter, replaced: Iterable[str], documents: Iterable[Document]) -> None:
        try:
            for id_ in replaced:
                writer.delete_documents_by_term(ID, id_)
            for made in documents:
                writer.add_document(made)
            writer.commit()
        except ValueError as error:  # what tantivy makes of every failure of the disk
            self.turn.abandon()
            raise EngineAwayError("search", f"{self._meta.parent.name} cannot be written: {error}") from error
        if self.turn.wanted():
            self.turn.end()

    def _facets(self, searcher: Searcher, selection: Asked, query: Query) -> dict[str, Sequence[Bucket]]:
        # Facets that are counted under the same filters are one pass over the items.
        passes: dict[tuple[OneOf | Between, ...], dict[str, Facet]] = {}
        for name, facet in query.facets.items():
            others = tuple(each for each in query.filters if each.field != facet.field)
            passes.setdefault(others, {})[name] = facet
        counting = Counting(searcher, self._compiler)
        counted: dict[str, Sequence[Bucket]] = {}
        for filters, facets in passes.items():
            among = selection if filters == query.filters else self._compiler.selection(query.where, filters)
            counted.update(counting.facets(among, facets))
        return counted

    def _sorted(self, searcher: Searcher, selection: Asked, query: Query) -> tuple[list[Hit], str]:
        sort = query.sort
        assert sort is not None
        check_sorted_by(self._fields, sort.field)
        by = {
            "field": self._compiler.path(sort.field),
            "order": "desc" if sort.descending else "asc",
            "missing_bucket": True,
            "missing_order": "last",
        }
        page: dict[str, object] = {"size": query.limit, "sources": [{"by": {"terms": by}}, {"id": {"terms": {"field": ID}}}]}
        if query.cursor:
            page["after"] = _after(query.cursor)
        try:
            answer = searcher.aggregate(selection, {"page": {"composite": page}})["page"]
        except ValueError as error:  # what tantivy makes of an "after" that is none of its own
            if not query.cursor:
                raise
            raise _no_cursor(query.cursor) from error
        ids = [str(each["key"]["id"]) for each in answer["buckets"]]
        found = {item.id: item for item in (item_of(searcher.doc(at)) for at in self._addresses(searcher, ids))}
        hits = [Hit(id_, 0.0, dict(found[id_].body or {})) for id_ in ids]
        more = len(ids) == query.limit
        return hits, json.dumps(answer["after_key"]) if more else ""


def _place(slot: Slot) -> str:
    # No item has such an id: an item's begins with the name of an aggregate.
    return f"\x00{slot.cell}.{slot.shard}.{slot.shards}"


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    if not cursor.isdecimal() or len(cursor) > len(str(SEARCH_DEPTH_MAX)) or int(cursor) >= SEARCH_DEPTH_MAX:
        raise _no_cursor(cursor)
    return int(cursor)


def _after(cursor: str) -> dict[str, object]:
    try:
        return msgspec.json.decode(cursor, type=dict[str, object])
    except msgspec.MsgspecError as error:
        raise _no_cursor(cursor) from error


def _no_cursor(cursor: str) -> BadInputError:
    return BadInputError(f"{cursor[:100]!r} is no cursor of this search: send back the cursor of the page before.")
