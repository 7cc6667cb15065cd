"""Products and categories come in by their mappings: in every language, with price and stock, and only what changed."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from entrepot.base.errors import BadInputError
from entrepot.cli.history import furnish_markets
from entrepot.commerce.catalog.store import categories
from entrepot.commerce.pricing.store import countries
from entrepot.commerce.shipping.store import methods
from entrepot.importing.accounting import Report
from entrepot.importing.categories import import_categories
from entrepot.importing.data import DataFile, DataSet, find_data
from entrepot.importing.mapping import load_mapping
from entrepot.importing.products import import_products
from entrepot.record.transaction import Record
from tests.imports import SETTINGS, sheet, unseen
from tests.trade import left

ICECAT: dict[str, object] = {
    "id": "1",
    "name": "dv7",
    "title": "HP dv7",
    "short_description": "",
    "supplier": "HP",
    "price": 10995,
    "ean": ["0884420588030"],
    "date_released": "2008-12-19T00:00:00Z",
    "img_500x500": "http://images/1.jpg",
    "attributes": '{"t_colour": "Silver", "n_weight": 3.0, "b_touch": false}',
}
TAXONOMY = (
    (1, "en-US", "Animals"),
    (2, "en-US", "Animals > Live"),
    (1, "no-NO", "Dyr"),
    (2, "no-NO", "Dyr  > Levende"),
    (1, "ja-JP", "動物"),
    (9, "ja-JP", "動物 > 金魚"),
    (9, "ja-JP", "動物 > 金魚"),
    (7, "ja-JP", "無い > 魚"),
)


async def icecat(record: Record, folder: Path, *rows: dict[str, object]) -> Report:
    file = folder / "icecat.parquet"
    pq.write_table(pa.Table.from_pylist([{**ICECAT, **row} for row in rows]), file)
    return await import_products(record, SETTINGS, file, load_mapping("icecat"), unseen, rejects=folder / "rejects.jsonl")


async def taxonomy(record: Record, folder: Path) -> Report:
    file = folder / "taxonomy.jsonl"
    lines = (json.dumps(dict(zip(("id", "locale", "path"), row, strict=True))) for row in TAXONOMY)
    file.write_text("\n".join(lines))
    mapping = load_mapping("google-taxonomy")
    return await import_categories(record, SETTINGS, file, mapping, unseen, rejects=folder / "rejects.jsonl")


async def test_a_product_comes_with_everything_its_row_says(record: Record, tmp_path: Path) -> None:
    await icecat(record, tmp_path, {})
    async with record.reading() as connection:
        told = await connection.fetchval("SELECT body FROM log.event WHERE kind = 'catalog.product_changed.v1'")
        price = await connection.fetchrow("SELECT market, currency, amount_minor FROM pricing.price")
    product = json.loads(told)
    assert (product["code"], product["brand"], product["released_on"]) == ("icecat-1", "HP", "2008-12-19")
    assert product["attributes"] == {"colour": "Silver", "weight": 3, "touch": False, "model": "dv7"}
    assert product["variants"][0]["barcodes"] == ["0884420588030"]
    assert product["media"] == [{"url": "http://images/1.jpg", "role": "main", "alt": "HP dv7"}]
    assert price is not None
    assert tuple(price) == ("us", "USD", 10995)
    assert await left(record, "icecat-1") == 100


async def test_only_what_changed_is_written_again(record: Record, tmp_path: Path) -> None:
    await icecat(record, tmp_path, {"id": "1"}, {"id": "2"})
    report = await icecat(record, tmp_path, {"id": "1"}, {"id": "2", "title": "HP dv7 again"}, {"id": "3"})
    assert report.counts == {"created": 1, "changed": 1, "unchanged": 1}
    assert await left(record, "icecat-2") == 100


async def test_a_bad_product_is_rejected_and_its_neighbours_come_in(record: Record, tmp_path: Path) -> None:
    wrong: tuple[dict[str, object], ...] = (
        {"id": "2", "title": " "},
        {"id": "1"},
        {"id": "4", "price": -5},
        {"id": "5", "attributes": "{"},
        {"id": "6", "title": "a\0b"},
    )
    report = await icecat(record, tmp_path, {"id": "1"}, *wrong, {"id": "9"})
    reasons = {line["line"]: line["reason"] for line in map(json.loads, (tmp_path / "rejects.jsonl").read_text().splitlines())}
    assert report.counts["created"] == 2
    assert "empty title" in reasons[2]
    assert reasons[3] == "the product 'icecat-1' came already, in line 1"
    assert reasons[4] == "the price -5 is negative"
    assert "is no attributes" in reasons[5]
    assert "cannot be stored" in reasons[6]


async def test_a_row_that_is_rejected_leaves_its_code_to_a_better_one(record: Record, tmp_path: Path) -> None:
    report = await icecat(record, tmp_path, {"price": -5}, {"price": 5})
    assert (report.counts["created"], report.rejects) == (1, {"the price -5 is negative": 1})


async def test_categories_have_a_name_in_every_locale_and_one_parent(record: Record, tmp_path: Path) -> None:
    await taxonomy(record, tmp_path)
    async with record.reading() as connection:
        found = await categories(connection, ["google-1", "google-2", "google-9"])
    assert found["google-2"].names == {"en-US": "Live", "nb-NO": "Levende"}
    assert found["google-2"].parent_id == found["google-9"].parent_id == found["google-1"].id


async def test_rows_that_are_no_category_are_rejected_with_their_line(record: Record, tmp_path: Path) -> None:
    report = await taxonomy(record, tmp_path)
    assert (report.rows, report.rejected) == (8, 2)
    assert sorted(report.rejects) == [
        "the category above it, '無い', is not in the file",
        "the category google-9 came already in ja-JP",
    ]


async def test_articles_of_a_history_take_their_best_title_and_most_frequent_price(record: Record, tmp_path: Path) -> None:
    row = ("C1", "2010-12-01 08:26:00", 2.55, 17850, "United Kingdom")
    lines = [
        (str(n), "85123a", title, 1, row[1], price, "", row[4])
        for n, (title, price) in enumerate(
            [("damages?", 0), ("damages?", 0), ("WHITE HEART", 2.55), ("WHITE HEART", 2.55), ("White heart", 5)]
        )
    ]
    await import_products(record, SETTINGS, sheet(tmp_path, lines), load_mapping("online-retail"), unseen)
    async with record.reading() as connection:
        found = await connection.fetchrow(
            "SELECT p.code, t.title, c.amount_minor FROM catalog.product p JOIN catalog.product_text t ON t.product_id = p.id "
            "JOIN pricing.price c ON c.product_id = p.id"
        )
    assert found is not None
    assert tuple(found) == ("85123A", "WHITE HEART", 255)


async def test_products_of_unknown_categories_say_to_import_these_first(record: Record, tmp_path: Path) -> None:
    columns = "product_id,manufacturer_id,department,brand,product_category,product_type,package_size\n"
    (tmp_path / "products.csv").write_text(columns + "25671,2,GROCERY,National,FRZN ICE,ICE - CRUSHED,22 LB\n")
    mapping = load_mapping("complete-journey")
    first = await import_products(record, SETTINGS, tmp_path / "products.csv", mapping, unseen)
    await import_categories(record, SETTINGS, tmp_path / "products.csv", mapping, unseen)
    second = await import_products(record, SETTINGS, tmp_path / "products.csv", mapping, unseen)
    assert "import the categories first" in next(iter(first.rejects))
    assert second.counts["created"] == 1


async def test_a_mapping_that_says_nothing_of_the_kind_is_refused(record: Record, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="The mapping icecat says nothing of categories"):
        await import_categories(record, SETTINGS, sheet(tmp_path), load_mapping("icecat"), unseen)


async def test_a_slice_of_the_real_catalogue_comes_in_whole(record: Record, tmp_path: Path) -> None:
    products = find_data(SETTINGS, {}).products[0]
    pq.write_table(pq.read_table(products.path).slice(0, 600), tmp_path / "slice.parquet")
    if products.mapping.categories:
        await import_categories(record, SETTINGS, tmp_path / "slice.parquet", products.mapping, unseen)
    report = await import_products(record, SETTINGS, tmp_path / "slice.parquet", products.mapping, unseen)
    assert (report.counts["created"], report.rejects) == (600, {})


async def test_what_carts_need_is_there_before_the_first_product_and_is_made_once(record: Record, tmp_path: Path) -> None:
    data = DataSet("here", [], [DataFile(tmp_path, load_mapping("complete-journey"))], [])
    for _ in range(2):  # a demo that is started again
        await furnish_markets(record, SETTINGS.cell, data)
    async with record.reading() as connection:
        assert await countries(connection) == {"us-grocery": "US"}
        assert set(await methods(connection)) == {"standard", "express"}
