"""MongoDB's driver keeps what every documents engine keeps, on two stand-ins: no real mongod is in a package registry.

With ``ENTREPOT_TEST_MONGODB_URL`` the first suite runs on a real one (``deploy/compose.yaml`` has a replica set).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.event import Position
from entrepot.base.limits import ITEM_BYTES_MAX
from entrepot.base.projection import Body, Slot, Target
from entrepot.base.trust import trusting
from entrepot.engines.documents.mongodb import MongodbDocuments
from entrepot.engines.documents.mongodb_connection import connect, database_of
from tests.conformance.documents_suite import DocumentsSuite, body
from tests.conformance.store_suite import STRANGE_IDS, Case, Home, fresh


@pytest.fixture(scope="module")
async def ferretdb(ferretdb_url: str) -> AsyncIterator[MongodbDocuments]:
    async with opened(ferretdb_url) as store:
        yield store


@pytest.fixture(scope="module")
async def mongo_java(mongo_java_url: str) -> AsyncIterator[MongodbDocuments]:
    async with opened(mongo_java_url) as store:
        yield store


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[MongodbDocuments]:
    """Give the store of a URL, and close it."""
    store = MongodbDocuments(url)
    try:
        await store.open()
        yield store
    finally:
        await store.close()


@pytest.fixture(params=["half a surrogate pair", "too large"])
def unfit(request: pytest.FixtureRequest) -> Body:
    texts = {"half a surrogate pair": "\ud83d", "too large": "x" * ITEM_BYTES_MAX}
    return {"text": texts[request.param]}


class TestFerretDB(DocumentsSuite):
    """Over a wire with TLS and login, on PostgreSQL."""

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, ferretdb: MongodbDocuments) -> Case:
        return Case(ferretdb, body)


class TestMongoJava(DocumentsSuite):
    """With atomic updates, and MongoDB's errors of a bulk. It orders texts by UTF-16, MongoDB by UTF-8: one id is left out."""

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, mongo_java: MongodbDocuments) -> Case:
        return Case(mongo_java, body, ids=[id_ for id_ in STRANGE_IDS if "😀" not in id_])

    async def test_eight_writers_of_one_item_end_on_the_newest_each_time(self, home: Home) -> None:
        for round_ in range(10):
            items = [home.item(f"thing/{round_}", version) for version in range(1, 9)]
            slots = [Slot(1, number, 8) for number in range(8)]
            await asyncio.gather(*(home.apply(item, slot=slot) for item, slot in zip(items, slots, strict=True)))
            assert await home.read(items[-1].id) == {items[-1].id: items[-1]}

    async def test_writers_of_one_slot_leave_its_furthest_position(self, home: Home) -> None:
        await asyncio.gather(*(home.apply(home.item(f"thing/{at}", 1), at=at) for at in range(1, 9)))
        assert await home.position() == Position(8, 8)


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        (("only-for-tests", "wrong-password"), BadInputError, "refuses who ENTREPOT_DOCUMENTS_URL names"),
        (("?ca=", "?nobody="), BadInputError, "nobody"),
        (("?ca=", "?app="), BadInputError, "app"),
        (("ca.pem", "none.pem"), BadInputError, "cannot be used"),
        (("mongodbs", "mongodb"), BadInputError, "is not encrypted"),
        (("batch=20", "batch=0"), BadInputError, "batch"),
    ],
)
async def test_what_is_wrong_with_a_url_is_said_without_its_password(
    ferretdb_url: str, changed: tuple[str, str], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told) as refused:
        async with opened(trusting("documents", ferretdb_url.replace(*changed))):
            pass
    assert "only-for-tests" not in str(refused.value)
    assert "wrong-password" not in str(refused.value)


async def test_a_certificate_of_an_authority_that_is_not_trusted_is_refused(ferretdb_url: str) -> None:
    with pytest.raises(BadInputError, match="does not fit"):
        async with opened(ferretdb_url.partition("?")[0]):
            pass


async def test_a_mongodb_that_is_not_there_is_told_as_away() -> None:
    with pytest.raises(EngineAwayError, match="documents engine does not answer"):
        async with opened("mongodb://127.0.0.1:1/none"):
            pass


async def test_a_collection_that_somebody_else_made_is_left_as_it_is(ferretdb: MongodbDocuments, ferretdb_url: str) -> None:
    async with connect(ferretdb_url) as client:
        theirs = client[database_of(ferretdb_url)]["taken_g1"]
        await theirs.replace_one({"_id": "theirs"}, {"kept": True}, upsert=True)
        with pytest.raises(BadInputError, match="did not make"):
            await ferretdb.create(Target("taken", 1))
        await ferretdb.drop(Target("taken", 1))
        assert await theirs.count_documents({}) == 1


async def test_a_late_batch_never_makes_a_collection_that_was_dropped(ferretdb: MongodbDocuments) -> None:
    async with fresh(Case(ferretdb, body)) as home:
        await ferretdb.drop(home.target)
        with pytest.raises(EngineAwayError, match="not there"):
            await home.apply(home.item("thing/1", 1))
        await ferretdb.create(home.target)
        assert await home.live() == []


async def test_sharding_is_asked_of_a_router_and_told_where_there_is_none(ferretdb_url: str) -> None:
    store = MongodbDocuments(f"{ferretdb_url}&shard=hashed")
    await store.open()
    with pytest.raises(BadInputError, match="leads to no router of a sharded cluster"):
        await store.create(Target("spread", 1))
    await store.drop(Target("spread", 1))
    await store.close()
