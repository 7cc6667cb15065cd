"""Files are read row by row, each row with its line; what cannot be read is a sentence that names file, column or line."""

import resource
import signal
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from entrepot.base import limits
from entrepot.base.errors import BadInputError, NotFoundError
from entrepot.importing.documents import Reject
from entrepot.importing.fields import UnreadableFieldError, makers
from entrepot.importing.mapping import FieldSpec
from entrepot.importing.reading import named, open_source
from entrepot.importing.rejects import RejectsFile


def write(folder: Path, content: bytes, name: str = "file.csv") -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def test_rows_of_csv_are_known_by_the_line_of_the_file(tmp_path: Path) -> None:
    source = open_source(write(tmp_path, b'id;name\n1;"two\nlines"\n2;x\n'))
    assert [(row.line, dict(row.raw)) for row in source.rows()] == [
        (3, {"id": "1", "name": "two\nlines"}),
        (4, {"id": "2", "name": "x"}),
    ]


def test_the_encoding_of_csv_is_found_out(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        source = open_source(write(tmp_path, "name\ncafé £5\n".encode(encoding)))
        assert [row.raw["name"] for row in source.rows()] == ["café £5"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_csv_that_a_spreadsheet_saved_as_unicode_text_is_read(tmp_path: Path, encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    source = open_source(write(tmp_path, f"{mark}code\tname\r\n1\tcafé £5\r\n".encode(encoding)))
    assert source.columns == ("code", "name")
    assert [(row.line, row.raw["name"]) for row in source.rows()] == [(2, "café £5")]


def test_a_broken_row_says_why_and_the_next_is_read(tmp_path: Path) -> None:
    rows = list(open_source(write(tmp_path, b"a,b\n1,2\n1,2,3\n4,5\n")).rows())
    assert [row.broken for row in rows] == ["", "the row has 3 cells, the header 2", ""]


def test_json_lines_survive_a_bomb_and_a_line_without_end(tmp_path: Path) -> None:
    bomb, long = b'{"a":' + b"[" * 100_000 + b"\n", b'{"a":"' + b"x" * limits.ROW_BYTES_MAX + b'"}\n'
    rows = list(open_source(write(tmp_path, b'{"a":1}\n' + bomb + long + b'nonsense\n{"a":2}\n', "file.jsonl")).rows())
    assert [bool(row.broken) for row in rows] == [False, True, True, True, False]
    assert rows[-1].line == 5


def test_a_line_of_csv_without_end_is_one_broken_row(tmp_path: Path) -> None:
    rows = list(open_source(write(tmp_path, b"a,b\n1," + b"x," * limits.ROW_BYTES_MAX + b"\n2,3\n")).rows())
    assert [(row.line, row.broken) for row in rows] == [
        (2, f"the line cannot be read (it is longer than {limits.ROW_BYTES_MAX} characters)"),
        (3, ""),
    ]


def test_json_lines_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    source = open_source(write(tmp_path, '{"a":1}\n'.encode("utf-8-sig"), "file.jsonl"))
    assert [(row.broken, row.raw) for row in source.rows()] == [("", {"a": 1})]


@pytest.mark.parametrize("name", ["file.csv", "file.jsonl", "file.parquet"])
def test_a_file_that_vanishes_before_it_is_read_is_said_to_be_gone(tmp_path: Path, name: str) -> None:
    file = write(tmp_path, b'{"a": 1}\n' if name.endswith("jsonl") else b"a\n1\n", name)
    if name.endswith("parquet"):
        pq.write_table(pa.table({"a": [1]}), file)
    source = open_source(file)
    file.unlink()
    with pytest.raises(NotFoundError, match="There is no file"):
        next(source.rows())


def test_parquet_is_read_with_moments_finer_than_python_knows(tmp_path: Path) -> None:
    table = pa.table({"at": pa.array([1_000_000_001], pa.timestamp("ns")), "n": [1]})
    pq.write_table(table, tmp_path / "file.parquet")
    source = open_source(tmp_path / "file.parquet")
    assert source.rows_total == 1
    assert [row.raw["at"] for row in source.rows()] == [datetime(1970, 1, 1, 0, 0, 1)]  # noqa: DTZ001  # the file has no zone


def test_strings_that_parquet_holds_as_bytes_are_text(tmp_path: Path) -> None:
    table = pa.table({"name": pa.array(["é".encode(), None], pa.binary()), "n": [1, 2]})
    table = table.append_column("kind", pa.array([b"a", b"b"], pa.large_binary()).dictionary_encode())
    pq.write_table(table, tmp_path / "file.parquet", store_schema=False)
    rows = [dict(row.raw) for row in open_source(tmp_path / "file.parquet").rows()]
    assert rows == [{"name": "é", "n": 1, "kind": "a"}, {"name": None, "n": 2, "kind": "b"}]


def test_bytes_that_are_no_text_are_refused_only_where_a_field_is_made_of_them(tmp_path: Path) -> None:
    pq.write_table(pa.table({"picture": pa.array([b"\xff\xd8"], pa.binary()), "n": [1]}), tmp_path / "file.parquet")
    (row,) = open_source(tmp_path / "file.parquet").rows()
    made = makers(
        {"n": "n", "one": "picture", "both": FieldSpec(columns=["n", "picture"])}, dict.fromkeys(("n", "one", "both"), "text")
    )
    assert made["n"](row.raw) == "1"
    for name in ("one", "both"):
        with pytest.raises(UnreadableFieldError, match=r"column picture: its bytes are no text in UTF-8"):
            made[name](row.raw)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('\ufeff{"a": 1}'.encode("utf-16-le"), "is JSON in UTF-16: save it in UTF-8"),
        ("\ufeffa,b".encode("utf-32-le"), "is no Parquet, CSV or JSON Lines file"),
        (b"", "is empty"),
        (b"PK\x03\x04zip", "is no Parquet, CSV or JSON Lines file"),
        (b"PAR1 and no more", "is a damaged Parquet file"),
        (b"a,b,a\n1,2,3\n", "has the column 'a' twice"),
        (b"a" * 200_000, r"does not begin with the names of columns \(field larger than field limit"),
    ],
)
def test_a_file_that_cannot_be_is_refused_in_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        open_source(write(tmp_path, content))


def test_a_file_that_is_not_there_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"There is no file .*gone\.csv"):
        open_source(tmp_path / "gone.csv")
    with pytest.raises(BadInputError, match="is a folder"):
        open_source(tmp_path)


def test_the_columns_of_what_is_no_table_are_named_in_a_sentence_that_ends() -> None:
    assert named(["a", "b" * 100]) == f"a, {'b' * 60}..."
    assert named([str(n) for n in range(1000)]).endswith(", 19 and 980 more")


def test_rejects_that_fill_the_disk_are_not_left_on_it(tmp_path: Path) -> None:
    file, rejects = write(tmp_path, b"a\n"), RejectsFile(tmp_path / "rejects.jsonl", tmp_path / "file.csv")
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    handled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, most))
        with pytest.raises(OSError, match="File too large"), rejects:
            rejects.write([Reject(1, "x" * 200, {}, Decimal(0))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        signal.signal(signal.SIGXFSZ, handled)
    assert list(tmp_path.iterdir()) == [file]
