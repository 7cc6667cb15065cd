"""What cannot be started is one clear sentence and an exit code, before anything was started or written."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from entrepot.settings import SCHEMES
from tests.command_line import entrepot
from tests.imports import sheet


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder in which the demo finds something to bring in."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "online_retail.parquet").touch()
    return folder


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def test_a_demo_on_a_server_that_is_away_starts_nothing(tmp_path: Path, data: Path) -> None:
    home, url = tmp_path / "home", "postgresql://me:secret@127.0.0.1:1/shop"
    code, said = await entrepot(home, "demo", "--once", DATA=str(data), RECORD_URL=url)
    assert code == 2
    assert said.endswith("ENTREPOT_RECORD_URL is postgresql://me@127.0.0.1:1/shop: start that server, or mend the URL.")
    assert not home.exists()


async def test_a_demo_on_a_taken_port_starts_nothing(tmp_path: Path, data: Path, taken: int) -> None:
    home = tmp_path / "home"
    code, said = await entrepot(home, "demo", "--port", str(taken), DATA=str(data))
    assert (code, said) == (2, f"127.0.0.1:{taken} is taken: stop what listens there, or give another --port.")
    assert not home.exists()


async def test_a_host_that_is_not_this_machine_is_not_called_a_taken_port(tmp_path: Path, data: Path) -> None:
    code, said = await entrepot(tmp_path / "home", "demo", DATA=str(data), HOST="192.0.2.1")
    assert code == 2
    assert said.startswith("192.0.2.1:8700 cannot be listened on")


@pytest.mark.parametrize("verb", ["demo", "serve"])
async def test_a_port_that_cannot_be_is_refused(tmp_path: Path, verb: str) -> None:
    code, said = await entrepot(tmp_path / "home", verb, "--port", "99999")
    assert (code, "Must be <= 65535" in said) == (2, True)


async def test_a_data_folder_without_files_is_named_and_starts_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    code, said = await entrepot(home, "demo", DATA=str(tmp_path))
    assert code == 3
    assert said.startswith(f"ENTREPOT_DATA is {tmp_path}, which holds neither")
    assert not home.exists()


async def test_a_url_whose_port_is_no_number_is_refused(tmp_path: Path) -> None:
    code, said = await entrepot(tmp_path, "project", RECORD_URL="postgresql://me@127.0.0.1:five/shop")
    assert (code, said.startswith("ENTREPOT_RECORD_URL is no URL")) == (2, True)


@pytest.mark.parametrize("verb", ["project", "replay product_page", "import products sheet.csv"])
async def test_a_wrong_password_is_told_as_what_it_is(record_url: str, tmp_path: Path, verb: str) -> None:
    file = sheet(tmp_path)
    login, _, server = record_url.rpartition("@")
    given = {f"{role.upper()}_URL": f"{schemes[0]}://127.0.0.1:1" for role, schemes in SCHEMES.items()}
    given["RECORD_URL"] = f"{login.rpartition(':')[0]}:wrong@{server}"
    code, said = await entrepot(tmp_path, *verb.replace("sheet.csv", str(file)).split(), **given)
    assert code == 2
    assert said.startswith("PostgreSQL refuses ENTREPOT_RECORD_URL (password authentication failed")
