"""Elasticsearch keeps what every store keeps, answers what every search engine answers, and tells what is wrong."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.base.projection import Body, Target
from entrepot.engines.search.elasticsearch import ElasticsearchStore
from entrepot.engines.search.elasticsearch_wire import connect
from tests.conformance.search_case import body, fill
from tests.conformance.search_items import SHAPE
from tests.conformance.search_suite import Filled, SearchSuite
from tests.conformance.store_suite import Case, RefusingStoreSuite, fresh
from tests.conftest import SECRET


@pytest.fixture(scope="module")
async def store(elasticsearch_url: str) -> AsyncIterator[ElasticsearchStore]:
    store = ElasticsearchStore(elasticsearch_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(scope="module")
def case(store: ElasticsearchStore) -> Case:
    return Case(store, body, SHAPE)


@pytest.fixture(scope="module")
async def filled(store: ElasticsearchStore) -> Filled:
    return await fill(store)


@pytest.fixture
def unfit() -> Body:
    return {"rank": "not a number"}


class TestElasticsearchStore(RefusingStoreSuite):
    """Elasticsearch: what every store keeps."""


class TestElasticsearchSearch(SearchSuite):
    """Elasticsearch: what every search engine answers."""


def otherwise(url: str, **parts: str) -> str:
    """Return the URL with parts of it replaced: ``password``, ``scheme``, or options of its query."""
    split = urlsplit(url)
    place = split.netloc.replace(f":{split.password}@", f":{parts.pop('password', split.password)}@")
    scheme = parts.pop("scheme", split.scheme)
    query = dict(parse_qsl(split.query)) | parts
    kept = urlencode({name: value for name, value in query.items() if value}, safe="/:")
    return urlunsplit((scheme, place, split.path, kept, ""))


@pytest.mark.parametrize(
    ("parts", "error", "says"),
    [
        ({"password": "guess"}, BadInputError, "refuses the user or key of ENTREPOT_SEARCH_URL"),
        ({"ca": ""}, BadInputError, "certificate does not fit"),
        ({"scheme": "elasticsearch", "ca": ""}, EngineAwayError, "search engine does not answer"),
    ],
)
async def test_a_wrong_url_is_told_in_a_sentence_without_its_password(
    elasticsearch_url: str, parts: dict[str, str], error: type[Exception], says: str
) -> None:
    wrong = ElasticsearchStore(otherwise(elasticsearch_url, **parts))
    with pytest.raises(error, match=says) as told:
        await wrong.open()
    assert parts.get("password", SECRET) not in str(told.value)
    await wrong.close()


async def test_another_product_behind_the_url_is_named(objects_url: str) -> None:
    wrong = ElasticsearchStore(f"elasticsearch://{urlsplit(objects_url).netloc}")
    with pytest.raises(BadInputError, match="ENTREPOT_SEARCH_URL"):
        await wrong.open()
    await wrong.close()


@pytest.mark.parametrize("name", ["entrepot-taken_g1", "entrepot-taken_g1.items"])
async def test_an_index_that_somebody_else_made_is_left_as_it_is(
    store: ElasticsearchStore, elasticsearch_url: str, name: str
) -> None:
    async with connect(elasticsearch_url) as client:
        await client.indices.delete(index=name, ignore_unavailable=True)
        await client.index(index=name, id="theirs", document={"kept": True}, refresh=True)
        with pytest.raises(BadInputError, match="did not make"):
            await store.create(Target("taken", 1, SHAPE))
        if name.endswith(".items"):
            with pytest.raises(BadInputError, match="did not make"):
                await store.drop(Target("taken", 1, SHAPE))
        assert (await client.count(index=name))["count"] == 1
        await client.indices.delete(index=name)


async def test_a_read_only_index_is_waited_for_and_nothing_is_lost(
    case: Case, store: ElasticsearchStore, elasticsearch_url: str
) -> None:
    async with fresh(case) as home, connect(elasticsearch_url) as client:
        index = f"entrepot-{home.target.name}"
        await client.indices.put_settings(index=index, settings={"index.blocks.read_only_allow_delete": True})
        with pytest.raises(EngineAwayError, match="does not answer"):
            await home.apply(home.item("thing/1", 1), at=7)
        await client.indices.put_settings(index=index, settings={"index.blocks.read_only_allow_delete": None})
        await home.apply(home.item("thing/1", 1), at=7)
        assert await home.live() == [home.item("thing/1", 1)]


async def test_a_late_batch_never_makes_an_index_that_was_dropped(case: Case, store: ElasticsearchStore) -> None:
    async with fresh(case) as home:
        await store.drop(home.target)
        with pytest.raises(EngineAwayError, match="not there"):
            await home.apply(home.item("thing/1", 1))
        await store.create(home.target)
        assert await home.live() == []


async def test_shards_and_replicas_of_a_cluster_are_what_the_url_says(elasticsearch_url: str) -> None:
    store = ElasticsearchStore(otherwise(elasticsearch_url, shards="3", replicas="2"))
    target = Target("spread", 1, SHAPE)
    await store.drop(target)
    await store.create(target)
    async with connect(elasticsearch_url) as client:
        told = await client.indices.get_settings(index="entrepot-spread_g1", flat_settings=True)
    (settings,) = (one["settings"] for one in told.values())
    assert (settings["index.number_of_shards"], settings["index.number_of_replicas"]) == ("3", "2")
    await store.drop(target)
    await store.close()


async def test_a_lifecycle_that_the_server_does_not_know_is_told(elasticsearch_url: str) -> None:
    """The server of these tests comes without lifecycles; on one that has them the setting names the policy."""
    store = ElasticsearchStore(otherwise(elasticsearch_url, lifecycle="a-year"))
    with pytest.raises(BadInputError, match="knows no lifecycle policies"):
        await store.create(Target("lived", 1, SHAPE))
    await store.close()
