"""Start, stop and look at the embedded engines of one home; what ``entrepot up``, ``down`` and ``status`` say aloud.

    settings = await start(settings, given=settings_module.given_roles(os.environ))

gives back the settings with the URL of every engine in them. All three may be called at any time, by any number of programs.
"""

import asyncio
import contextlib
import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import psutil
from msgspec import Struct

from entrepot.base.engine_limits import READY_SECONDS_MAX, STOP_SECONDS_MAX
from entrepot.base.errors import EntrepotError
from entrepot.local.ping import address, ping
from entrepot.local.place import LocalEngineError
from entrepot.local.process import ASK_AGAIN_SECONDS, alive, stop_process
from entrepot.local.roster import FOLDER_ROLE, PLAYED_BY, engines_for, folder_url
from entrepot.local.state import (
    SUPERVISOR_MODULE,
    State,
    forget,
    read_installation,
    read_state,
    read_urls,
    supervisor_of,
    write_urls,
)
from entrepot.local.supervisor import ANOTHER_HOLDS_THE_LOCK, stop_all
from entrepot.settings import RECORD_USERS, SCHEMES, Settings, with_engines

CLOCK_SLACK_SECONDS = 1.0
SAME_USER = "the application's user migrates it too and owns its tables: 'entrepot roles' shows how to part the two"


class EngineStatus(Struct):
    """One role as it is now; ``problem`` is empty when the engine answered."""

    role: str
    product: str
    address: str
    external: bool
    pid: int | None = None
    version: str = ""
    memory_bytes: int | None = None
    uptime_seconds: float | None = None
    restarts: int | None = None
    problem: str = ""
    note: str = ""


async def start(settings: Settings, given: Collection[str] = ()) -> Settings:
    """Return the settings with a running engine behind every role; those given by URL are left alone."""
    home = settings.home.resolve()
    prepare_home(home)
    read_installation(home)  # a damaged one is told here, rather than in the log of a supervisor that could not begin
    roles = [engine.role for engine in engines_for(given)]
    if roles:
        await _until_supervised(home, roles)
    else:
        (home / FOLDER_ROLE).mkdir(exist_ok=True)
        write_urls(home, {FOLDER_ROLE: folder_url(home)})
    return with_engines(settings, {role: url for role, url in read_urls(home).items() if _server_of(role) not in given})


async def stop(settings: Settings) -> dict[str, int]:
    """Stop the supervisor and every engine of this home; return the pid of each that ran."""
    home = settings.home.resolve()
    if not home.is_dir():
        return {}
    state = read_state(home)
    supervisor = supervisor_of(home, state)
    stopped = {}
    if state and supervisor:
        stopped = {role: engine.pid for role, engine in state.engines.items()} | {"supervisor": supervisor.pid}
        # It stops all engines at once and may need as long as the slowest; killed, it leaves them to us.
        await stop_process(supervisor, signal.SIGTERM, 2 * STOP_SECONDS_MAX)
    stopped |= await stop_all(home)
    forget(home)
    return stopped


async def status(settings: Settings, given: Collection[str] = ()) -> list[EngineStatus]:
    """Ask every engine a real question and return what each is, in the order of the roles."""
    home = settings.home.resolve()
    state = read_state(home)
    rows = [_describe(settings, role, role in given, state) for role in SCHEMES]
    if state and supervisor_of(home, state) is None:
        for row in rows:
            row.note = row.note or ("its supervisor has died: 'entrepot up' brings one back" if row.pid else "")
    await asyncio.gather(*(_ask(settings, row) for row in rows))
    return rows


def _server_of(url_name: str) -> str:
    """Return the role whose server a remembered URL is of: that of ``record_owner`` is the record's."""
    return "record" if url_name in RECORD_USERS else url_name


def prepare_home(home: Path) -> None:
    """Create the home, or say in a sentence why nothing can be kept there."""
    with _told_of(home):
        home.mkdir(parents=True, exist_ok=True)
        owner = home.stat().st_uid
    if owner != os.geteuid():
        raise LocalEngineError(
            f"{home} belongs to another user (uid {owner}, you are {os.geteuid()}): set ENTREPOT_HOME to a folder of your own."
        )
    with _told_of(home), tempfile.TemporaryFile(dir=home, buffering=0) as probe:
        probe.write(bytes(4096))
        (home / "logs").mkdir(exist_ok=True)


@contextlib.contextmanager
def _told_of(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LocalEngineError(f"{home} cannot be written ({error.strerror}): {_cure(error)}.", home=str(home)) from error


def _cure(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "free some space there, or set ENTREPOT_HOME to a folder on another disk"
    return "set ENTREPOT_HOME to a folder you may write to"


async def _until_supervised(home: Path, roles: list[str]) -> State:
    deadline = time.monotonic() + 2 * READY_SECONDS_MAX
    begun = False
    while time.monotonic() < deadline:
        state = read_state(home)
        supervisor = supervisor_of(home, state)
        if state and supervisor:
            if not set(roles) <= set(state.roles):
                await stop_process(supervisor, signal.SIGHUP, STOP_SECONDS_MAX)
                begun = False
            elif state.phase == "ready":
                return state
        elif not begun:
            begun = await asyncio.to_thread(_begin, home, roles)
        elif state and state.phase == "failed":
            raise LocalEngineError(state.problem)
        elif state:
            raise LocalEngineError(
                f"The supervisor ended before the engines were ready: see {home / 'logs' / 'supervisor.log'}."
            )
        await asyncio.sleep(ASK_AGAIN_SECONDS)
    raise LocalEngineError(f"The engines are not ready after {2 * READY_SECONDS_MAX:.0f} s: see the logs in {home / 'logs'}.")


def _begin(home: Path, roles: list[str]) -> bool:
    """Start a supervisor; return whether it is ours (another program may have been quicker, or is stopping one)."""
    with (home / "logs" / "supervisor.log").open("ab") as log:
        command = [sys.executable, "-m", SUPERVISOR_MODULE, str(home), *roles]
        begun = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)  # noqa: S603  # ourselves
    if begun.returncode not in {0, ANOTHER_HOLDS_THE_LOCK}:
        raise LocalEngineError(f"The supervisor could not be started: see {home / 'logs' / 'supervisor.log'}.")
    return begun.returncode == 0


def _describe(settings: Settings, role: str, external: bool, state: State | None) -> EngineStatus:
    row = EngineStatus(role=role, product="", address=address(getattr(settings.engines, role)), external=external)
    if role == "record" and external and settings.engines.owner == settings.engines.record:
        row.note = SAME_USER
    engine = state.engines.get(PLAYED_BY.get(role, role)) if state and not external else None
    if engine is None:
        row.product = "tantivy" if role == FOLDER_ROLE and not external else row.address.partition(":")[0]
        return row
    row.product, row.note, row.restarts = engine.product, engine.note, engine.restarts
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(engine.pid)
        if alive(process) and abs(process.create_time() - engine.started) < CLOCK_SLACK_SECONDS:  # else a pid given away since
            row.pid, row.uptime_seconds = engine.pid, time.time() - process.create_time()
            row.memory_bytes = resident_bytes(process) if role not in PLAYED_BY else None
    return row


async def _ask(settings: Settings, row: EngineStatus) -> None:
    url = getattr(settings.engines, row.role)
    if not url:
        row.problem = "not running: 'entrepot up' starts it"
        return
    try:
        row.version = await ping(row.role, url)
    except EntrepotError as error:
        row.problem = str(error)


def resident_bytes(process: psutil.Process) -> int:
    """Return what the process and its children hold in memory, shared pages counted once."""
    total = 0
    for member in (process, *process.children(recursive=True)):
        try:
            memory = member.memory_full_info()
        except psutil.Error:
            continue
        total += getattr(memory, "pss", memory.rss)
    return total
