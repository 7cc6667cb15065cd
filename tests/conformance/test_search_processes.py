"""tantivy shared by processes: a killed writer, readers elsewhere, and writers that take turns."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from entrepot.base.event import Position
from entrepot.base.projection import Item, Shape, Slot, Target
from entrepot.engines.search.tantivy import TantivyStore

TARGET = Target("shared", 1, Shape())
IDS = [f"thing/{number:03}" for number in range(50)]
SEEN_SECONDS_MAX = 0.1

# Writes versions 1, 2, 3 ... of all the items, each with its position, and says which are acknowledged.
WRITER = """
import asyncio, sys
from entrepot.base.event import Position
from entrepot.base.projection import Item, Shape, Slot, Target
from entrepot.engines.search.tantivy import TantivyStore

async def write(url, ids, slot):
    store, target, version = TantivyStore(url), Target("shared", 1, Shape()), 0
    while True:
        version += 1
        items = [Item(id_, version, {"n": version}) for id_ in ids]
        await store.apply(target, Slot(1, slot, 2), items, Position(version, version))
        print(version, flush=True)

asyncio.run(write(sys.argv[1], sys.argv[3:], int(sys.argv[2])))
"""

# Fills a disk (a limit on the size of files stands for it), finds room again, and goes on.
FULL_DISK = """
import asyncio, os, resource, sys
from entrepot.base.errors import EngineAwayError
from entrepot.base.event import Position
from entrepot.base.projection import Item, Shape, Slot, Target
from entrepot.engines.search.tantivy import TantivyStore

async def write(url):
    store, target, slot = TantivyStore(url), Target("shared", 1, Shape()), Slot(1)
    items = [Item(f"thing/{n}", 1, {"n": os.urandom(9_000).hex()}) for n in range(100)]
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, unlimited[1]))
    try:
        await store.apply(target, slot, items, Position(1, 1))
    except EngineAwayError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert await store.position(target, slot) == Position(0, 0)
    await store.apply(target, slot, items, Position(1, 1))
    assert len(await store.scan(target, "", None)) == 100
    await store.close()

asyncio.run(write(sys.argv[1]))
"""


@asynccontextmanager
async def writer(url: str, slot: int, ids: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a writer in a process of its own, and kill it as nothing can resist."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, url, str(slot), *ids, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def acknowledged(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    return int(await asyncio.wait_for(process.stdout.readline(), 30))


async def made(folder: Path) -> tuple[str, TantivyStore]:
    url = f"tantivy://{folder}"
    store = TantivyStore(url)
    await store.create(TARGET)
    return url, store


async def test_a_writer_killed_at_any_moment_leaves_items_and_position_of_one_commit(tmp_path: Path) -> None:
    url, store = await made(tmp_path)
    slot = Slot(1, 0, 2)
    for rounds in range(6):
        async with writer(url, 0, IDS) as process:
            heard = [await acknowledged(process) for _ in range(1 + rounds % 3)]
            await asyncio.sleep(0)
        position = await store.position(TARGET, slot)
        items = await store.read(TARGET, IDS)
        assert position.seq >= max(heard)
        assert {item.version for item in items.values()} == {position.seq}
        assert len(items) == len(IDS)
    await store.close()


async def test_a_reader_in_another_process_sees_a_commit_at_once(tmp_path: Path) -> None:
    url, store = await made(tmp_path)
    async with writer(url, 0, IDS) as process:
        for _ in range(5):
            version = await acknowledged(process)
            heard = time.monotonic()
            item = (await store.read(TARGET, IDS[:1]))[IDS[0]]
            assert item.version >= version
            assert time.monotonic() - heard < SEEN_SECONDS_MAX
    await store.close()


async def test_two_processes_that_write_one_index_take_turns(tmp_path: Path) -> None:
    url, store = await made(tmp_path)
    async with writer(url, 0, IDS[:20]) as first, writer(url, 1, IDS[20:]) as second:
        for process in (first, second, first, second):
            await acknowledged(process)
    assert {item.id for item in await store.scan(TARGET, "", None)} == set(IDS)
    await store.close()


async def test_a_repair_gets_its_turn_while_the_projector_writes(tmp_path: Path) -> None:
    url, store = await made(tmp_path)
    async with writer(url, 0, IDS) as process:
        await acknowledged(process)
        await store.put(TARGET, [Item("thing/repaired", 1, {"by": "hand"})])
        await acknowledged(process)
    assert (await store.read(TARGET, ["thing/repaired"])).keys() == {"thing/repaired"}
    await store.close()


async def test_a_cancelled_write_leaves_the_store_ready_for_the_next(tmp_path: Path) -> None:
    _, store = await made(tmp_path)
    task = asyncio.create_task(store.apply(TARGET, Slot(1), [Item("thing/1", 1, {})], Position(1, 1)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.apply(TARGET, Slot(1), [Item("thing/1", 2, {})], Position(2, 2))
    assert (await store.read(TARGET, ["thing/1"]))["thing/1"].version == 2
    await store.close()


async def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    url, store = await made(tmp_path)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", FULL_DISK, url, stdout=asyncio.subprocess.PIPE)
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert b"The search engine does not answer (shared_g1 cannot be written" in said
    await store.close()


async def test_a_refused_version_leaves_the_one_before_it(tmp_path: Path) -> None:
    store = TantivyStore(f"tantivy://{tmp_path}")
    target = Target("shared", 1, Shape('{"fields": {"rank": {"type": "integer"}}}'))
    await store.create(target)
    kept = Item("thing/1", 1, {"rank": 1})
    await store.apply(target, Slot(1), [kept], Position(1, 1))
    refusals = await store.apply(target, Slot(1), [Item("thing/1", 2, {"rank": "high"})], Position(2, 2))
    assert [refusal.id for refusal in refusals] == ["thing/1"]
    assert await store.read(target, ["thing/1"]) == {"thing/1": kept}
    await store.close()
