"""chDB: one folder, many handles; runs statements on threads and gives back bytes in the format asked for.

chDB releases Python's lock while it works, and opening one more handle costs a tenth of a millisecond: each statement has a
handle of its own, so that its settings and its database end with it.
"""

import re
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

import chdb
from msgspec import Struct, field

from entrepot.base.engine_limits import COLUMNS_CACHE_BYTES_MAX, COLUMNS_MEMORY_BYTES_MAX
from entrepot.base.errors import EntrepotError

CONFIG = """<clickhouse>
    <timezone>UTC</timezone>
    <max_server_memory_usage>{memory}</max_server_memory_usage>
    <mark_cache_size>{cache}</mark_cache_size>
    <primary_index_cache_size>{cache}</primary_index_cache_size>
    <index_mark_cache_size>{cache}</index_mark_cache_size>
    <query_condition_cache_size>{cache}</query_condition_cache_size>
    <compiled_expression_cache_size>{cache}</compiled_expression_cache_size>
    <merge_tree>
        <fsync_after_insert>1</fsync_after_insert>
        <fsync_part_directory>1</fsync_part_directory>
    </merge_tree>
</clickhouse>
"""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class RefusedError(EntrepotError):
    """ClickHouse's own refusal, in its own words: ``Code: 62. DB::Exception: ... (SYNTAX_ERROR)``."""

    slug = "refused"
    status = 500


class Statement(Struct, frozen=True, kw_only=True):
    """One thing to run: its text, its bound parameters, its settings, and the file with its data when it is an insert.

    ``rows`` says whether it answers with rows, ``blocks`` whether these can be had block by block.
    """

    sql: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    database: str = ""
    format: str = "TabSeparated"
    rows: bool = False
    blocks: bool = False
    data: Path | None = None


class Folder:
    """An open chDB folder; ``close`` it before the process ends."""

    def __init__(self, data: Path) -> None:
        # Without "metadata" chDB opens the folder, but never starts what removes dropped tables: DROP ... SYNC hangs.
        (data / "metadata").mkdir(parents=True, exist_ok=True)
        config = data / "config.xml"
        config.write_text(CONFIG.format(memory=COLUMNS_MEMORY_BYTES_MAX, cache=COLUMNS_CACHE_BYTES_MAX))
        self._address = f"{data}?config-file={config}"
        self._root = chdb.connect(self._address)
        self.version: str = self._root.query("SELECT version()", "TabSeparated").bytes().decode().strip()

    def run(self, statement: Statement) -> Generator[bytes, None, None]:
        """Give the answer piece by piece; what ClickHouse refuses is a ``RefusedError``, at first or between two pieces."""
        handle = chdb.connect(self._address)
        try:
            for preparation in _preparations(statement):
                handle.query(preparation)
            if statement.blocks:
                for block in handle.send_query(statement.sql, statement.format, params=dict(statement.parameters)):
                    yield block.bytes()
            else:
                yield handle.query(statement.sql, statement.format, params=dict(statement.parameters)).bytes()
        except RuntimeError as error:
            raise RefusedError(_message(str(error))) from error
        finally:
            handle.close()

    def close(self) -> None:
        """Close the folder; every statement must have ended."""
        self._root.close()


def quoted(text: str) -> str:
    """Return the text as an SQL string."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _preparations(statement: Statement) -> Iterator[str]:
    if statement.database:
        name = statement.database.replace("\\", "\\\\").replace("`", "\\`")
        yield f"USE `{name}`"
    wrong = [name for name in statement.settings if not NAME.fullmatch(name)]
    if wrong:
        raise RefusedError(f"Code: 115. DB::Exception: Unknown setting {quoted(wrong[0])}. (UNKNOWN_SETTING)")
    settings = dict(statement.settings)
    readonly = settings.pop("readonly", None)
    if settings:
        yield "SET " + ", ".join(f"{name} = {quoted(value)}" for name, value in settings.items())
    if readonly is not None:  # last, because it forbids every other setting
        yield f"SET readonly = {quoted(readonly)}"


def _message(text: str) -> str:
    start = text.find("Code: ")
    return text[max(start, 0) :].strip()
