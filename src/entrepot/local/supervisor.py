"""The supervisor: one detached process per home that starts the engines, restarts one that dies, and reports.

A lock on a file of the home, which the kernel lets go of however the holder ends, keeps it the only one. If it is killed the
engines go on serving, and the next supervisor adopts them. SIGTERM and SIGINT stop everything; SIGHUP makes it leave the
engines running to a successor that was asked for more.
"""

import asyncio
import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from typing import Literal

import psutil
import structlog

from entrepot.base.engine_limits import (
    RESTART_BACKOFF_SECONDS_MAX,
    RESTART_BACKOFF_SECONDS_MIN,
    RESTART_FORGOTTEN_SECONDS,
    WATCH_SECONDS,
)
from entrepot.local.place import Engine, LocalEngineError, Place
from entrepot.local.process import alive, collect, find, launch, port_is_free, stop, until_ready
from entrepot.local.proxy import reach_loopback_directly
from entrepot.local.roster import ENGINES, FOLDER_ROLE, folder_url
from entrepot.local.state import (
    STATE_FILE,
    EngineState,
    Installation,
    State,
    forget,
    read_installation,
    write_installation,
    write_state,
    write_urls,
)

LOCK_FILE = "supervisor.lock"
ANOTHER_HOLDS_THE_LOCK = 75
Ending = Literal["stop", "leave", "failed"]

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Supervisor:
    """Keeps the named engines of one home running until it is told to stop or to leave."""

    def __init__(self, home: Path, roles: list[str], installation: Installation) -> None:
        self._home = home
        self._engines = [engine for engine in ENGINES if engine.role in roles]
        self._installation = installation
        self._state = State(pid=os.getpid(), roles=roles)
        self._urls = {FOLDER_ROLE: folder_url(home)}
        self._told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ending: Ending = "stop"

    async def run(self) -> Ending:
        """Supervise until told otherwise, or until an engine cannot be started at all; say which."""
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(sign, self._tell, sign)
        (self._home / FOLDER_ROLE).mkdir(exist_ok=True)
        self._report()
        keepers = [asyncio.create_task(self._keep(engine)) for engine in self._engines]
        ends: list[asyncio.Future[None]] = [self._told, *keepers]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        problems = [error for keeper in keepers if keeper.done() and (error := keeper.exception())]
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        if self._told.done():
            return self._ending
        self._state.phase, self._state.problem = "failed", str(problems[0])
        self._report()
        log.error("supervisor.failed", why=self._state.problem)
        return "failed"

    def _tell(self, sign: signal.Signals) -> None:
        log.info("supervisor.told", signal=sign.name)
        if not self._told.done():
            self._ending = "leave" if sign is signal.SIGHUP else "stop"
            self._told.set_result(None)

    async def _keep(self, engine: Engine) -> None:
        """Keep one engine running for ever; only its first start may fail for good, for then a person is waiting."""
        process = await self._bring_up(engine)
        backoff = RESTART_BACKOFF_SECONDS_MIN
        while True:
            since = time.monotonic()
            while alive(process):  # noqa: ASYNC110  # an adopted engine is not our child: nothing else would tell us
                await asyncio.sleep(WATCH_SECONDS)
            collect(process)
            if time.monotonic() - since > RESTART_FORGOTTEN_SECONDS:
                backoff = RESTART_BACKOFF_SECONDS_MIN
            log.warning("engine.died", role=engine.role, pid=process.pid, restart_in_seconds=backoff)
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, RESTART_BACKOFF_SECONDS_MAX)
            self._state.engines[engine.role].restarts += 1
            try:
                process = await self._bring_up(engine)
            except (LocalEngineError, OSError, psutil.Error) as error:
                log.exception("engine.restart_failed", role=engine.role, why=str(error))
                self._state.engines[engine.role].note = str(error)
                self._report()

    async def _bring_up(self, engine: Engine) -> psutil.Process:
        """Adopt or start the server and wait until it answers; one that needs longer (a long recovery) is left to work."""
        place, note = self._installation.place(self._home, engine), ""
        process = await self._adopt(engine, place)
        if process is None:
            place, note = self._with_free_ports(engine, place)
            write_installation(self._home, self._installation)
            process = await asyncio.to_thread(launch, engine, place)
        before = self._state.engines.get(engine.role)
        self._state.engines[engine.role] = EngineState(
            product=engine.product,
            pid=process.pid,
            started=process.create_time(),
            ports=place.ports,
            restarts=before.restarts if before else 0,
            note=note,
        )
        self._report()
        try:
            await until_ready(engine, place, process)
        finally:  # one killed on its way up: uncollected, it stands in the process table, and PostgreSQL takes it for alive
            collect(process)
        log.info("engine.ready", role=engine.role, pid=process.pid, ports=place.ports)
        self._announce(engine.urls(place))
        return process

    async def _adopt(self, engine: Engine, place: Place) -> psutil.Process | None:
        """Take over a server that an earlier supervisor left, if it is what we would start now; else stop it."""
        command = engine.command(place)
        adopted = None
        for process, line in await asyncio.to_thread(find, engine, place):
            if adopted is None and line == command[-len(line) :]:
                adopted = process
                log.info("engine.adopted", role=engine.role, pid=process.pid)
            else:
                log.info("engine.stopped_unlike", role=engine.role, pid=process.pid)
                await stop(engine, process)
        return adopted

    def _with_free_ports(self, engine: Engine, place: Place) -> tuple[Place, str]:
        taken = [port for port in place.ports if not port_is_free(port)]
        if not taken:
            return place, ""
        ports = self._installation.choose_ports(self._home, engine)
        log.warning("engine.ports_taken", role=engine.role, taken=taken, instead=ports)
        return self._installation.place(self._home, engine), f"Port {taken[0]} is taken by another program: now on {ports[0]}."

    def _announce(self, urls: dict[str, str]) -> None:
        self._urls |= urls
        if set(self._state.roles) <= set(self._urls):
            write_urls(self._home, self._urls)
            self._state.phase = "ready"
            self._report()

    def _report(self) -> None:
        try:
            write_state(self._home, self._state)
        except OSError as error:  # a full disk must not end the one who keeps the engines alive
            log.exception("supervisor.report_failed", why=str(error))


async def stop_all(home: Path) -> dict[str, int]:
    """Stop every engine of this home that runs, whoever started it; give the pid of each."""
    places = {engine.role: Place(home, engine.role, (0,) * engine.ports, "") for engine in ENGINES}  # known by folder alone
    found = [(engine, process) for engine in ENGINES for process, _ in find(engine, places[engine.role])]
    await asyncio.gather(*(stop(engine, process) for engine, process in found))
    return {engine.role: process.pid for engine, process in found}


def main() -> None:
    """Take the lock, leave the terminal, supervise; the caller goes on once the lock is held."""
    home, roles = Path(sys.argv[1]), sys.argv[2:]
    reach_loopback_directly(os.environ)
    with (home / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(ANOTHER_HOLDS_THE_LOCK)
        (home / STATE_FILE).unlink(missing_ok=True)
        if os.fork():  # the lock goes on with the child, which nobody has to collect when it ends
            os._exit(0)
        os.setsid()
        os.chdir("/")
        ending = asyncio.run(_supervise(home, roles))
        # Only now: asyncio.run has waited for a launch that was under way in a thread, which else would outlive us.
        if ending != "leave":
            asyncio.run(stop_all(home))
            for engine in ENGINES:
                engine.tidy(read_installation(home).place(home, engine))
        if ending == "stop":
            forget(home)


async def _supervise(home: Path, roles: list[str]) -> Ending:
    return await Supervisor(home, roles, read_installation(home)).run()


if __name__ == "__main__":
    main()
