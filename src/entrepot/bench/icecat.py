"""The Icecat catalogue and its relevance ratings, as the events that an import of it writes. Reads files; knows no engine."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from entrepot.base.errors import BadInputError
from entrepot.base.event import Event, Position
from entrepot.base.ids import derived
from entrepot.commerce.catalog.events import (
    PRODUCT_CHANGED,
    AttributeValue,
    Media,
    ProductChanged,
    ProductText,
    Variant,
)
from entrepot.commerce.pricing.events import PRICES_SET, Price, PricesSet
from entrepot.settings import Settings

PRODUCTS = "icecat_products.parquet"
JUDGEMENTS = "icecat_judgements_dev.csv"
MARKET = "US"

_SPACE = "icecat"


def folder(settings: Settings) -> Path:
    """Return where the data lies: ``ENTREPOT_DATA``, else ``../shared/data`` beside the checkout."""
    checkout = Path(__file__).resolve().parents[3]
    found = settings.data or checkout.parent / "shared" / "data"
    for name in (PRODUCTS, JUDGEMENTS):
        if not (found / name).exists():
            raise BadInputError(f"There is no {name} in {found}: set ENTREPOT_DATA to the folder that has it.", path=str(found))
    return found


def events(folder: Path) -> Iterator[Event]:
    """Yield two events for each product: what it is, and its price."""
    seq = 0
    for batch in pq.ParquetFile(folder / PRODUCTS).iter_batches(2_000):
        for row in batch.to_pylist():
            product = _product(row)
            price = Price(variant_id=product.variants[0].id, market=MARKET, currency="USD", amount_minor=row["price"])
            for kind, body in (
                (PRODUCT_CHANGED, product),
                (PRICES_SET, PricesSet(product_id=product.id, prices=[price] if row["price"] is not None else [])),
            ):
                seq += 1
                yield Event(
                    cell=1,
                    id=derived(seq, _SPACE, "event", str(seq)),
                    position=Position(seq, seq),
                    at=seq,
                    kind=kind,
                    key=f"product/{product.id}",
                    version=1,
                    body=msgspec.Raw(msgspec.json.encode(body)),
                )


def judgements(file: Path) -> Mapping[str, Mapping[str, int]]:
    """Return the rating of each product code by query."""
    rated: dict[str, dict[str, int]] = defaultdict(dict)
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            rated[row["query"]][row["product_id"]] = int(row["rating"])
    return rated


def _product(row: Mapping[str, object]) -> ProductChanged:
    code = str(row["id"])
    attributes: dict[str, AttributeValue] = {"model": str(row["name"])} if row["name"] else {}
    attributes |= {key[2:]: value for key, value in json.loads(str(row["attributes"] or "{}")).items()}
    barcodes = row["ean"]
    assert isinstance(barcodes, list)
    released = row["date_released"]
    image = row["img_500x500"]
    return ProductChanged(
        id=derived(0, _SPACE, "product", code),
        code=code,
        brand=str(row["supplier"] or ""),
        texts={"en": ProductText(title=str(row["title"]), summary=str(row["short_description"] or ""))},
        attributes=attributes,
        variants=[Variant(id=derived(0, _SPACE, "variant", code), sku=code, barcodes=barcodes)],
        media=[Media(url=str(image), role="main")] if image else [],
        released_on=date.fromisoformat(str(released)[:10]) if released else None,
    )
