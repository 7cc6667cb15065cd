"""Reads files row by row in bounded memory; every row knows its place. Knows no mapping and no business word.

A row is numbered as a person would find it: the line of a text file, the row (from 1) of a Parquet file.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, NotFoundError

Raw = Mapping[str, object]
Format = Literal["parquet", "csv", "jsonl"]

_SNIFFED_BYTES = 1 << 16
_PARQUET_MAGIC = b"PAR1"
_BOM = codecs.BOM_UTF8
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # as spreadsheets save "Unicode text"; without the mark it is not guessed
_UNREADABLE = "\ufffd"
_DELIMITERS = ",;\t|"
_NAMED_MAX = 20
_NAME_CHARS_MAX = 60


class Row(Struct, frozen=True):
    """A row as it was read; ``broken`` says why it could not be (then ``raw`` holds what there was)."""

    line: int
    raw: Raw
    broken: str = ""


class Source(Struct, frozen=True):
    """An opened file: its columns, how many rows it has (None: not known before the end), and its rows in order."""

    path: Path
    format: Format
    columns: tuple[str, ...]
    rows_total: int | None
    rows: Callable[[], Iterator[Row]]


def open_source(path: Path, *, encoding: str = "", delimiter: str = "") -> Source:
    """Open a Parquet, CSV or JSON Lines file, told apart by what is in it, or say why it cannot be read."""
    head = _head(path)
    if head.startswith(_PARQUET_MAGIC):
        return _open_parquet(path)
    if not head.strip():
        raise BadInputError(f"{path} is empty: give a Parquet, CSV or JSON Lines file.", file=str(path))
    if head.startswith(_UTF_16) and not head.startswith(codecs.BOM_UTF32_LE):
        if head.decode("utf-16", "replace").lstrip().startswith("{"):
            raise BadInputError(f"{path} is JSON in UTF-16: save it in UTF-8.", file=str(path))
        return _open_csv(path, "utf-16", delimiter)
    if b"\0" in head or head.startswith((b"PK", b"\x1f\x8b")):
        raise BadInputError(f"{path} is no Parquet, CSV or JSON Lines file: unpack or export it as one.", file=str(path))
    if head.removeprefix(_BOM).lstrip().startswith(b"{"):
        return _open_jsonl(path)
    return _open_csv(path, encoding or _encoding_of(head), delimiter)


def named(columns: Sequence[str]) -> str:
    """Return the columns as a sentence names them: a file that is no table may seem to have thousands, or endless ones."""
    first = [name if len(name) <= _NAME_CHARS_MAX else f"{name[:_NAME_CHARS_MAX]}..." for name in columns[:_NAMED_MAX]]
    more = len(columns) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Tell of a file that is not there, or is gone by now, in a sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}: check the path.", file=str(path)) from error
    except IsADirectoryError as error:
        raise BadInputError(f"{path} is a folder: give one file in it.", file=str(path)) from error
    except OSError as error:
        raise BadInputError(f"{path} cannot be read ({error.strerror}): check its permissions.", file=str(path)) from error


def _head(path: Path) -> bytes:
    with _readable(path), path.open("rb") as file:
        return file.read(_SNIFFED_BYTES)


def _open_parquet(path: Path) -> Source:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise BadInputError(
            f"{path} is a damaged Parquet file ({_first_line(error)}): fetch it again.", file=str(path)
        ) from error
    columns = tuple(file.schema_arrow.names)
    total = file.metadata.num_rows
    in_bytes = [field.name for field in file.schema_arrow if _holds_bytes(field.type)]

    def rows() -> Iterator[Row]:
        line = 0
        with _readable(path), path.open("rb") as opened:
            try:
                for batch in pq.ParquetFile(opened).iter_batches(batch_size=limits.IMPORT_BATCH_ROWS):
                    for raw in _whole_micros(batch).to_pylist():
                        line += 1
                        raw.update({name: _as_text(raw[name]) for name in in_bytes})
                        yield Row(line, raw)
            except (pa.ArrowException, OSError) as error:
                raise BadInputError(f"{path} is damaged after row {line} ({_first_line(error)}): fetch it again.") from error

    return Source(path, "parquet", columns, total, rows)


def _holds_bytes(kind: pa.DataType) -> bool:
    """Return whether a column says nothing of text: so it is with strings that older programs wrote, and with pictures."""
    if pa.types.is_dictionary(kind):
        return _holds_bytes(kind.value_type)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)


def _as_text(value: bytes | None) -> str | bytes | None:
    """Return bytes as the text they are; what is none stays bytes, which only a field that is made of them minds."""
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return value


def _whole_micros(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with its moments in microseconds: Python's datetime knows nothing finer."""
    fields = [
        field.with_type(pa.timestamp("us", field.type.tz)) if pa.types.is_timestamp(field.type) else field
        for field in batch.schema
    ]
    return batch.cast(pa.schema(fields), safe=False)


def _open_jsonl(path: Path) -> Source:
    def rows() -> Iterator[Row]:
        with _readable(path), path.open("rb") as file:
            for line, text in enumerate(_lines(file), 1):
                if text.strip():
                    yield _json_row(line, text.removeprefix(_BOM) if line == 1 else text)

    columns: dict[str, None] = {}
    for row in rows():
        columns.update(dict.fromkeys(row.raw))
        if row.line >= limits.IMPORT_BATCH_ROWS:
            break
    return Source(path, "jsonl", tuple(columns), None, rows)


def _lines(file: io.BufferedReader) -> Iterator[bytes]:
    """Yield the lines; one that is too long is cut, and what is too much of it skipped, so that memory stays bounded."""
    while text := file.readline(limits.ROW_BYTES_MAX + 1):
        if len(text) > limits.ROW_BYTES_MAX:
            while not text.endswith(b"\n"):
                rest = file.readline(limits.ROW_BYTES_MAX)
                if not rest or rest.endswith(b"\n"):
                    break
        yield text


def _json_row(line: int, text: bytes) -> Row:
    if len(text) > limits.ROW_BYTES_MAX:
        return Row(line, {}, f"the line is longer than {limits.ROW_BYTES_MAX} bytes")
    try:
        return Row(line, msgspec.json.decode(text, type=dict[str, object]))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return Row(line, {"text": text[:200].decode("utf-8", "replace")}, f"the line is no JSON object ({_first_line(error)})")


def _open_csv(path: Path, encoding: str, delimiter: str) -> Source:
    try:
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            first = file.readline(limits.ROW_BYTES_MAX)
    except LookupError as error:
        raise BadInputError(
            f"There is no encoding {encoding!r}: give one such as utf-8 or cp1252.", encoding=encoding
        ) from error
    separator = delimiter or max(_DELIMITERS, key=first.count)
    try:
        columns = tuple(name.strip() for name in next(csv.reader([first], delimiter=separator), []))
    except csv.Error as error:
        raise BadInputError(f"{path} does not begin with the names of columns ({error}): is it a table?") from error
    if len(set(columns)) < len(columns):
        twice = next(name for place, name in enumerate(columns) if name in columns[:place])
        raise BadInputError(f"{path} has the column {twice!r} twice: rename one.", file=str(path), column=twice)

    def rows() -> Iterator[Row]:
        with _readable(path), path.open(encoding=encoding, errors="replace", newline="") as file:
            yield from _csv_rows(_TextLines(file), separator, columns)

    return Source(path, "csv", columns, None, rows)


class _TextLines:
    """The lines of a text file, counted; of one that is too long the rest is skipped, so that memory stays bounded."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file = file
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        text = self._file.readline(limits.ROW_BYTES_MAX + 1)
        if not text:
            raise StopIteration
        self.number += 1
        if len(text) <= limits.ROW_BYTES_MAX:
            return text
        while text and not text.endswith(("\n", "\r")):
            text = self._file.readline(limits.ROW_BYTES_MAX)
        raise csv.Error(f"it is longer than {limits.ROW_BYTES_MAX} characters")


def _csv_rows(lines: _TextLines, separator: str, columns: tuple[str, ...]) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=separator)
    next(reader, None)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(lines.number, {}, f"the line cannot be read ({error})")
            continue
        if not cells:
            continue
        raw = dict(zip(columns, cells, strict=False))
        if len(cells) != len(columns):
            yield Row(lines.number, raw, f"the row has {len(cells)} cells, the header {len(columns)}")
        elif any(_UNREADABLE in cell for cell in cells):
            yield Row(lines.number, raw, "the row holds bytes that are not text in the file's encoding")
        else:
            yield Row(lines.number, raw)


def _encoding_of(head: bytes) -> str:
    try:
        # The sniffed part may end inside a character.
        head[: len(head) - 4 if len(head) == _SNIFFED_BYTES else None].decode("utf-8")
    except UnicodeDecodeError as error:
        return "utf-8-sig" if error.reason == "unexpected end of data" else "cp1252"
    return "utf-8-sig"


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
