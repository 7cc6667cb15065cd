"""`entrepot import` on the command line: a report to read or to parse, a code for rejects, and a kill in the middle."""

import asyncio
import json
import os
import sys
from pathlib import Path

import asyncpg

from entrepot.cli.import_ import EXIT_REJECTED
from tests.imports import QUIRKS, sheet


async def entrepot(url: str, home: Path, *arguments: str, kill_after: float | None = None) -> tuple[int, str, str]:
    """Run the command line in a process of its own; ``kill_after`` seconds it is killed, if it still runs."""
    environ = {**os.environ, "ENTREPOT_RECORD_URL": url, "ENTREPOT_HOME": str(home)}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "entrepot",
        *arguments,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told = asyncio.create_task(child.communicate())
    done, _ = await asyncio.wait({told}, timeout=kill_after)
    if not done:
        child.kill()
    out, errors = await told
    assert child.returncode is not None
    return child.returncode, out.decode(), errors.decode()


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
    for kill_after in (1.2, 1.6, 2.0, None):
        await entrepot(migrated_url, tmp_path, "import", "orders", file, kill_after=kill_after)
    connection = await asyncpg.connect(migrated_url)
    found = await connection.fetchrow(
        "SELECT count(*), sum(total_minor), (SELECT available FROM stock.level) FROM ordering.orders"
    )
    await connection.close()
    assert found is not None
    assert tuple(found) == (4000, 4000 * 339, 12)
