"""The command line answers whatever happens with a sentence and an exit code; each case runs the real program."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from entrepot import cli

PROGRAM = "from entrepot.cli import main; main()"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose home is new and in which no engine is given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ENTREPOT_")}
    return inherited | {"ENTREPOT_HOME": str(tmp_path / "home")}


def test_status_says_what_is_not_running_and_what_starts_it(environ: dict[str, str]) -> None:
    done = entrepot(environ, "status", "--json")
    assert done.returncode == 3
    assert {row["problem"] for row in json.loads(done.stdout)["engines"]} == {"not running: 'entrepot up' starts it"}


def test_down_says_that_nothing_was_running(environ: dict[str, str]) -> None:
    done = entrepot(environ, "down")
    assert (done.returncode, done.stdout) == (0, "Nothing was running.\n")


@pytest.mark.parametrize("arguments", [["nonsense"], ["up", "--jsn"]])
def test_a_command_line_that_cannot_be_meant_is_refused(environ: dict[str, str], arguments: list[str]) -> None:
    done = entrepot(environ, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_verb_that_is_not_there_is_told_with_the_one_that_was_meant(environ: dict[str, str]) -> None:
    done = entrepot(environ, "verfy")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "did you mean 'verify'?" in done.stderr


def test_a_home_that_is_a_file_is_told_in_a_sentence(environ: dict[str, str]) -> None:
    Path(environ["ENTREPOT_HOME"]).touch()
    done = entrepot(environ, "up")
    assert done.returncode == 2
    assert "which is no folder: name one" in done.stderr


def test_a_bad_url_in_the_environment_is_told_with_what_is_known(environ: dict[str, str]) -> None:
    done = entrepot(environ | {"ENTREPOT_MEMORY_URL": "memcached://localhost"}, "up")
    assert done.returncode == 2
    assert "the memory engine knows redis, rediss" in done.stderr


def test_a_full_disk_is_told_in_a_sentence(environ: dict[str, str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "status"], env=environ, stdout=full, stderr=-1, text=True, check=False
        )
    assert done.returncode == 6
    assert done.stderr == "No space is left on the disk: free some and try again.\n"


def test_a_reader_that_has_gone_is_no_reason_to_complain(environ: dict[str, str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "status", "--json"], env=environ, stdout=write, stderr=-1, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_an_older_python_is_told_what_is_needed() -> None:
    pretend = "import sys; sys.version_info = (3, 9, 1, 'final', 0); import entrepot.cli"
    done = subprocess.run([sys.executable, "-c", pretend], stderr=-1, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "Entrepot needs Python 3.11 or newer, this is 3.9: try 'uv python install 3.11'.\n"


def test_an_older_python_can_read_far_enough_to_say_so() -> None:
    ast.parse(Path(cli.__file__).read_text(), feature_version=(3, 7))


def test_the_unexpected_is_a_sentence_and_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").mkdir()
    monkeypatch.setenv("ENTREPOT_HOME", str(tmp_path))
    assert cli.explain(KeyError("colour")) == 70
    (written,) = (tmp_path / "logs").iterdir()
    assert capsys.readouterr().err == f"Something unexpected happened (KeyError: 'colour'): please report it with {written}.\n"


def test_an_interruption_has_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.explain(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def entrepot(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROGRAM, *arguments], env=environ, capture_output=True, text=True, check=False)
