"""The supervisor keeps what it promises when it, or an engine, is killed; every process here is real."""

import asyncio
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis

from entrepot.base.errors import EntrepotError
from entrepot.local import control
from entrepot.local.state import State, read_state
from entrepot.settings import SCHEMES, Settings, load

MEMORY_ONLY = frozenset(SCHEMES) - {"memory"}
RECORD_ONLY = frozenset(SCHEMES) - {"record", "documents"}
GRAPH_ONLY = frozenset(SCHEMES) - {"graph"}


@pytest.fixture
def home() -> Iterator[Path]:
    """Return a new folder that the server's own user can reach too (pytest's own are closed to others)."""
    folder = Path(tempfile.mkdtemp(prefix="entrepot-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def settings(home: Path) -> AsyncIterator[Settings]:
    """Return the settings of a new home, where nothing runs once the test is over."""
    settings = load({"ENTREPOT_HOME": str(home)})
    yield settings
    await control.stop(settings)


async def test_a_second_start_finds_the_first(settings: Settings) -> None:
    await control.start(settings, MEMORY_ONLY)
    first = state_of(settings)
    await control.start(settings, MEMORY_ONLY)
    assert state_of(settings) == first


async def test_two_starts_at_once_make_one_supervisor(settings: Settings) -> None:
    one, other = await asyncio.gather(control.start(settings, MEMORY_ONLY), control.start(settings, MEMORY_ONLY))
    assert one.engines == other.engines
    assert len(processes_of(settings.home)) == 2  # the supervisor and the engine


async def test_a_start_that_asks_for_more_leaves_the_running_engine_alone(settings: Settings) -> None:
    await control.start(settings, MEMORY_ONLY)
    memory = state_of(settings).engines["memory"].pid
    await control.start(settings, MEMORY_ONLY - {"graph"})
    state = state_of(settings)
    assert set(state.engines) == {"memory", "graph"}
    assert state.engines["memory"].pid == memory


async def test_a_killed_redis_comes_back_with_every_acknowledged_key(settings: Settings) -> None:
    url = (await control.start(settings, MEMORY_ONLY)).engines.memory
    async with Redis.from_url(url) as client:
        for number in range(200):
            await client.set(f"key {number}", number)
    await kill(state_of(settings).engines["memory"].pid)
    await until(lambda: engine_is_back(settings, "memory"))
    async with Redis.from_url(url) as client:
        assert await client.dbsize() == 200


async def test_a_killed_graph_comes_back_with_its_nodes_and_its_position(settings: Settings) -> None:
    url = (await control.start(settings, GRAPH_ONLY)).engines.graph.replace("falkor", "redis", 1)
    async with Redis.from_url(url) as client:
        for number in range(1, 51):
            await client.execute_command(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
                "GRAPH.QUERY", "g", f"MERGE (p:Position) SET p.at={number} CREATE (:Order {{id: {number}}})"
            )
    await kill(state_of(settings).engines["graph"].pid)
    await until(lambda: engine_is_back(settings, "graph"))
    async with Redis.from_url(url) as client:
        answer = await client.execute_command("GRAPH.QUERY", "g", "MATCH (p:Position), (o:Order) RETURN p.at, count(o)")  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
    assert answer[1] == [[50, 50]]


async def test_a_killed_postgres_comes_back_with_every_acknowledged_row(settings: Settings) -> None:
    url = (await control.start(settings, RECORD_ONLY)).engines.record_owner
    before = await asyncpg.connect(url)
    await before.execute("CREATE TABLE kept (number int)")
    for number in range(200):
        await before.execute("INSERT INTO kept VALUES ($1)", number)
    await kill(state_of(settings).engines["record"].pid)
    await until(lambda: engine_is_back(settings, "record"))
    after = await asyncpg.connect(url)
    assert await after.fetchval("SELECT count(*) FROM kept") == 200
    await after.close()


async def test_a_postgres_that_is_killed_on_its_way_up_comes_back_too(settings: Settings) -> None:
    await control.start(settings, RECORD_ONLY)
    first = state_of(settings).engines["record"].pid
    await kill(first)

    async def has_its_lock() -> bool:
        return state_of(settings).engines["record"].pid in {int(path.read_text().split()[0]) for path in locks()} - {first}

    def locks() -> Iterator[Path]:
        return (path for path in settings.home.rglob("postmaster.pid") if path.stat().st_size)

    await until(has_its_lock, every_seconds=0.001)
    psutil.Process(state_of(settings).engines["record"].pid).kill()
    await until(lambda: engine_is_back(settings, "record"))


async def test_after_the_supervisor_was_killed_the_next_start_adopts_its_engine(settings: Settings) -> None:
    await control.start(settings, MEMORY_ONLY)
    before = state_of(settings)
    await kill(before.pid)
    await control.start(settings, MEMORY_ONLY)
    after = state_of(settings)
    assert after.pid != before.pid
    assert after.engines["memory"].pid == before.engines["memory"].pid


async def test_status_says_that_the_supervisor_has_died(settings: Settings) -> None:
    ready = await control.start(settings, MEMORY_ONLY)
    await kill(state_of(settings).pid)
    row = next(row for row in await control.status(ready, MEMORY_ONLY) if row.role == "memory")
    assert row.problem == ""
    assert row.note == "its supervisor has died: 'entrepot up' brings one back"


async def test_an_adopted_engine_that_dies_is_restarted_too(settings: Settings) -> None:
    await control.start(settings, MEMORY_ONLY)
    await kill(state_of(settings).pid)
    await control.start(settings, MEMORY_ONLY)
    await kill(state_of(settings).engines["memory"].pid)
    await until(lambda: engine_is_back(settings, "memory"))


async def test_after_everything_was_killed_the_data_is_still_there(settings: Settings) -> None:
    url = (await control.start(settings, MEMORY_ONLY)).engines.memory
    async with Redis.from_url(url) as client:
        await client.set("colour", "blue")
    for process in processes_of(settings.home):
        await kill(process.pid)
    url = (await control.start(settings, MEMORY_ONLY)).engines.memory
    async with Redis.from_url(url) as client:
        assert await client.get("colour") == b"blue"


async def test_stop_leaves_no_process_even_without_a_supervisor(settings: Settings) -> None:
    await control.start(settings, RECORD_ONLY - {"memory"})
    await kill(state_of(settings).pid)
    stopped = await control.stop(settings)
    assert set(stopped) == {"record", "memory"}
    assert processes_of(settings.home) == []


async def test_stop_spares_a_program_that_only_looks_into_our_folder(settings: Settings) -> None:
    await control.start(settings, MEMORY_ONLY)
    config = settings.home / "memory" / "redis.conf"
    stranger = await asyncio.create_subprocess_exec("tail", "-f", str(config), stdout=asyncio.subprocess.DEVNULL)
    await control.stop(settings)
    assert stranger.returncode is None
    stranger.kill()
    await stranger.wait()


async def test_a_port_taken_by_a_stranger_is_exchanged_and_said_so(settings: Settings) -> None:
    await control.start(settings, MEMORY_ONLY)
    (port,) = state_of(settings).engines["memory"].ports
    await control.stop(settings)
    with socket.create_server(("127.0.0.1", port)):
        ready = await control.start(settings, MEMORY_ONLY)
        rows = await control.status(ready, MEMORY_ONLY)
    row = next(row for row in rows if row.role == "memory")
    assert row.problem == ""
    assert row.note.startswith(f"Port {port} is taken by another program")


async def test_an_engine_given_by_url_is_asked_but_not_started(settings: Settings, memory_url: str) -> None:
    environ = {"ENTREPOT_HOME": str(settings.home), "ENTREPOT_MEMORY_URL": memory_url}
    given = GRAPH_ONLY
    ready = await control.start(load(environ), given)
    row = next(row for row in await control.status(ready, given) if row.role == "memory")
    assert (row.external, row.pid, row.problem) == (True, None, "")
    assert "memory" not in state_of(settings).engines


async def test_the_password_never_shows_in_a_command_line_or_to_other_users(settings: Settings) -> None:
    await control.start(settings, frozenset())
    secrets = (settings.home / "installation.json").read_text().split('"')
    lines = " ".join(" ".join(process.cmdline()) for process in processes_of(settings.home))
    assert not [text for text in secrets if len(text) == 32 and text in lines]
    for name in ("installation.json", "engines.json"):
        assert (settings.home / name).stat().st_mode & 0o077 == 0


async def test_a_home_that_cannot_be_written_is_refused_with_what_to_do() -> None:
    with pytest.raises(EntrepotError, match=r"cannot be written .* set ENTREPOT_HOME to a folder you may write to"):
        await control.start(load({"ENTREPOT_HOME": "/proc/entrepot"}), MEMORY_ONLY)


async def test_a_damaged_memory_of_ports_and_passwords_is_refused_with_what_to_do(settings: Settings) -> None:
    (settings.home / "installation.json").write_text("{")
    with pytest.raises(EntrepotError, match=r"installation.json is damaged .* put back a copy"):
        await control.start(settings, MEMORY_ONLY)
    (settings.home / "installation.json").unlink()


async def test_a_lost_password_is_told_rather_than_waited_for(settings: Settings) -> None:
    await control.start(settings, RECORD_ONLY)
    await control.stop(settings)
    (settings.home / "installation.json").unlink()
    with pytest.raises(EntrepotError, match="does not open the data"):
        await control.start(settings, RECORD_ONLY)


async def test_an_engine_that_cannot_start_is_told_with_its_last_words(settings: Settings) -> None:
    (settings.home / "record").mkdir()
    (settings.home / "record" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EntrepotError, match="PostgreSQL ended before it was ready"):
        await control.start(settings, RECORD_ONLY)
    assert processes_of(settings.home) == []


async def test_the_command_line_says_what_it_started_and_what_it_stopped(settings: Settings, memory_url: str) -> None:
    others = {
        f"ENTREPOT_{role.upper()}_URL": f"{schemes[0]}://127.0.0.1:1/x" for role, schemes in SCHEMES.items() if role != "memory"
    }
    environ = os.environ | others | {"ENTREPOT_HOME": str(settings.home)}
    code, said = await entrepot(environ, "up", "--json")
    assert code == 3  # the others are given by URL and do not answer
    assert '"role":"memory"' in said
    code, said = await entrepot(environ, "down")
    assert code == 0
    assert said.startswith("Stopped memory (")


async def entrepot(environ: dict[str, str], *arguments: str) -> tuple[int | None, str]:
    command = [sys.executable, "-c", "from entrepot.cli import main; main()", *arguments]
    process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return process.returncode, said.decode()


def state_of(settings: Settings) -> State:
    state = read_state(settings.home)
    assert state is not None
    return state


def processes_of(home: Path) -> list[psutil.Process]:
    """Return every live process whose command line names the home, found without the code under test."""
    live = [process for process in psutil.process_iter(["cmdline", "status"]) if process.info["status"] != psutil.STATUS_ZOMBIE]
    return [process for process in live if str(home) in " ".join(process.info["cmdline"] or [])]


async def kill(pid: int) -> None:
    """Kill the process and wait until it is dead: the signal alone only asks for it."""
    process = psutil.Process(pid)
    process.kill()
    await until(lambda: is_dead(process))


async def is_dead(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def engine_is_back(settings: Settings, role: str) -> bool:
    if state_of(settings).engines[role].restarts == 0:
        return False
    ready = load({"ENTREPOT_HOME": str(settings.home)})
    return all(not row.problem for row in await control.status(ready) if row.role == role)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20, every_seconds: float = 0.05) -> None:
    """Wait for the condition, or fail at the deadline."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(every_seconds)
