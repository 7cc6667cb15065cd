"""Finding products in a small shop of several languages, through the real projection and engine."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec import Struct

from entrepot.base.errors import BadInputError
from entrepot.base.event import Event, Position
from entrepot.base.projection import Slot, Target
from entrepot.bench.projecting import projected
from entrepot.commerce.catalog.events import (
    CATEGORY_CHANGED,
    PRODUCT_CHANGED,
    AttributeValue,
    CategoryChanged,
    ProductChanged,
    ProductText,
    Variant,
)
from entrepot.commerce.pricing.events import PRICES_SET, Price, PricesSet
from entrepot.engines.search.tantivy import TantivyStore
from entrepot.projections.product_search.facets import Facet, Value
from entrepot.projections.product_search.project import ProductSearch
from entrepot.projections.product_search.query import Results, Wanted, search
from entrepot.projections.product_search.suggest import Suggestions, suggest

AUDIO, EARS = UUID(int=1_000), UUID(int=1_001)
HEADSET = 23

HEADPHONES = {
    "cs-CZ": "Sluchátka",
    "da-DK": "Hovedtelefoner",
    "de-CH": "Kopfhörer",
    "de-DE": "Kopfhörer",
    "en-AU": "Headphones",
    "en-GB": "Headphones",
    "en-US": "Headphones",
    "es-ES": "Auriculares",
    "fr-CH": "Casques audio",
    "fr-FR": "Casques audio",
    "it-CH": "Cuffie",
    "it-IT": "Cuffie",
    "ja-JP": "ヘッドホン",
    "nl-NL": "Hoofdtelefoons",
    "no-NO": "Hodetelefoner",
    "pl-PL": "Słuchawki",
    "pt-BR": "Fones de ouvido",
    "ru-RU": "Наушники",
    "sv-SE": "Hörlurar",
    "tr-TR": "Kulaklık",  # noqa: RUF001  # Turkish has it
    "zh-CN": "耳机",
}


@dataclass(frozen=True)
class Sold:
    """A product of the test shop: its price is in GBP pence; one without is sold only in the US, for one dollar."""

    titles: Mapping[str, str]
    brand: str
    price: int | None
    attributes: Mapping[str, AttributeValue]
    inside: tuple[UUID, ...] = ()


def _shop() -> list[Sold]:
    laptops = [
        Sold(
            {"en": f"Acme Book {n} notebook 15 inch"},
            "Acme",
            50_000 + n * 1_000,
            {"model": f"Book {n}", "colour": ("Black", "Silver")[n % 2], "ram": n % 3 * 4},
        )
        for n in range(1, 13)
    ]
    cables = [
        Sold({"en": f"Wiro HDMI cable {n} m"}, "Wiro", 500 + n * 100, {"colour": "Black", "cable_length": float(n)})
        for n in range(1, 9)
    ]
    return [
        *laptops,
        *cables,
        Sold({"en": "Targo notebook case black", "de": "Targo Notebooktasche schwarz"}, "Targo", 2_500, {"colour": "Black"}),
        Sold(
            {"en": "Sonor Bass 7 in-ear", "fr": "Sonor Bass 7 intra-auriculaires"},
            "Sonor",
            9_900,
            {"model": "SB7-1211ea"},
            (AUDIO, EARS),
        ),
        Sold({"en": "Sonor stereo headset", "ja": "ソナー ワイヤレスヘッドセット"}, "Sonor", None, {}, (AUDIO,)),
        Sold({"en": "Sonor Wi-Fi radio", "de": "Sonor WLAN-Radio"}, "Sonor", 7_000, {"bluetooth": True}, (AUDIO,)),
    ]


def _events() -> list[Event]:
    told: list[tuple[str, str, Struct]] = [
        (CATEGORY_CHANGED, f"category/{AUDIO}", CategoryChanged(id=AUDIO, code="1", names={"en-US": "Audio"}, path=[AUDIO])),
        (
            CATEGORY_CHANGED,
            f"category/{EARS}",
            CategoryChanged(id=EARS, code="2", parent_id=AUDIO, names=HEADPHONES, path=[AUDIO, EARS]),
        ),
    ]
    for number, sold in enumerate(_shop(), start=1):
        id_ = UUID(int=number)
        product = ProductChanged(
            id=id_,
            code=f"P{number}",
            brand=sold.brand,
            texts={locale: ProductText(title=title) for locale, title in sold.titles.items()},
            category_ids=list(sold.inside[-1:]),
            category_path_ids=list(sold.inside),
            attributes=dict(sold.attributes),
            variants=[Variant(id=id_, sku=f"SKU-{number}", barcodes=[f"40000000000{number:02}"])],
            released_on=date(2020, 1, number),
        )
        market, currency, minor = ("US", "USD", 100) if sold.price is None else ("GB", "GBP", sold.price)
        prices = [Price(variant_id=id_, market=market, currency=currency, amount_minor=minor)]
        told += [
            (PRODUCT_CHANGED, f"product/{id_}", product),
            (PRICES_SET, f"product/{id_}", PricesSet(product_id=id_, prices=prices)),
        ]
    return [
        Event(1, UUID(int=at), Position(at, at), 0, kind, key, 1, msgspec.Raw(msgspec.json.encode(body)))
        for at, (kind, key, body) in enumerate(told, start=1)
    ]


@dataclass(frozen=True)
class Shop:
    """The filled index, and short words for asking it."""

    store: TantivyStore
    target: Target

    async def ask(self, text: str = "", locale: str = "en", **wanted: object) -> Results:
        """Search for a text, in every market unless one is named."""
        asked: dict[str, object] = {"text": text, "locale": locale, "limit": 100} | wanted
        return await search(self.store, self.target, msgspec.convert(asked, Wanted))

    async def titles(self, text: str, locale: str = "en", **wanted: object) -> list[str]:
        """Return the titles found."""
        return [hit.title for hit in (await self.ask(text, locale, **wanted)).hits]

    async def suggest(self, text: str, locale: str = "en", market: str = "") -> Suggestions:
        """Return what is suggested."""
        return await suggest(self.store, self.target, text, locale, market=market)


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    store = TantivyStore(f"tantivy://{tmp_path_factory.mktemp('shop')}")
    projection = ProductSearch()
    target = Target(projection.name, 1, projection.shape)
    await projected(store, projection, target, _events(), Slot(1))
    yield Shop(store, target)
    await store.close()


def facet(results: Results, field: str) -> Facet:
    return next(each for each in results.facets if each.field == field)


def choice(field: str, value: Value) -> dict[str, Any]:
    """Return what is wanted by who chooses this value of a facet."""
    name, _, key = field.partition(".")
    low, below = value.low and int(value.low), value.below and int(value.below)
    choices: dict[str, dict[str, Any]] = {
        "brand": {"brands": [value.value]},
        "category": {"categories": [value.value]},
        "attributes": {"attributes": {key: [value.value]}},
        "numbers": {"numbers": {key: (value.low, value.below)}},
        "price": {"price_low": low, "price_below": below},
    }
    return choices[name]


async def test_a_plural_finds_the_singular_and_the_thing_before_its_case(shop: Shop) -> None:
    titles = await shop.titles("notebooks")
    assert len(titles) == 13
    assert titles[-1] == "Targo notebook case black"


@pytest.mark.parametrize("locale", HEADPHONES)
async def test_a_category_by_its_name_in_any_locale_finds_what_lies_in_it(shop: Shop, locale: str) -> None:
    assert (await shop.titles(HEADPHONES[locale], locale))[0].startswith("Sonor Bass 7")


async def test_a_word_of_a_category_s_name_does_not_name_the_category(shop: Shop) -> None:
    assert (await shop.ask("fones", "pt-BR")).total == 0
    assert (await shop.ask("fones de ouvido", "pt-BR")).total == 1


async def test_a_category_finds_what_lies_below_it(shop: Shop) -> None:
    assert set(await shop.titles("audio")) == {"Sonor Bass 7 in-ear", "Sonor stereo headset", "Sonor Wi-Fi radio"}


@pytest.mark.parametrize(
    ("text", "locale", "title"),
    [
        ("SB7-1211ea", "en", "Sonor Bass 7 in-ear"),
        ("1211ea", "en", "Sonor Bass 7 in-ear"),
        ("sb71211ea", "en", "Sonor Bass 7 in-ear"),
        ("SKU-22", "en", "Sonor Bass 7 in-ear"),
        ("4000000000022", "en", "Sonor Bass 7 in-ear"),
        ("head set", "en", "Sonor stereo headset"),
        ("wifi radio", "en", "Sonor Wi-Fi radio"),
        ("ヘッドセット", "ja", "ソナー ワイヤレスヘッドセット"),
        ("intra auriculaire", "fr", "Sonor Bass 7 intra-auriculaires"),
        ("Notebooktaschen", "de", "Targo Notebooktasche schwarz"),
        ("bluetooth", "en", "Sonor Wi-Fi radio"),
        ("sonor hea", "en", "Sonor stereo headset"),
    ],
)
async def test_a_product_is_found_by_what_people_type_for_it(shop: Shop, text: str, locale: str, title: str) -> None:
    assert (await shop.titles(text, locale))[0] == title


@pytest.mark.parametrize(
    ("typed", "searched"), [("hdmi cabel", "hdmi cable"), ("hdmicable", "hdmi cable"), ("notbook", "notebook")]
)
async def test_what_occurs_nowhere_is_read_as_what_was_meant(shop: Shop, typed: str, searched: str) -> None:
    results = await shop.ask(typed)
    assert results.searched == searched
    assert results.total >= 8


async def test_words_that_only_join_others_are_not_looked_for_and_still_shown(shop: Shop) -> None:
    results = await shop.ask("radio with the wi-fi")
    assert (results.searched, results.total) == ("radio with the wi-fi", 1)


async def test_products_with_all_words_come_before_those_with_some(shop: Shop) -> None:
    titles = await shop.titles("sonor radio")
    assert titles[0] == "Sonor Wi-Fi radio"
    assert set(titles[1:]) == {"Sonor Bass 7 in-ear", "Sonor stereo headset"}


@pytest.mark.parametrize("text", ["zzzzqqq", "!!!", "  ", '"', "a" * 600, "(AND", "*", "notebook\x00"])
async def test_any_text_gets_an_answer(shop: Shop, text: str) -> None:
    results = await shop.ask(text)
    assert results.total == len(results.hits)


@pytest.mark.parametrize("market", ["", "GB"])
async def test_each_facet_value_leaves_as_many_products_as_it_says(shop: Shop, market: str) -> None:
    results = await shop.ask(market=market)
    assert results.facets
    for each in results.facets:
        for value in each.values:
            chosen = choice(each.field, value)
            assert (await shop.ask(market=market, **chosen)).total == value.count, (each.field, value)


async def test_in_a_market_only_what_is_sold_there_is_found(shop: Shop) -> None:
    assert [hit.title for hit in (await shop.ask("sonor", market="US")).hits] == ["Sonor stereo headset"]
    assert (await shop.ask("sonor", market="GB")).total == 2
    assert ((await shop.ask(market="GB")).total, (await shop.ask(market="US")).total, (await shop.ask()).total) == (23, 1, 24)
    assert (await shop.ask(market="US", categories=[AUDIO])).total == 1


async def test_where_nothing_is_sold_here_one_is_told_how_much_there_is_elsewhere(shop: Shop) -> None:
    nowhere = await shop.ask("headset", market="GB")
    assert (nowhere.total, nowhere.elsewhere) == (0, 1)
    assert (await shop.ask("headset", market="US")).elsewhere == 0
    assert (await shop.ask("notebook", market="FR", price_low=1)).elsewhere == 13
    assert (await shop.ask("zzzzqqq", market="GB")).elsewhere == 0


async def test_a_chosen_value_leaves_the_other_values_of_its_facet_to_be_added(shop: Shop) -> None:
    results = await shop.ask(brands=["Acme"])
    assert [(value.value, value.count) for value in facet(results, "brand").values] == [
        ("Acme", 12),
        ("Wiro", 8),
        ("Sonor", 3),
        ("Targo", 1),
    ]
    assert {hit.brand for hit in results.hits} == {"Acme"}


async def test_facets_are_those_that_are_particular_to_the_results(shop: Shop) -> None:
    assert "numbers.cable_length" in {each.field for each in (await shop.ask("hdmi cable")).facets}
    assert "numbers.cable_length" not in {each.field for each in (await shop.ask("notebook")).facets}


async def test_a_chosen_attribute_stays_a_facet(shop: Shop) -> None:
    results = await shop.ask("notebook", numbers={"ram": (8.0, None)})
    assert facet(results, "numbers.ram").values
    assert results.total == 4


async def test_a_price_range_keeps_what_lies_in_it(shop: Shop) -> None:
    results = await shop.ask(market="GB", price_low=1_000, price_below=7_000)
    assert all(hit.price and 1_000 <= hit.price.amount_minor < 7_000 for hit in results.hits)
    assert results.total == 5


async def test_a_price_is_the_lowest_of_the_market_or_none_without_one(shop: Shop) -> None:
    (radio,) = (await shop.ask("radio", market="GB")).hits
    assert radio.price
    assert (radio.price.amount_minor, radio.price.currency, radio.price.several) == (7_000, "GBP", False)
    assert (await shop.ask("radio")).hits[0].price is None


@pytest.mark.parametrize("sort", ["relevance", "price-up", "price-down", "newest", "name"])
async def test_pages_in_any_order_show_every_product_once(shop: Shop, sort: str) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = await shop.ask(sort=sort, limit=5, cursor=cursor, market="GB")
        seen += [hit.code for hit in page.hits]
        cursor = page.cursor
        if not cursor:
            break
    assert sorted(seen) == sorted(f"P{number}" for number in range(1, 25) if number != HEADSET)


async def test_products_are_sorted_by_price_age_and_name(shop: Shop) -> None:
    dear, cheap = [
        [hit.price.amount_minor for hit in (await shop.ask(sort=sort, market="GB")).hits if hit.price]
        for sort in ("price-down", "price-up")
    ]
    assert dear[::-1] == cheap == sorted(cheap)
    assert (await shop.ask(sort="newest")).hits[0].code == "P24"
    titles = [title.casefold() for title in await shop.titles("", sort="name")]
    assert titles == sorted(titles)


async def test_sorting_by_price_without_a_market_is_refused(shop: Shop) -> None:
    with pytest.raises(BadInputError, match="within a market"):
        await shop.ask(sort="price-up", market="")


async def test_suggestions_complete_the_text_and_name_brands_categories_and_products(shop: Shop) -> None:
    assert (await shop.suggest("wiro hd")).texts == ["wiro hdmi"]
    assert (await shop.suggest("so")).brands == ["Sonor"]
    assert [category.name for category in (await shop.suggest("kopf", "de-DE")).categories] == ["Kopfhörer"]
    assert [product.title for product in (await shop.suggest("ワイヤ", "ja")).products] == ["ソナー ワイヤレスヘッドセット"]


async def test_in_a_market_only_what_is_sold_there_is_suggested(shop: Shop) -> None:
    assert not (await shop.suggest("headset", market="GB")).products
    here = await shop.suggest("head", market="US")
    assert (here.texts, [product.title for product in here.products]) == (["headset"], ["Sonor stereo headset"])
    assert not (await shop.suggest("wir", market="US")).texts
    assert not (await shop.suggest("headph", market="US")).categories
    assert [category.name for category in (await shop.suggest("audi", market="US")).categories] == ["Audio"]
    assert (await shop.suggest("so", market="US")).brands == ["Sonor"]


async def test_suggestions_forgive_a_typing_error_and_empty_texts(shop: Shop) -> None:
    assert (await shop.suggest("notebok")).products
    assert await shop.suggest("") == Suggestions()
