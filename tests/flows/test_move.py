"""A role is moved to another engine of its kind and back while readers read and orders come: nobody notices."""

import hashlib
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import asyncpg
import pytest

from entrepot.base.errors import BadInputError, ConflictError, EntrepotError, NotFoundError
from entrepot.base.event import Position
from entrepot.base.projection import Item, Slot, Target
from entrepot.engines.documents.postgresql import PostgresqlDocuments
from entrepot.local.roles import DOCUMENTS
from entrepot.log import moves
from entrepot.moving.moving import NotEqualError
from entrepot.moving.places import find_places
from entrepot.privacy.scanner import Scanner
from tests.conftest import SECRET
from tests.house import House
from tests.moving import differing, engine_read, moved, moved_back, mover, under_load, until_built

ENTRIES = "SELECT actor, action, why FROM audit.entry WHERE object = $1 ORDER BY seq"


@pytest.fixture
async def elsewhere(house: House, record_url: str, tmp_path: Path) -> AsyncIterator[Mapping[str, str]]:
    """Return another engine of the same product for each role that needs no server of its own; no move is left under way."""
    documents = f"{house.app.settings.engines.documents}_{os.urandom(4).hex()}"
    connection = await asyncpg.connect(record_url)
    await connection.execute(f"CREATE DATABASE {documents.rpartition('/')[2]} OWNER {DOCUMENTS}")
    await connection.close()
    yield {"documents": documents, "search": f"tantivy://{tmp_path}/search"}
    async with house.app.record.committing() as reading:
        for left in await moves.moves(reading, open_only=True):
            if left.state == "switched":
                await mover(house).back(left.role)
            await mover(house).end(left.role, finish=False)


@pytest.mark.parametrize("role", ["documents", "search"])
async def test_a_role_is_moved_there_and_back_while_readers_read(house: House, elsewhere: Mapping[str, str], role: str) -> None:
    here, there = await engine_read(house, role), elsewhere[role]
    async with under_load(house) as load:
        await moved(house, role, there)
        assert await engine_read(house, role) == there
        await mover(house).back(role)
        assert await engine_read(house, role) == here
        await moved(house, role, there)
        await moved_back(house, role, here)
    assert await engine_read(house, role) == here
    assert set(load.reads) == {200}
    assert await differing(house, role) == 0


async def test_a_move_leaves_who_made_it_and_its_proof_in_the_audit(house: House, elsewhere: Mapping[str, str]) -> None:
    here = await engine_read(house, "documents")
    await moved(house, "documents", elsewhere["documents"])
    back = await moved_back(house, "documents", here)
    async with house.app.record.reading() as connection:
        told = await connection.fetch(ENTRIES, f"move/{back.id}")
    assert [row["action"] for row in told] == [f"move documents: {step}" for step in ("begin", "switch", "finish")]
    assert {row["actor"] for row in told} == {"system/tests"}
    assert hashlib.sha256(str(back.proof).encode()).hexdigest() in told[1]["why"]


async def test_the_engine_room_shows_a_move_with_its_progress_and_proof(house: House, elsewhere: Mapping[str, str]) -> None:
    here = await engine_read(house, "documents")
    begun = await mover(house).begin("documents", elsewhere["documents"])
    building = (await house.client.get("/engine-room")).text
    assert "being built; readers read the old engine" in building
    assert "How far the new documents engine is" in building
    await moved(house, "documents", elsewhere["documents"])
    switched = (await house.client.get("/engine-room")).text
    assert "fed on until the move is finished" in switched
    assert "items compared, all equal" in switched
    assert switched.count(begun.to_address) >= 3  # beside the projection, among the engines, and in the move
    await moved_back(house, "documents", here)


async def test_a_process_with_an_old_environment_reads_what_everybody_reads(house: House, elsewhere: Mapping[str, str]) -> None:
    here = await engine_read(house, "documents")
    await moved(house, "documents", elsewhere["documents"])
    app = house.app
    started = await find_places(app.settings, app.record, app.sealing)
    assert await started.url("documents", started.own("documents")) == elsewhere["documents"]
    assert app.settings.engines.documents == here
    await moved_back(house, "documents", here)


async def test_a_move_that_was_cut_goes_on_and_readers_notice_nothing(house: House, elsewhere: Mapping[str, str]) -> None:
    here = await engine_read(house, "documents")
    begun = await mover(house).begin("documents", elsewhere["documents"])
    again = await mover(house).begin("documents", elsewhere["documents"])
    assert again.id == begun.id
    assert await engine_read(house, "documents") == here
    await mover(house).end("documents", finish=False)


async def test_a_password_lies_nowhere_in_the_clear(house: House, elsewhere: Mapping[str, str]) -> None:
    begun = await mover(house).begin("documents", elsewhere["documents"])
    async with house.app.record.reading() as connection:
        rows = await connection.fetch("SELECT e::text AS engine FROM log.engine AS e")
    await mover(house).end("documents", finish=False)
    assert "@" not in begun.to_address
    assert not [row for row in rows if SECRET in row["engine"] or SECRET.encode().hex() in row["engine"]]


@pytest.mark.parametrize(
    ("role", "url", "told"),
    [
        ("memory", "redis://127.0.0.1:1", "cannot be moved: documents, search, graph, series can"),
        ("nothing", "tantivy:///x", "'nothing' engine cannot be moved"),
        ("search", "bolt://user:secret@127.0.0.1:1", "is no search engine: give a URL that begins with one of tantivy"),
        ("search", "elasticsearch", "is no search engine"),
        ("search", "elasticsearch://user:secret@127.0.0.1:1", "Nothing was moved to elasticsearch://127.0.0.1:1"),
        ("documents", "postgresql://user:secret@127.0.0.1:port/db", "is no URL"),
    ],
)
async def test_what_cannot_be_moved_to_is_told_and_nothing_is_noted(house: House, role: str, url: str, told: str) -> None:
    with pytest.raises(EntrepotError, match=told) as error:
        await mover(house).begin(role, url)
    assert "secret" not in str(error.value)
    with pytest.raises(EntrepotError, match=r"cannot be moved|is not being moved"):
        await mover(house).under_way(role)


async def test_where_a_role_is_already_it_is_not_moved(house: House) -> None:
    with pytest.raises(ConflictError, match="already: there is nothing to move"):
        await mover(house).begin("search", await engine_read(house, "search"))


async def test_what_somebody_else_has_filled_is_left_as_it_is(house: House, elsewhere: Mapping[str, str]) -> None:
    live = house.app.live.target("product_page")
    async with house.app.record.committing() as connection:
        numbers = await moves.next_generations(connection, ["product_page"])
    theirs, target = PostgresqlDocuments(elsewhere["documents"]), Target("product_page", numbers["product_page"], live.shape)
    await theirs.open()
    await theirs.create(target)
    await theirs.apply(target, Slot(1), [Item("product/1", 1, {"whose": "theirs"})], Position(1, 1))
    with pytest.raises(BadInputError, match="is there already, filled by somebody"):
        await mover(house).begin("documents", elsewhere["documents"])
    left = await theirs.scan(target, "", None)
    await theirs.close()
    assert [item.body for item in left] == [{"whose": "theirs"}]


async def test_what_is_not_equal_is_not_switched_to(house: House, elsewhere: Mapping[str, str]) -> None:
    one = mover(house)
    begun = await one.begin("documents", elsewhere["documents"])
    await until_built(one, begun)
    async with house.app.record.committing() as connection:
        number = (await moves.beside(connection, begun.to_id))["product_page"]
    store = house.app.stores.documents
    target = Target("product_page", number, engine=str(begun.to_id))
    await store.put(target, [Item("product/planted", 1, {"planted": True})])
    with pytest.raises(NotEqualError, match="product/planted"):
        await one.prove(begun)
    await one.end("documents", finish=False)


async def test_what_newer_code_has_rebuilt_is_not_exchanged_for_what_older_code_made(
    house: House, elsewhere: Mapping[str, str]
) -> None:
    one = mover(house)
    begun = await one.begin("documents", elsewhere["documents"])
    await until_built(one, begun)
    async with house.app.record.committing() as connection:
        await connection.execute("UPDATE log.generation SET version = version - 1 WHERE engine = $1", begun.to_id)
    with pytest.raises(ConflictError, match="rebuilt by another version of the code since the move began"):
        await one.switch(begun, await one.prove(begun))
    await one.end("documents", finish=False)


async def test_a_step_that_does_not_fit_is_refused(house: House, elsewhere: Mapping[str, str]) -> None:
    one = mover(house)
    with pytest.raises(NotFoundError, match="is not being moved"):
        await one.back("documents")
    await one.begin("documents", elsewhere["documents"])
    with pytest.raises(ConflictError, match="there is nothing to go back from"):
        await one.back("documents")
    with pytest.raises(ConflictError, match="goes on, --give-up leaves it"):
        await one.end("documents", finish=True)
    with pytest.raises(ConflictError, match=r"is being moved to .* already"):
        await one.begin("documents", f"{elsewhere['documents']}_other")
    await one.end("documents", finish=False)


async def test_the_search_for_personal_data_looks_where_a_role_was_moved_to(house: House, elsewhere: Mapping[str, str]) -> None:
    places = house.app.stores.places
    here = await engine_read(house, "search")
    await moved(house, "search", elsewhere["search"])
    read, *held = (await places.moved())["search"]
    assert (read, here in held) == (elsewhere["search"], True)
    found = await Scanner(house.app.settings, places.moved).search(["Alder Mug black"], [])
    assert {"search", "search 2"} <= {source.source for source in found.sources if source.findings}
    await moved_back(house, "search", here)
