"""All that is known of one person, from every engine, as one archive: JSON by area, a page to read, and what each field is."""

import asyncio
import html
import io
import zipfile
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from entrepot.base.errors import ConflictError
from entrepot.base.limits import EXPORT_ORDERS_MAX
from entrepot.base.time import Clock, utc
from entrepot.behaviour.query import of_visitor
from entrepot.engines.columns.port import ColumnStore
from entrepot.log.live import LiveTargets
from entrepot.privacy import store
from entrepot.privacy.copies import Copies
from entrepot.record.named import queries
from entrepot.record.transaction import Connection, Record
from entrepot.sealing import datamap
from entrepot.sealing.sealing import Sealing

SQL = queries(__package__, "export.sql")

Row = Mapping[str, object]
Areas = dict[str, list[Row]]

FACTS = queries(__package__, "facts.sql")["facts"].rstrip(";")


class Exporter:
    """Gathers what every engine of one cell knows of a person."""

    def __init__(
        self, record: Record, cell: int, sealing: Sealing, copies: Copies, columns: ColumnStore, live: LiveTargets, clock: Clock
    ) -> None:
        self._record, self._cell, self._sealing, self._copies = record, cell, sealing, copies
        self._columns, self._live, self._clock = columns, live, clock

    async def export(self, subjects: Sequence[UUID]) -> bytes:
        """Return the archive of a person, who may have been several subjects."""
        areas = await self.areas(subjects)
        moment = utc(self._clock.millis()).isoformat(timespec="seconds")
        return await asyncio.to_thread(_archive, areas, subjects[0], moment)

    async def areas(self, subjects: Sequence[UUID]) -> Areas:
        """Return the rows of every area, opened; an area in which nothing is known is there, and empty."""
        async with self._record.reading() as connection:
            orders = await store.orders_of(connection, self._cell, subjects)
            if len(orders) > EXPORT_ORDERS_MAX:
                raise ConflictError(
                    f"There are {len(orders)} orders, {EXPORT_ORDERS_MAX} at most go into one archive: ask the office."
                )
            areas = {name: await self._rows(connection, name, subjects, orders) for name in SQL}
        areas["carts"] = await self._copies.carts(subjects)
        await self._copies.make_behaviour()
        areas["behaviour"] = await of_visitor(self._columns, await self._copies.sealed_ids(subjects))
        target = self._live.target("sales_facts")
        areas["sales_facts"] = list(await self._columns.query(target, FACTS, {"subjects": [str(one) for one in subjects]}))
        return areas

    async def _rows(self, connection: Connection, name: str, subjects: Sequence[UUID], orders: Sequence[UUID]) -> list[Row]:
        rows = [dict(row) for row in await connection.fetch(SQL[name], self._cell, subjects, orders)]
        sealed = [(row, called) for row in rows for called in row if " " in called]
        opened = await self._sealing.unseal_many(
            [(row["subject"], {called.partition(" ")[2]: row[called]}) for row, called in sealed if row[called] is not None]
        )
        texts = iter(opened)
        for row, called in sealed:
            shown, _, field = called.partition(" ")
            row[shown] = _read(next(texts)[field]) if row.pop(called) is not None else row.get(shown)
        return list(rows)


def _read(text: str | None) -> object:
    """Return what was sealed as it is shown: a struct as its fields."""
    return msgspec.json.decode(text) if text is not None and text.startswith("{") else text


def _archive(areas: Areas, subject: UUID, moment: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in areas.items():
            archive.writestr(f"{name}.json", msgspec.json.format(msgspec.json.encode(rows, enc_hook=str), indent=1))
        archive.writestr("index.html", _page(areas, subject, moment))
        archive.writestr("README.md", _readme(areas, subject, moment))
    return made.getvalue()


def _page(areas: Areas, subject: UUID, moment: str) -> str:
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>What is known of you</title>',
        (
            "<style>body{font:16px sans-serif;margin:2em}td,th{border:1px solid #999;padding:.2em .5em;text-align:left}"
            "table{border-collapse:collapse}</style>"
        ),
        f"<h1>What is known of you</h1><p>{subject}, as of {moment}.</p>",
    ]
    for name, rows in areas.items():
        parts.append(f"<h2>{html.escape(name.replace('_', ' '))}</h2>")
        parts.append(_table(rows) if rows else "<p>Nothing.</p>")
    return "\n".join(parts)


def _table(rows: Sequence[Row]) -> str:
    names = list(rows[0])
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    lines = ("".join(f"<td>{html.escape(_shown(row.get(name)))}</td>" for name in names) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _shown(value: object) -> str:
    if value is None:
        return ""
    return msgspec.json.encode(value, enc_hook=str).decode() if isinstance(value, (dict, list)) else str(value)


def _readme(areas: Areas, subject: UUID, moment: str) -> str:
    counted = "\n".join(f"- `{name}.json`: {len(rows)}" for name, rows in areas.items())
    return (
        f"# What is known of {subject}\n\nAs of {moment}. `index.html` is the same as a page to read. "
        f"Amounts are in minor units of their currency; moments are UTC.\n\n{counted}\n\n{datamap.page()}"
    )
