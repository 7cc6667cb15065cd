"""Documents in MongoDB 4.2 or newer: a collection per generation, under the target's name. Knows no business word.

Exactly once, by what every MongoDB has without a transaction: the versions that are there are read; what is new is inserted,
and whoever was there after all (error 11000) joins those that are replaced; a replacement is guarded by the version and makes
nothing (an upsert in its place would try to insert beside a newer version, and a bulk of them stops there). One document is
replaced atomically (https://www.mongodb.com/docs/manual/core/write-operations-atomicity). Items first, then the position, each
acknowledged by the majority. A deletion is a document without a text, so that a late older write cannot raise the dead.

``entrepot.generations`` says which collections are ours: no other is written or dropped, and a batch that comes after its
generation was dropped makes none anew. Which generation readers use is said by the record, as for every engine.

A body is kept as JSON text: BSON would change numbers and refuse some keys, and nobody asks a documents engine but by id.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from pymongo import AsyncMongoClient, ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure
from pymongo.read_preferences import ReadPreference, make_read_preference
from pymongo.read_preferences import read_pref_mode_from_name as mode

from entrepot.base.engine_limits import SEARCH_TRIES_MAX as TRIES_MAX
from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.event import START, Position
from entrepot.base.projection import Item, Refusal, Slot, Target
from entrepot.engines import Packed, newest, pack
from entrepot.engines.documents.mongodb_connection import ROLE, connect, database_of, options_of, telling

T = TypeVar("T")
Document = dict[str, Any]

_GENERATIONS = "entrepot.generations"
_DUPLICATE, _EXISTS = 11000, 48
# CommandNotFound, and what a server that is no mongos says instead; NotImplemented of stand-ins.
_NO_ROUTER = frozenset({59, 115, 238})


class MongodbDocuments:
    """``DocumentStore`` on ``mongodb://user:password@host:port/database``, ``mongodbs`` for TLS, ``mongodb+srv`` by DNS."""

    def __init__(self, url: str) -> None:
        self._options = options_of(url)
        self._name = database_of(url)
        self._url = url
        self._client: AsyncMongoClient[Document] | None = None

    async def open(self) -> None:
        """Make sure that a server answers which lets us in."""
        self._client = connect(self._url)
        async with telling():
            await self._generations.find_one({"_id": ""})

    async def close(self) -> None:
        """Give every connection back."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def create(self, target: Target) -> None:
        """Make an empty collection for this generation; does nothing if it is there. One that is not ours is left as it is."""
        async with telling():
            if not await self._ours(target):
                there = target.name in await self._database.list_collection_names(filter={"name": target.name})
                if there and not await self._ours(target):  # else another projector made it meanwhile
                    raise BadInputError(
                        f"MongoDB has a collection {target.name} in {self._name} that Entrepôt did not make, and it is left as "
                        "it is: name another database in ENTREPOT_DOCUMENTS_URL, or remove it."
                    )
                await self._insert(self._generations, [{"_id": target.name}])
            try:
                await self._database.create_collection(target.name, check_exists=False)
            except OperationFailure as error:
                if error.code != _EXISTS:
                    raise
            if self._options.shard:
                await self._spread(target)

    async def drop(self, target: Target) -> None:
        """Delete positions, then the collection, then its mark: a cut between leaves what is dropped, or filled, again."""
        async with telling():
            if await self._ours(target):
                await self._generations.delete_many({"target": target.name})
                await self._database.drop_collection(target.name)
                await self._generations.delete_one({"_id": target.name})

    async def position(self, target: Target, slot: Slot) -> Position:
        """Return how far this generation has read this slot."""
        async with telling():
            found = await self._generations.find_one({"_id": _place(target, slot)})
        return START if found is None else Position(*map(int, found["at"].split(".")))

    async def read(self, target: Target, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items with these ids, tombstones included."""
        async with telling():
            return {found["_id"]: _item(found) async for found in self._items(target).find({"_id": {"$in": list(ids)}})}

    async def get(self, target: Target, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the JSON text of each live item among these ids."""
        preference = make_read_preference(mode(self._options.read_preference), None)
        readers = self._items(target).with_options(read_preference=preference)
        async with telling():
            found = [one async for one in readers.find({"_id": {"$in": list(ids)}}, {"json": 1})]
        return {one["_id"]: one["json"].encode() for one in found if one["json"] is not None}

    async def apply(self, target: Target, slot: Slot, items: Sequence[Item], position: Position) -> Sequence[Refusal]:
        """Write what is newer, then move the position; it never goes back."""
        packed, refused = pack(newest(items))
        async with telling():
            if not await self._ours(target):
                raise EngineAwayError(ROLE, f"the collection {target.name} is not there")
        for part in _parts(packed, self._options.batch):
            async with telling():
                await self._write(self._items(target), [_document(item) for item in part])
        async with telling():
            at = {"_id": _place(target, slot), "target": target.name, "at": f"{position.txid:020}.{position.seq:020}"}
            await self._move(at)
        return refused

    async def scan(self, target: Target, low: str, high: str | None) -> Sequence[Item]:
        """Return the live items of a range of ids, by id; without a collation they order by their bytes."""
        asked: Document = {"_id": {"$gte": low} | ({} if high is None else {"$lt": high}), "json": {"$ne": None}}
        async with telling():
            return [_item(found) async for found in self._items(target).find(asked).sort("_id")]

    async def put(self, target: Target, items: Sequence[Item]) -> None:
        """Make each id exactly this, whatever is there; without a body, nothing."""
        packed, refused = pack([item for item in items if item.body is not None])
        if refused:
            raise BadInputError(f"{refused[0].id} cannot be repaired: {refused[0].reason}", id=refused[0].id)
        async with telling():
            gone = [item.id for item in items if item.body is None]
            await self._items(target).delete_many({"_id": {"$in": gone}})
        for part in _parts(packed, self._options.batch):
            exactly = [ReplaceOne({"_id": item.id}, _document(item), upsert=True) for item in part]
            async with telling():
                await self._items(target).bulk_write(exactly, ordered=False)

    async def _write(self, items: AsyncCollection[Document], documents: Sequence[Document]) -> None:
        """Write what is newer than what is there; whoever else writes meanwhile is looked at again."""
        for _ in range(TRIES_MAX):
            asked = {"_id": {"$in": [document["_id"] for document in documents]}}
            versions = {found["_id"]: found["version"] async for found in items.find(asked, {"version": 1})}
            newer = [document for document in documents if document["version"] > versions.get(document["_id"], -1)]
            taken = await self._insert(items, [document for document in newer if document["_id"] not in versions])
            old = [document for document in newer if document["_id"] in versions]
            if old:
                guarded = [ReplaceOne({"_id": one["_id"], "version": {"$lt": one["version"]}}, one) for one in old]
                replaced = await items.bulk_write(guarded, ordered=False)
                if replaced.matched_count < len(old):  # a newer one came, or a repair took it away
                    taken += old
            if not taken:
                return
            documents = taken
        raise EngineAwayError(ROLE, f"others write {documents[0]['_id']} all the time")

    async def _insert(self, items: AsyncCollection[Document], documents: Sequence[Document]) -> list[Document]:
        """Insert what is new, and return what turned out to be there."""
        if not documents:
            return []
        try:
            await items.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            told: Mapping[str, Any] = error.details
            others = [each for each in told["writeErrors"] if each["code"] != _DUPLICATE]
            if others or told.get("writeConcernErrors"):
                # A replaced bulk counts as one answer: what is wrong with it is told as any other failure.
                first = (others or told["writeConcernErrors"])[0]
                raise OperationFailure(str(first.get("errmsg")), first.get("code"), first) from error
            return [documents[each["index"]] for each in told["writeErrors"]]
        return []

    async def _move(self, at: Document) -> None:
        """Move a position, never back: text of fixed width compares as its numbers do."""
        for _ in range(TRIES_MAX):
            replaced = await self._generations.replace_one({"_id": at["_id"], "at": {"$lt": at["at"]}}, at)
            if replaced.matched_count:
                return
            there = await self._generations.find_one({"_id": at["_id"]})
            if there is not None and there["at"] >= at["at"]:
                return
            if there is not None:  # an earlier one was inserted since
                continue
            try:
                await self._generations.insert_one(at)
            except DuplicateKeyError:
                continue
            return
        raise EngineAwayError(ROLE, f"others move the position {at['_id']} all the time")

    async def _spread(self, target: Target) -> None:
        """Have a sharded cluster spread the collection; to say so again changes nothing. Whatever is asked names its id."""
        key = {"_id": "hashed" if self._options.shard == "hashed" else 1}
        try:
            await self._database.client.admin.command({"shardCollection": f"{self._name}.{target.name}", "key": key})
        except OperationFailure as error:
            if error.code in _NO_ROUTER:
                raise BadInputError(
                    f"ENTREPOT_DOCUMENTS_URL says shard={self._options.shard}, and leads to no router of a sharded cluster: "
                    "name a mongos, or leave it out."
                ) from error
            raise

    async def _ours(self, target: Target) -> bool:
        return await self._generations.find_one({"_id": target.name}) is not None

    def _items(self, target: Target) -> AsyncCollection[Document]:
        return self._database[target.name]

    @property
    def _generations(self) -> AsyncCollection[Document]:
        return self._database[_GENERATIONS]

    @property
    def _database(self) -> AsyncDatabase[Document]:
        if self._client is None:
            raise RuntimeError("The documents store was used before open() or after close().")
        return self._client.get_database(self._name, read_preference=ReadPreference.PRIMARY)


def _place(target: Target, slot: Slot) -> str:
    return f"{target.name}/{slot.cell}.{slot.shard}.{slot.shards}"


def _document(item: Packed) -> Document:
    return {"_id": item.id, "version": item.version, "json": None if item.json is None else item.json.decode()}


def _item(found: Mapping[str, Any]) -> Item:
    json = found["json"]
    return Item(found["_id"], found["version"], None if json is None else msgspec.json.decode(json))


def _parts(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (things[start : start + size] for start in range(0, len(things), size))
