"""`entrepot replay` and `entrepot archive`, as an operator runs them, on real engines."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from entrepot.app import opened
from entrepot.base import limits
from entrepot.base.event import Token
from entrepot.cli.archive import show
from entrepot.commerce.catalog.commands import save_products
from entrepot.commerce.catalog.events import PRODUCT_CHANGED
from entrepot.duties import keep_up
from entrepot.log.archive import Moved
from entrepot.log.quarantine import parked
from entrepot.projections.product_page.project import ProductPages
from entrepot.record.transaction import Fact
from entrepot.settings import load
from tests.command_line import entrepot
from tests.log_case import DEADLINE_SECONDS, House, IdsOf, Misspelt, days_ago, house, until
from tests.trade import CELL, draft

PAGES = ProductPages()
POISONED = "product/poisoned"


@pytest.fixture
async def home(migrated_url: str) -> AsyncIterator[House]:
    async with house(migrated_url, PAGES) as opened:
        async with opened.record.committing() as connection:
            await connection.execute("SELECT log.ensure_partitions('log.event', 'day', now() - interval '5 days', now())")
        yield opened


async def poison(home: House) -> None:
    """Write an event that pages cannot read, and let it be found."""
    async with home.record.transaction(CELL) as tx:
        token = await tx.append([Fact(PRODUCT_CHANGED, POISONED, 1, Misspelt("x"))])
    async with home.projecting(PAGES):
        await home.passed(token, PAGES.name)


async def asked_again(home: House) -> list[bool]:
    return [one.replay for one in await parked(home.record, PAGES.name)]


@pytest.mark.parametrize("key", [(), (POISONED,)])
async def test_replay_asks_for_what_is_in_quarantine(home: House, tmp_path: Path, key: tuple[str, ...]) -> None:
    await poison(home)
    code, said = await entrepot(tmp_path, "replay", PAGES.name, *key, RECORD_URL=home.url)
    assert (code, said) == (0, "1 event of product_page will be tried again: 'entrepot project' does it.")
    assert await asked_again(home) == [True]


async def test_replay_of_a_key_that_is_not_there_names_those_that_are(home: House, tmp_path: Path) -> None:
    await poison(home)
    code, said = await entrepot(tmp_path, "replay", PAGES.name, "product/1", RECORD_URL=home.url)
    assert (code, said) == (3, f"'product/1' is not in quarantine of product_page: only {POISONED}.")
    assert await asked_again(home) == [False]


async def test_replay_of_nothing_says_so(home: House, tmp_path: Path) -> None:
    assert await entrepot(tmp_path, "replay", PAGES.name, RECORD_URL=home.url) == (
        0,
        "Nothing is in quarantine of product_page.",
    )


@pytest.mark.parametrize("verb", ["replay", "verify", "rebuild"])
async def test_a_projection_that_is_not_there_is_told_from_those_that_are(tmp_path: Path, verb: str) -> None:
    code, said = await entrepot(tmp_path, verb, "pages")
    assert code == 3
    assert said.startswith("There is no projection 'pages': product_page, ")


@pytest.fixture
def given(
    home: House, memory_url: str, graph_url: str, columns_url: str, objects_url: str, gateway_url: str, tmp_path: Path
) -> dict[str, str]:
    """Return every engine's URL as the environment gives them."""
    return {
        "RECORD_URL": home.url,
        "DOCUMENTS_URL": home.url,
        "MEMORY_URL": memory_url,
        "GRAPH_URL": graph_url,
        "COLUMNS_URL": columns_url,
        "OBJECTS_URL": objects_url,
        "GATEWAY_URL": gateway_url,
        "SEARCH_URL": f"tantivy://{tmp_path}/search",
    }


async def offer_on(home: House, days: int) -> Token:
    """Offer two products as if it were some days ago."""
    present, home.record.ids = home.record.ids, IdsOf(days_ago(days))
    async with home.record.transaction(CELL) as tx:
        token = (await save_products(tx, [draft(f"tea-{days}"), draft(f"cup-{days}")])).token
    home.record.ids = present
    assert token is not None
    return token


async def test_archive_moves_what_all_have_passed_and_then_has_nothing_to_do(
    home: House, given: dict[str, str], tmp_path: Path
) -> None:
    token = await offer_on(home, 2)
    async with home.projecting(PAGES):
        await home.passed(token, PAGES.name)
    code, said = await entrepot(tmp_path, "archive", "--json", **given)
    assert (code, [one["rows"] for one in json.loads(said)["moved"]]) == (0, [2])
    assert (await entrepot(tmp_path, "archive", **given))[1].startswith("Nothing is to be moved")


async def test_projections_go_on_while_what_they_have_passed_cannot_be_archived(
    home: House, given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ROOM_SECONDS", 0.1)
    given |= {"OBJECTS_URL": "s3://key:secret@127.0.0.1:1/away", "HOME": str(tmp_path)}
    await offer_on(home, 2)
    async with opened(load({f"ENTREPOT_{name}": value for name, value in given.items()})) as app:
        with capture_logs() as logged:
            work = asyncio.create_task(keep_up(app))
            await until(lambda: tried_in_vain(logged))
            assert await app.live.wait_for(PAGES.name, await offer_on(home, 0), DEADLINE_SECONDS)
        assert not work.done()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def tried_in_vain(logged: Sequence[Mapping[str, object]]) -> bool:
    return any(one["event"] == "room.not_kept" and "objects" in str(one["why"]) for one in logged)


def test_what_was_moved_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    show([Moved(1, "event_20260101", "log/cell=1/event_20260101.parquet", 2_000, 30_000)], as_json=False)
    shown = capsys.readouterr().out
    assert "2,000" in shown
    assert "log/cell=1" in shown
