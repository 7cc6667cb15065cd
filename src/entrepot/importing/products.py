"""Imports products with their price and opening stock: of a file of products, or of every article that orders name."""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError
from entrepot.base.money import Currency, currency, to_minor
from entrepot.commerce.catalog.events import AttributeValue, Media, ProductText
from entrepot.commerce.catalog.rules import ProductDraft, VariantDraft
from entrepot.importing.accounting import Ledger, Report, check
from entrepot.importing.articles import Article, History
from entrepot.importing.documents import Reject
from entrepot.importing.fields import Maker, UnreadableFieldError, check_columns, check_fields, makers
from entrepot.importing.mapping import MappingFile, ProductsMapping, specs
from entrepot.importing.orders import Progress
from entrepot.importing.reading import Row, open_source
from entrepot.importing.rejects import RejectsFile
from entrepot.importing.settle import prepare
from entrepot.importing.shelving import Item, Shelver
from entrepot.record.transaction import Record
from entrepot.settings import Settings

TYPES: Final[Mapping[str, str]] = {
    "code": "text",
    "sku": "text",
    "title": "text",
    "summary": "text",
    "description": "text",
    "brand": "text",
    "barcodes": "list",
    "category": "text",
    "attributes": "attributes",
    "released_on": "date",
    "image": "text",
    "price": "decimal",
}


class Batch(Struct):
    """Items to be written together, the rows that are none, and how many rows were read so far."""

    items: list[Item]
    rejects: list[Reject]
    rows: int


async def import_products(
    record: Record,
    settings: Settings,
    file: Path,
    mapping: MappingFile,
    progress: Progress,
    *,
    rejects: Path | None = None,
) -> Report:
    """Make the products of a file what the file says they are, price them, and give new ones their opening stock."""
    if mapping.products is None:
        raise BadInputError(f"The mapping {mapping.name} says nothing of products: it cannot import {file} as such.")
    currency(mapping.products.currency)
    source = open_source(file, encoding=mapping.encoding, delimiter=mapping.delimiter)
    check_columns(mapping.columns("products"), source.columns, str(file))
    report = Report(kind="products", source=mapping.name, file=file.name, currency=mapping.products.currency)
    begun = time.perf_counter()
    if mapping.products.from_orders:
        reader: _Articles | _Products = _Articles(mapping)
    else:
        reader = _Products(mapping, await asyncio.to_thread(_read_history, mapping, file))
    ledger = Ledger(report)
    with RejectsFile(rejects, file) as rejected:
        shelver = Shelver(record, settings.cell, mapping.products, report)
        await prepare(record, settings.cell, mapping.products.market, mapping.products.currency, mapping.products.warehouse)
        batches = reader.batches(source.rows())
        ahead = asyncio.create_task(asyncio.to_thread(next, batches, None))
        try:
            while (batch := await ahead) is not None:
                ahead = asyncio.create_task(asyncio.to_thread(next, batches, None))
                refused = sorted([*batch.rejects, *await shelver.shelve(batch.items)], key=lambda reject: reject.line)
                for reject in refused:
                    ledger.reject(Decimal(0), reject.reason)
                rejected.write(refused)
                progress(batch.rows, source.rows_total)
        finally:
            # Not left running behind our back: the thread ends with the batch that it is reading.
            ahead.cancel()
    check(report)
    report.rejects_file = rejected.name
    report.seconds = time.perf_counter() - begun
    return report


def _read_history(mapping: MappingFile, file: Path) -> Mapping[str, Article]:
    """Return the articles of the orders that lie beside the products, where the mapping names such a file and it is there."""
    assert mapping.products is not None
    name = mapping.products.opening.history
    if not name or not (beside := file.with_name(name)).exists():
        return {}
    source = open_source(beside, encoding=mapping.encoding, delimiter=mapping.delimiter)
    check_columns(mapping.columns("orders"), source.columns, str(beside))
    history = History(mapping)
    for _ in history.read(source.rows()):
        pass
    return history.articles


class _Priced:
    """What both readers do alike: price and opening stock of an article."""

    def __init__(self, mapping: MappingFile) -> None:
        assert mapping.products is not None
        self._mapping: ProductsMapping = mapping.products
        self._currency = Currency(mapping.products.currency)

    def _minor(self, price: Decimal) -> int:
        if self._mapping.prices_in == "major":
            return to_minor(price, self._currency)
        if price != price.to_integral_value():
            raise UnreadableFieldError(f"the price {price} is no whole number of minor units")
        return int(price)

    def _opening(self, article: Article | None) -> int:
        return self._mapping.opening.pieces - (article.lowest if article else 0)


class _Articles(_Priced):
    """Makes a product of every article in a file of orders."""

    def __init__(self, mapping: MappingFile) -> None:
        super().__init__(mapping)
        if mapping.orders is None:
            raise BadInputError(f"The mapping {mapping.name} takes products from orders, of which it says nothing.")
        self._history = History(mapping)
        try:
            self._pattern = re.compile(self._mapping.title_pattern)
        except re.error as error:
            raise BadInputError(f"The mapping {mapping.name} has a title_pattern that is no expression: {error}.") from error

    def batches(self, rows: Iterator[Row]) -> Iterator[Batch]:
        """Read the whole file (only its articles are kept), then yield them."""
        for rejects in self._history.read(rows):
            yield Batch([], rejects, self._history.rows)
        items = [self._item(code, article) for code, article in sorted(self._history.articles.items())]
        size = limits.IMPORT_PRODUCTS_PER_TRANSACTION_MAX
        for start in range(0, len(items), size):
            yield Batch(items[start : start + size], [], self._history.rows)

    def _item(self, code: str, article: Article) -> Item:
        title = article.title(self._pattern, self._mapping.title_default.replace("{article}", code))
        draft = ProductDraft(
            code=code, texts={self._mapping.locale: ProductText(title=title)}, variants=[VariantDraft(sku=code)]
        )
        price = article.price()
        minor = None if price is None else to_minor(price, self._currency)
        return Item(article.line, {"article": code}, draft, minor, self._opening(article))


class _Products(_Priced):
    """Makes a product of every row; a field that is none of a product's own becomes an attribute."""

    def __init__(
        self,
        mapping: MappingFile,
        history: Mapping[str, Article],
        *,
        remembered_max: int = limits.IMPORT_PRODUCTS_REMEMBERED_MAX,
    ) -> None:
        super().__init__(mapping)
        given = dict(specs(self._mapping.fields))
        self._types = {**{name: spec.type for name, spec in given.items()}, **TYPES}
        check_fields(self._mapping.fields, self._types, ("code", "title"), f"The mapping {mapping.name}, products")
        self._make: Mapping[str, Maker] = makers(self._mapping.fields, self._types)
        self._history = history
        self._lines: OrderedDict[str, int] = OrderedDict()
        self._remembered_max = remembered_max

    def batches(self, rows: Iterator[Row]) -> Iterator[Batch]:
        """Yield the products of the rows, as many together as one transaction takes."""
        batch = Batch([], [], 0)
        for number, row in enumerate(rows, 1):
            try:
                batch.items.append(self._item(row))
            except (UnreadableFieldError, BadInputError) as error:
                batch.rejects.append(Reject(row.line, str(error), row.raw, Decimal(0)))
            batch.rows = number
            if len(batch.items) + len(batch.rejects) >= limits.IMPORT_PRODUCTS_PER_TRANSACTION_MAX:
                yield batch
                batch = Batch([], [], number)
        yield batch

    def _item(self, row: Row) -> Item:
        if row.broken:
            raise UnreadableFieldError(row.broken)
        made = {name: make(row.raw) for name, make in self._make.items()}
        code = str(made["code"] or "")
        if code in self._lines:
            raise UnreadableFieldError(f"the product {code!r} came already, in line {self._lines[code]}")
        price = made.get("price")
        if isinstance(price, Decimal) and price < 0:
            raise UnreadableFieldError(f"the price {price} is negative")
        article = self._history.get(code)
        given = self._minor(price) if isinstance(price, Decimal) else None
        paid = article.price() if article else None
        minor = to_minor(paid, self._currency) if given is None and paid is not None else given
        item = Item(row.line, row.raw, self._draft(code, made), minor, self._opening(article))
        self._remember(code, row.line)  # now that it is one: a row that is rejected leaves its code to a better one
        return item

    def _remember(self, code: str, line: int) -> None:
        """Note where a product came, of the latest so many: one that comes again much later is changed by the later row."""
        self._lines[code] = line
        if len(self._lines) > self._remembered_max:
            self._lines.popitem(last=False)

    def _draft(self, code: str, made: Mapping[str, object]) -> ProductDraft:
        title = _text(made, "title")
        released_on, attributes = made.get("released_on"), made.get("attributes")
        extra = {name: said for name in made if name not in TYPES and (said := _attribute(made[name])) is not None}
        held = {**(attributes if isinstance(attributes, dict) else {}), **extra}
        image, category, barcodes = _text(made, "image"), _text(made, "category"), made.get("barcodes")
        return ProductDraft(
            code=code,
            texts={
                self._mapping.locale: ProductText(
                    title=title, summary=_text(made, "summary"), description=_text(made, "description")
                )
            },
            variants=[
                VariantDraft(sku=_text(made, "sku") or code, barcodes=list(barcodes) if isinstance(barcodes, list) else [])
            ],
            brand=_text(made, "brand"),
            category_codes=[category] if category else [],
            attributes=msgspec.convert(held, dict[str, AttributeValue]),
            media=[Media(url=image, role="main", alt=title)] if image else [],
            released_on=released_on if isinstance(released_on, date) else None,
        )


def _text(made: Mapping[str, object], name: str) -> str:
    return str(made.get(name) or "")


def _attribute(value: object) -> AttributeValue | None:
    """Return what a field of no other use says, as an attribute holds it; None when it says nothing."""
    if isinstance(value, str | int):
        return value if value != "" else None
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    return None if value is None else str(value)
