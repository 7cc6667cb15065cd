"""Small files for import tests: a gift shop's sheet with every quirk of the real one, and how to bring a file in."""

import csv
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from entrepot.importing.accounting import Report
from entrepot.importing.mapping import load_mapping
from entrepot.importing.orders import import_orders
from entrepot.importing.products import import_products
from entrepot.record.transaction import Connection, Record, Transaction
from entrepot.settings import Engines, Settings

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
SETTINGS = Settings(home=Path(), engines=Engines())

Line = tuple[object, ...]

# Every quirk once. Line 2 is the first row, after the header.
QUIRKS: Sequence[Line] = (
    ("536365", "85123A", "WHITE HEART", 6, "2010-12-01 08:26:00", 2.55, 17850, "United Kingdom"),
    ("536365", "71053", "WHITE LANTERN", 6, "2010-12-01 08:27:00", 3.39, 17850, "United Kingdom"),
    ("536365", "71053", "WHITE LANTERN", 6, "2010-12-01 08:27:00", 3.39, 17850, "United Kingdom"),  # 4: says what 3 says
    ("536366", "85123a", "WHITE HEART", 10, "2010-12-01 09:00:00", 2.55, 13047, "EIRE"),  # lower case
    ("536366", "POST", "POSTAGE", 1, "2010-12-01 09:00:00", 18, 13047, "EIRE"),
    ("536366", "22139", "TEA SET", 1, "2010-12-01 09:00:00", 0, 13047, "EIRE"),  # given away
    ("536367", "DOT", "DOTCOM POSTAGE", 1, "2010-12-01 09:05:00", 569.77, "", "United Kingdom"),  # only a charge
    ("536368", "PADS", "PADS TO MATCH", 1, "2010-12-01 09:06:00", 0.001, "", "Channel Islands"),  # a tenth of a penny
    ("536369", "22139", "damages?", -3, "2010-12-01 10:00:00", 0, "", "United Kingdom"),  # written off
    ("536370", "22139", "found", 2, "2010-12-01 10:05:00", 0, "", "United Kingdom"),  # found
    ("536371", "POST", "", 1000, "2010-12-01 10:06:00", 0, "", "United Kingdom"),  # 12: says nothing
    ("C536379", "D", "Discount", -1, "2010-12-02 09:41:00", 27.5, 14527, "United Kingdom"),  # owed back, no goods
    ("C536380", "85123A", "WHITE HEART", -4, "2010-12-02 09:50:00", 2.55, 17850, "United Kingdom"),  # of 536365
    ("C536381", "71053", "WHITE LANTERN", -20, "2010-12-02 09:55:00", 3.39, 17850, "United Kingdom"),  # 12 are known
    ("C536382", "22139", "TEA SET", -5, "2010-12-02 09:57:00", 4.25, "", "United Kingdom"),  # nobody's
    ("536390", "22139", "TEA SET", 2, "2010-12-03 09:00:00", 4.25, 15100, "RSA"),
    ("C536391", "22139", "TEA SET", -2, "2010-12-03 09:16:00", 4.25, 15100, "RSA"),  # the whole order
    ("A563185", "B", "Adjust bad debt", 1, "2010-12-03 14:50:00", 11062.06, "", "United Kingdom"),
    ("A563186", "B", "Adjust bad debt", 1, "2010-12-03 14:51:00", -11062.06, "", "United Kingdom"),
    ("536400", "71053", "WHITE LANTERN", "six", "2010-12-04 09:00:00", 3.39, 17850, "United Kingdom"),  # 21
    ("536400", "71053", "WHITE LANTERN", 1, "2010-12-04 09:00:00", 3.39, 17850, "Atlantis"),  # 22
    ("536400", "XYZ", "WHAT", 1, "2010-12-04 09:00:00", 1, 17850, "United Kingdom"),  # 23
    ("536400", "71053", "WHITE LANTERN", 1, "2010-12-04 09:00:00", 3.39, 17850, "United Kingdom"),
)


def sheet(folder: Path, lines: Iterable[Line] = QUIRKS, name: str = "retail.csv") -> Path:
    """Write a sheet of invoices as CSV."""
    file = folder / name
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        writer.writerows(lines)
    return file


async def bring_in(record: Record, file: Path, rejects: Path | None = None) -> Report:
    """Import the products, then the orders, of a sheet of invoices; returns the report on the orders."""
    mapping = load_mapping("online-retail")
    await import_products(record, SETTINGS, file, mapping, unseen)
    return await import_orders(record, SETTINGS, file, mapping, unseen, rejects=rejects)


def unseen(rows: int, total: int | None) -> None:
    """Take notice of progress, and show it to nobody."""


async def contents(record: Record) -> dict[str, list[tuple[object, ...]]]:
    """Return what an import has left, without the ids and times of writing: equal contents, equal history."""
    queries = {
        "orders": "SELECT id, state, customer_id, country, placed_at, total_minor FROM ordering.orders ORDER BY id",
        "lines": "SELECT order_id, line, sku, quantity, returned, amount_minor FROM ordering.line ORDER BY order_id, line",
        "returns": "SELECT id, order_id, returned_at, total_minor FROM ordering.returns ORDER BY id",
        "stock": "SELECT s.sku, l.available FROM stock.level l JOIN catalog.sku s USING (variant_id) ORDER BY s.sku",
        "ledger": "SELECT debit::text, credit::text, sum(amount_minor) FROM ordering.transfer GROUP BY 1, 2 ORDER BY 1, 2",
        "events": "SELECT kind, key, version FROM log.event WHERE kind LIKE 'ordering.%' ORDER BY kind, key, version",
    }
    async with record.reading() as connection:
        return {name: [tuple(row) for row in await connection.fetch(query)] for name, query in queries.items()}


class CutError(Exception):
    """The run was cut here, as by kill -9."""


class CutRecord(Record):
    """A system of record that is cut at its n-th use: before that commits, or after it has and nobody was told."""

    def __init__(self, record: Record, cut_at: int, moment: str) -> None:
        super().__init__(record.pool)
        self._uses_left = cut_at
        self._moment = moment

    @asynccontextmanager
    async def transaction(self, cell: int, actor: str = "system") -> AsyncIterator[Transaction]:
        """Open a transaction that may be cut."""
        self._uses_left -= 1
        async with super().transaction(cell, actor) as tx:
            yield tx
            self._cut("before")
        self._cut("after")

    @asynccontextmanager
    async def committing(self) -> AsyncIterator[Connection]:
        """Open a connection that may be cut before its first or after its last statement."""
        self._uses_left -= 1
        self._cut("before")
        async with super().committing() as connection:
            yield connection
        self._cut("after")

    def _cut(self, moment: str) -> None:
        if self._uses_left == 0 and moment == self._moment:
            raise CutError
