"""Product pages: cached, told apart by their tags, fetched once however many ask, and forgotten when the log says so."""

import asyncio
from uuid import UUID, uuid4

from entrepot.api.metrics import Metrics
from entrepot.api.page_cache import PROJECTION, PageCache
from entrepot.base.projection import Target
from entrepot.engines.documents.port import DocumentStore
from tests.house import House


async def product(house: House, code: str = "KETTLE-ALDER-BLACK") -> str:
    found = (await house.client.get(f"/v1/search?q={code}&market=uk")).json()
    return next(str(hit["product_id"]) for hit in found["hits"] if hit["code"] == code)


class Counting:
    """Documents that count how often they are asked, and wait until they may answer."""

    def __init__(self, inside: DocumentStore) -> None:
        self.inside, self.asked = inside, 0
        self.has_asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def get(self, target: Target, ids: list[str]) -> dict[str, bytes]:
        self.asked += 1
        self.has_asked.set()
        found = await self.inside.get(target, ids)
        await self.may_answer.wait()
        return found


async def test_a_page_is_sent_once_and_then_only_its_tag_is_compared(house: House) -> None:
    path = f"/v1/products/{await product(house)}"
    first = await house.client.get(path)
    assert first.json()["code"] == "KETTLE-ALDER-BLACK"
    again = await house.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_a_changed_product_has_a_new_page_and_a_new_tag(house: House) -> None:
    path = f"/v1/products/{await product(house, 'MUG-BIRCH-WHITE')}"
    before = await house.client.get(path)
    draft = {
        "code": "MUG-BIRCH-WHITE",
        "texts": {"en": {"title": "Handle"}},
        "variants": [{"sku": "MUG-BIRCH-WHITE"}],
    }
    changed = await house.client.put("/v1/products/MUG-BIRCH-WHITE", json=draft)
    assert changed.json()["changed"] is True
    await house.seen_by_all()
    after = await house.client.get(path)
    assert after.json()["texts"]["en"]["title"] == "Handle"
    assert after.headers["ETag"] != before.headers["ETag"]


async def test_many_who_ask_at_once_cost_one_fetch(house: House) -> None:
    documents = Counting(house.app.stores.documents)
    cache = PageCache(documents, house.app.live, Metrics())  # type: ignore[arg-type]  # it counts the one call that the cache makes
    product_id = UUID(await product(house))
    asking = [asyncio.create_task(cache.page(product_id)) for _ in range(50)]
    await documents.has_asked.wait()
    documents.may_answer.set()
    bodies = {page.body for page in await asyncio.gather(*asking)}
    assert (len(bodies), documents.asked) == (1, 1)
    assert cache.found(product_id) is not None


async def test_a_page_that_changes_while_it_is_fetched_is_not_kept(house: House) -> None:
    documents = Counting(house.app.stores.documents)
    cache = PageCache(documents, house.app.live, Metrics())  # type: ignore[arg-type]  # as above
    product_id = UUID(await product(house))
    asking = asyncio.create_task(cache.page(product_id))
    await documents.has_asked.wait()
    cache._changed(PROJECTION, [f"product/{product_id}"])
    documents.may_answer.set()
    assert (await asking).body
    assert cache.found(product_id) is None


async def test_an_unknown_product_is_not_found_by_any_who_ask_at_once(house: House) -> None:
    missing = str(uuid4())
    answers = await asyncio.gather(*(house.client.get(f"/v1/products/{missing}") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {404}


async def test_a_list_keeps_the_order_asked_and_leaves_out_what_is_not_offered(house: House) -> None:
    first, second = await product(house, "TRAY-BIRCH-RED"), await product(house, "TRAY-ALDER-RED")
    for _ in range(2):  # the second time from the cache
        answer = await house.client.get(f"/v1/products?ids={first},{uuid4()},{second}")
        assert [item["id"] for item in answer.json()["items"]] == [first, second]


async def test_all_products_are_listed_once_page_by_page(house: House) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await house.client.get(f"/v1/products?limit=20&cursor={cursor}")).json()
        seen += [item["code"] for item in page["items"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen))
    assert {"MUG-CEDAR-RED", "TRAY-ALDER-BLACK"} < set(seen)


async def test_what_is_bought_together_is_told_with_how_many_baskets(house: House) -> None:
    path = f"/v1/products/{await product(house)}/bought-together"
    items = (await house.client.get(path)).json()["items"]
    assert items
    assert items[0]["baskets"] >= 3
