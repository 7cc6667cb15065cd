"""`entrepot import` on the command line: a report to read or to parse, a code for rejects, and a kill in the middle."""

import asyncio
import json
from pathlib import Path

import asyncpg

from entrepot.cli.import_ import EXIT_REJECTED
from tests.command_line import begin, told
from tests.imports import QUIRKS, sheet
from tests.log_case import until

KILLED_SECONDS_MAX = 60.0


async def entrepot(url: str, home: Path, *arguments: str) -> tuple[int, str, str]:
    """Run the command line on a record; return its exit code, what it answered, and what it said beside that."""
    return await told(home, *arguments, RECORD_URL=url)


async def kill_after(orders: int, url: str, home: Path, file: str) -> None:
    """Import a file, and kill the process as soon as so many of its orders are there."""
    connection = await asyncpg.connect(url)
    process = await begin(home, "import", "orders", file, RECORD_URL=url)
    telling = asyncio.create_task(process.communicate())

    async def are_there() -> bool:
        return bool(await connection.fetchval("SELECT count(*) >= $1 FROM ordering.orders", orders))

    try:
        await until(are_there, KILLED_SECONDS_MAX)
        assert process.returncode is None, "the import was over before it was killed"
    finally:
        process.kill()
        await telling
        await connection.close()


async def test_the_report_is_json_and_rejects_have_a_code_of_their_own(migrated_url: str, tmp_path: Path) -> None:
    file = str(sheet(tmp_path))
    await entrepot(migrated_url, tmp_path, "import", "products", file)
    code, out, _ = await entrepot(migrated_url, tmp_path, "import", "orders", file, "--json")
    report = json.loads(out)
    assert code == EXIT_REJECTED
    assert (report["rows"], report["rejected"], report["rounding"]) == (len(QUIRKS), 4, "0.001")
    assert Path(report["rejects_file"]).read_text().count("\n") == 4


async def test_the_table_shows_every_class_and_the_sum_of_the_file(migrated_url: str, tmp_path: Path) -> None:
    file = str(sheet(tmp_path))
    await entrepot(migrated_url, tmp_path, "import", "products", file)
    _, out, _ = await entrepot(migrated_url, tmp_path, "import", "orders", file)
    for word in ("ordered", "duplicate", "charge", "cancellation", "rounding", "the file", "rejected 1: "):
        assert word in out


async def test_a_wrong_file_is_one_sentence_and_no_traceback(migrated_url: str, tmp_path: Path) -> None:
    code, out, errors = await entrepot(migrated_url, tmp_path, "import", "orders", str(tmp_path / "gone.csv"))
    assert (code, out) == (3, "")
    assert errors.strip() == f"There is no file {tmp_path / 'gone.csv'}: check the path."


async def test_rejects_go_into_no_folder_and_never_over_what_is_imported(migrated_url: str, tmp_path: Path) -> None:
    file = sheet(tmp_path)
    for rejects, says in (
        (tmp_path, "is a folder"),
        (file, "cannot be both what is imported and the rejects file"),
        (file / "under" / "a-file.jsonl", "cannot be written (Not a directory)"),
    ):
        code, _, errors = await entrepot(migrated_url, tmp_path, "import", "products", str(file), "--rejects", str(rejects))
        assert (code, says in errors) == (2, True)
    assert file.read_text().count("\n") == len(QUIRKS) + 1


async def test_an_import_that_is_killed_and_run_again_doubles_nothing(migrated_url: str, tmp_path: Path) -> None:
    day = [(str(n), "71053", "WHITE LANTERN", 1, f"2010-12-{1 + n // 200:02} 09:00:00", 3.39, n, "Spain") for n in range(4000)]
    file = str(sheet(tmp_path, day))
    await entrepot(migrated_url, tmp_path, "import", "products", file)
    for orders in (1, 1_000):
        await kill_after(orders, migrated_url, tmp_path, file)
    await entrepot(migrated_url, tmp_path, "import", "orders", file)
    connection = await asyncpg.connect(migrated_url)
    found = await connection.fetchrow(
        "SELECT count(*), sum(total_minor), (SELECT available FROM stock.level) FROM ordering.orders"
    )
    await connection.close()
    assert found is not None
    assert tuple(found) == (4000, 4000 * 339, 12)
