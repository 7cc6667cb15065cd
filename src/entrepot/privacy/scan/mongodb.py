"""Every document of every collection of a MongoDB, as bytes of BSON: text is there as it is, numbers and ids as their bytes."""

from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from entrepot.base.limits import JOB_SECONDS_MAX
from entrepot.engines.documents.mongodb_connection import connect, database_of
from entrepot.privacy.scan.looking import Looked, Looking
from entrepot.privacy.scan.needles import Needles

# What the server keeps for itself: who may come in, what its members tell each other, where parts of it lie.
_ITS_OWN = frozenset({"admin", "config", "local"})


async def search(source: str, url: str, needles: Needles) -> Looked:
    """Search every database that this user may see."""
    looking = Looking(source, needles, ids=True)
    async with connect(url) as client:
        for name in await _databases(client, database_of(url)):
            database = client[name]
            for told in await (await database.list_collections()).to_list():
                place = f"{name}.{told['name']}"
                looking.look(f"{place}: what it is", repr(told).encode())
                if told.get("type", "collection") != "collection":  # a view shows what collections hold
                    continue
                await _look(client, name, told["name"], looking.pieces(place))
    return looking.end()


async def _databases(client: AsyncMongoClient[dict[str, object]], ours: str) -> list[str]:
    try:
        found = await client.list_database_names()
    except OperationFailure:  # who may use one database alone may not list the others
        found = []
    return sorted({ours, *found} - _ITS_OWN)


async def _look(client: AsyncMongoClient[dict[str, object]], database: str, collection: str, piece: Any) -> None:
    raw = client.get_database(database).get_collection(collection)
    options = raw.codec_options.with_options(document_class=RawBSONDocument)
    async for document in raw.with_options(codec_options=options).find({}).max_time_ms(int(JOB_SECONDS_MAX * 1000)):
        piece(bytes(document.raw))
