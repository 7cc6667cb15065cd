"""The console's pages for what is unusual: no price, no stock, several variants, wrong addresses, forms of other sites."""

from collections.abc import Mapping

import pytest

from entrepot.commerce.pricing.commands import save_market
from entrepot.console.language import preferred
from tests.house import House

PAGE = {"Accept": "text/html"}


async def make(house: House, body: Mapping[str, object]) -> str:
    """Make a product and return the address of its page, once it can be read."""
    made = await house.client.post("/v1/products", json=body)
    assert made.status_code == 201, made.text
    await house.seen_by_all()
    return f"/products/{made.json()['id']}"


async def test_a_product_without_price_stock_or_english_has_a_page(house: House) -> None:
    bare = {"code": "BARE", "texts": {"de": {"title": "Nacktes <Ding>"}}, "variants": [{"sku": "BARE-1"}]}
    answer = await house.client.get(f"{await make(house, bare)}?market=uk", headers=PAGE)
    assert answer.status_code == 200
    assert "Nacktes &lt;Ding&gt;" in answer.text
    assert "Not sold in the market uk" in answer.text
    assert "Out of stock" in answer.text
    assert "Buy now" not in answer.text


async def test_a_product_with_several_variants_offers_each_at_its_price(house: House) -> None:
    variants = [{"sku": f"SHIRT-{size}", "options": {"size": size}} for size in ("S", "L")]
    page = await make(house, {"code": "SHIRT", "texts": {"en": {"title": "Shirt"}}, "variants": variants})
    prices = [
        {"sku": "SHIRT-S", "market": "uk", "currency": "GBP", "amount_minor": 1_000},
        {"sku": "SHIRT-L", "market": "uk", "currency": "GBP", "amount_minor": 1_250},
    ]
    await house.client.put(f"/v1{page}/prices", json={"prices": prices})
    await house.seen_by_all()
    text = (await house.client.get(f"{page}?market=uk", headers=PAGE)).text
    assert "from £10.00" in text
    assert "£12.50" in text
    assert "size: L (out of stock)" in text


async def test_a_visitor_finds_what_is_sold_in_their_market_and_is_told_where_the_rest_is(house: House) -> None:
    async with house.app.record.transaction(house.app.settings.cell) as tx:
        await save_market(tx, "ca", "CAD")
    page = await make(house, {"code": "CANOE", "texts": {"en": {"title": "Canoe"}}, "variants": [{"sku": "CANOE"}]})
    price = {"sku": "CANOE", "market": "ca", "currency": "CAD", "amount_minor": 90_000}
    await house.client.put(f"/v1{page}/prices", json={"prices": [price]})
    await house.seen_by_all()
    here = (await house.client.get("/search?q=canoe&market=uk", headers=PAGE)).text
    assert "Nothing matches" in here
    assert "1 product is sold in other markets, not in uk" in here
    assert "market=ca" in here
    assert f"{page}?market=ca" in (await house.client.get("/search?q=canoe&market=ca", headers=PAGE)).text
    suggested = (await house.client.get("/suggest?q=canoe&market=uk")).json()
    assert "canoe" not in {one["text"].casefold() for one in suggested}  # others a slip away may be
    assert [one["text"] for one in (await house.client.get("/suggest?q=canoe&market=ca")).json()] == ["canoe", "Canoe"]
    text = (await house.client.get(f"{page}?market=uk", headers=PAGE)).text
    assert "Not sold in the market uk" in text
    assert f'href="{page}?market=ca"' in text


async def test_what_the_catalogue_says_is_said_in_the_visitor_s_language(house: House) -> None:
    texts = {"en": {"title": "Spinning top"}, "de": {"title": "Brummkreisel"}}
    page = await make(house, {"code": "TOP", "texts": texts, "variants": [{"sku": "TOP"}]})
    wanted = {"de-AT,de;q=0.9": "Brummkreisel", "fi": "Spinning top", "": "Spinning top"}
    for languages, title in wanted.items():
        assert f"<h1>{title}</h1>" in (await house.client.get(page, headers={**PAGE, "Accept-Language": languages})).text


@pytest.mark.parametrize(
    ("header", "locale"),
    [("", "en"), ("de", "de"), ("fr;q=0.5, de-CH;q=0.9", "de-CH"), ("*", "en"), ("de;q=x,it", "it"), ("<i>,;q=,", "en")],
)
def test_the_language_a_browser_likes_best_is_read(header: str, locale: str) -> None:
    assert preferred(header) == locale


@pytest.mark.parametrize(
    ("path", "status", "part"),
    [
        ("/products/01a2045d-d0bd-7265-a293-cb026554d5e6", 404, "no longer offered"),
        ("/orders/01a2045d-d0bd-7265-a293-cb026554d5e6", 404, "no order"),
        ("/orders?cursor=x", 400, "cursor"),
        ("/sales?period=century", 400, "century"),
        ("/engine-room/boiler", 404, "boiler"),
        ("/engine-room/engine/boiler", 404, "boiler"),
        ("/engine-room/engine/stream", 404, "none is named"),
        ("/search?colour=red", 400, "colour"),
        ("/search?from=cheap", 400, "cheap"),
    ],
)
async def test_a_page_that_cannot_be_shown_says_why(house: House, path: str, status: int, part: str) -> None:
    answer = await house.client.get(path, headers=PAGE)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert part in answer.text


async def test_a_form_from_another_site_is_refused_with_a_page(house: House) -> None:
    answer = await house.nobody.post("/cart/lines", headers={**PAGE, "Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "Another site" in answer.text


async def test_no_page_lets_in_what_is_not_ours_and_none_is_kept(house: House) -> None:
    for path in ("/", "/search", "/orders", "/sales", "/engine-room", "/v1/docs"):
        answer = await house.client.get(path, headers=PAGE)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
        for word in ("<style", " style=", "onclick=", "<script>", 'src="http', 'href="http'):
            assert word not in answer.text, (path, word)


async def test_only_who_may_watch_the_house_is_shown_its_pulse(house: House) -> None:
    pages = [(await client.get("/", headers=PAGE)).text for client in (house.nobody, house.client, house.nobody)]
    assert ['class="pulse"' in one for one in pages] == [False, True, False]


async def test_every_engine_answers_and_what_was_counted_is_told(house: House) -> None:
    ready = (await house.client.get("/readyz")).json()
    assert ready["ready"] is True
    assert set(ready["engines"]) == {"record", "documents", "search", "columns", "graph", "memory", "objects"}
    text = (await house.client.get("/metrics")).text
    assert "entrepot_requests_total" in text
    assert 'entrepot_projection_lag_events{projection="live_stock"}' in text


@pytest.mark.parametrize(
    ("name", "product"), [("live_stock", "Redis"), ("bought_together", "FalkorDB"), ("product_search", "tantivy")]
)
async def test_a_lane_tells_which_engine_stands_behind_it(house: House, name: str, product: str) -> None:
    page = (await house.client.get(f"/engine-room/{name}", headers=PAGE)).text
    told = page.partition('id="engine"')[2].partition("</section>")[0]
    assert product in told
    assert "one server" in told
    assert "An event counts once by:" in told
    assert "does not answer" not in told


async def test_without_a_series_engine_the_pulse_says_how_to_have_one(house: House) -> None:
    answer = await house.client.get("/engine-room/pulse", headers=PAGE)
    assert answer.status_code == 200
    assert "ENTREPOT_SERIES_URL" in answer.text
