"""Imports a tree of categories in many languages: rows of (code, locale, path), or of paths that name themselves.

The same code in every locale; its parent is what its path, without the last level, is in one locale: the mapping's first
one, else any that has it. The tree is held in memory, within ``limits.IMPORT_CATEGORIES_MAX``.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from entrepot.base import limits
from entrepot.base.errors import BadInputError
from entrepot.commerce.catalog.commands import save_categories
from entrepot.commerce.catalog.rules import CategoryDraft
from entrepot.importing.accounting import Account, Ledger, Report, check
from entrepot.importing.documents import Reject
from entrepot.importing.fields import UnreadableFieldError, check_columns, check_fields, makers
from entrepot.importing.mapping import CategoriesMapping, MappingFile
from entrepot.importing.orders import Progress
from entrepot.importing.reading import Row, open_source
from entrepot.importing.rejects import RejectsFile
from entrepot.importing.settle import settle
from entrepot.record.transaction import Record, Transaction
from entrepot.settings import Settings

TYPES: Final = {"code": "text", "locale": "text", "path": "list"}
_JOIN: Final = " > "

Path_ = tuple[str, ...]


class Node(Struct):
    """A category as the file has it: its path in each locale, and the rows that say so."""

    code: str
    paths: dict[str, Path_] = field(default_factory=dict)
    lines: list[tuple[int, str]] = field(default_factory=list)


async def import_categories(
    record: Record,
    settings: Settings,
    file: Path,
    mapping: MappingFile,
    progress: Progress,
    *,
    rejects: Path | None = None,
) -> Report:
    """Make the categories of a file, with their names in every locale; rows that are none are rejected."""
    if mapping.categories is None:
        raise BadInputError(f"The mapping {mapping.name} says nothing of categories: it cannot import {file} as such.")
    source = open_source(file, encoding=mapping.encoding, delimiter=mapping.delimiter)
    check_columns(mapping.columns("categories"), source.columns, str(file))
    report = Report(kind="categories", source=mapping.name, file=file.name)
    ledger = Ledger(report)
    begun = time.perf_counter()
    tree = Tree(mapping.categories, f"The mapping {mapping.name}, categories")
    with RejectsFile(rejects, file) as rejected:
        ahead = tree.read(source.rows())
        while (unread := await asyncio.to_thread(next, ahead, None)) is not None:
            _reject(unread, ledger, rejected)
            progress(0, None)
        drafts, orphans = tree.drafts()
        _reject(orphans, ledger, rejected)
        for start in range(0, len(drafts), limits.IMPORT_BATCH_ROWS):
            batch = drafts[start : start + limits.IMPORT_BATCH_ROWS]
            settled = await settle(record, settings.cell, batch, _write)
            for what, by in settled.counts.items():
                report.count(what, by)
            for draft, reason in settled.refused:
                _reject(tree.refused(draft.code, reason), ledger, rejected)
            progress(tree.rows * (start + len(batch)) // len(drafts), tree.rows)
    report.classes["categories"] = Account(rows=tree.rows - report.rejected)
    report.rows = tree.rows
    check(report)
    report.rejects_file = rejected.name
    report.seconds = time.perf_counter() - begun
    return report


def _reject(rejects: Iterable[Reject], ledger: Ledger, rejected: RejectsFile) -> None:
    for reject in rejects:
        ledger.reject(Decimal(0), reject.reason)
        rejected.write([reject])


async def _write(tx: Transaction, drafts: Sequence[CategoryDraft]) -> dict[str, int]:
    saved = await save_categories(tx, drafts)
    return {"created": saved.created, "changed": saved.changed, "unchanged": saved.unchanged}


class Tree:
    """The categories of one file."""

    def __init__(self, mapping: CategoriesMapping, where: str) -> None:
        check_fields(mapping.fields, TYPES, ("path",), where)
        self._mapping = mapping
        self._make = makers(mapping.fields, TYPES)
        self._nodes: dict[str, Node] = {}
        self._codes: dict[tuple[str, Path_], str] = {}
        self.rows = 0
        self._kept = 0

    def read(self, rows: Iterable[Row]) -> Iterator[list[Reject]]:
        """Take in a file; yields, every so many rows, those that are no category."""
        rejects: list[Reject] = []
        for row in rows:
            self.rows += 1
            try:
                self._take(row)
            except UnreadableFieldError as error:
                rejects.append(Reject(row.line, str(error), row.raw, Decimal(0)))
            if len(self._nodes) > limits.IMPORT_CATEGORIES_MAX:
                raise BadInputError(f"The file has more than {limits.IMPORT_CATEGORIES_MAX} categories: split it.")
            if self._kept > limits.IMPORT_CATEGORY_ROWS_MAX:
                raise BadInputError(f"The file names categories in more than {limits.IMPORT_CATEGORY_ROWS_MAX} rows: split it.")
            if self.rows % limits.IMPORT_BATCH_ROWS == 0:
                yield rejects
                rejects = []
        yield rejects

    def drafts(self) -> tuple[list[CategoryDraft], list[Reject]]:
        """Return the categories, every parent before its children, and the rows of those that have none where they should."""
        parents = {code: parent for code, node in self._nodes.items() if (parent := self._parent(node)) is not None}
        depths: dict[str, int] = {}
        for code in list(self._nodes):
            steps, at = 1, code
            while parents.get(at) and steps <= limits.CATEGORY_DEPTH_MAX:
                at = parents[at]
                steps += 1
            depths[code] = steps
        orphans = [reject for code in self._nodes if code not in parents for reject in self._orphaned(code)]
        drafts = [
            CategoryDraft(
                code=code,
                names={locale: path[-1] for locale, path in sorted(self._nodes[code].paths.items())},
                parent_code=parents[code] or None,
            )
            for code in sorted(parents, key=lambda code: (depths[code], code))
        ]
        return drafts, orphans

    def refused(self, code: str, reason: str) -> Iterator[Reject]:
        """Yield every row of a category as rejected."""
        node = self._nodes[code]
        for line, locale in node.lines:
            raw = {"code": code, "locale": locale, "path": _JOIN.join(node.paths[locale])}
            yield Reject(line, reason, raw, Decimal(0))

    def _orphaned(self, code: str) -> Iterator[Reject]:
        path = next(iter(self._nodes[code].paths.values()))
        return self.refused(code, f"the category above it, {_JOIN.join(path[:-1])!r}, is not in the file")

    def _take(self, row: Row) -> None:
        if row.broken:
            raise UnreadableFieldError(row.broken)
        made = {name: make(row.raw) for name, make in self._make.items()}
        levels = made["path"]
        path = tuple(str(level) for level in levels) if isinstance(levels, list) else ()
        locale = str(made.get("locale") or self._mapping.locale)
        if not path:
            raise UnreadableFieldError("the path is empty")
        if "code" not in self._make:
            self._take_levels(row.line, locale, path)
            return
        code = str(made["code"])
        node = self._nodes.setdefault(code, Node(code))
        if locale in node.paths:
            raise UnreadableFieldError(f"the category {code} came already in {locale}")
        self._put(node, row.line, locale, path)

    def _take_levels(self, line: int, locale: str, path: Path_) -> None:
        """Make every level of a path a category; the row belongs to the last."""
        for depth in range(1, len(path) + 1):
            code = self._mapping.code_prefix + _JOIN.join(path[:depth])
            node = self._nodes.setdefault(code, Node(code))
            node.paths.setdefault(locale, path[:depth])
            self._codes.setdefault((locale, path[:depth]), code)
        self._keep(node, line, locale)

    def _put(self, node: Node, line: int, locale: str, path: Path_) -> None:
        node.paths[locale] = path
        self._codes.setdefault((locale, path), node.code)
        self._keep(node, line, locale)

    def _keep(self, node: Node, line: int, locale: str) -> None:
        node.lines.append((line, locale))
        self._kept += 1

    def _parent(self, node: Node) -> str | None:
        """Return the parent's code, empty for a root, None when the file does not have it."""
        first = self._mapping.first_locale
        for locale in [first, *sorted(node.paths)] if first in node.paths else sorted(node.paths):
            above = node.paths[locale][:-1]
            if not above:
                return ""
            found = self._codes.get((locale, above))
            if found is not None and found != node.code:
                return found
        return None
