"""A scanner of files keeps its port; with ``ENTREPOT_TEST_CLAMD_URL`` it is ClamAV's own daemon (tried: 1.4.6)."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.partners.scanning.clamd import Clamd
from tests.clamd import BYTES_MAX, EICAR, clamd


@pytest.fixture
async def scanner() -> AsyncIterator[Clamd]:
    if given := os.environ.get("ENTREPOT_TEST_CLAMD_URL"):
        yield Clamd(given)
        return
    async with clamd() as url:
        yield Clamd(url)


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path


async def test_a_file_that_is_known_as_malicious_is_named(scanner: Clamd, tmp_path: Path) -> None:
    assert "eicar" in (await scanner.found_in(file_of(tmp_path, EICAR))).lower()


async def test_a_file_in_which_nothing_is_known_is_clean(scanner: Clamd, tmp_path: Path) -> None:
    assert await scanner.found_in(file_of(tmp_path, b"once upon a time" * 10_000)) == ""


async def test_a_file_that_the_scanner_finds_too_large_is_not_taken_for_clean(scanner: Clamd, tmp_path: Path) -> None:
    with pytest.raises(EngineAwayError):
        await scanner.found_in(file_of(tmp_path, bytes(8 * BYTES_MAX)))


async def test_a_scanner_that_is_away_lets_nothing_through(tmp_path: Path) -> None:
    with pytest.raises(EngineAwayError):
        await Clamd("clamd://127.0.0.1:1").found_in(file_of(tmp_path, b"x"))


@pytest.mark.parametrize("url", ["clamav://host:1", "clamd://", "clamd://host:x", "host"])
def test_an_address_of_no_scanner_is_refused(url: str) -> None:
    with pytest.raises(BadInputError, match="clamd://host:port"):
        Clamd(url)
