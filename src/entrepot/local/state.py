"""What an installation remembers in its home, and what its supervisor reports there; every file is replaced whole.

``installation.json`` (mode 600): the ports and the passwords chosen once. ``engines.json`` (mode 600): the URLs, for
``entrepot.settings``. ``state.json``: who runs as what since when; true only while the supervisor it names is alive.
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Literal

import msgspec
import psutil
from msgspec import Struct, field

from entrepot.local.place import Engine, LocalEngineError, Place
from entrepot.local.process import alive, free_ports
from entrepot.settings import ENGINES_FILE

INSTALLATION_FILE = "installation.json"
STATE_FILE = "state.json"
SUPERVISOR_MODULE = "entrepot.local.supervisor"


class EngineState(Struct):
    """One engine as the supervisor last saw it."""

    product: str
    pid: int
    started: float
    ports: tuple[int, ...]
    restarts: int = 0
    note: str = ""


class State(Struct):
    """The supervisor's report."""

    pid: int
    roles: list[str]
    phase: Literal["starting", "ready", "failed"] = "starting"
    problem: str = ""
    engines: dict[str, EngineState] = field(default_factory=dict)


class Installation(Struct):
    """What is chosen once for a home and kept for good."""

    ports: dict[str, tuple[int, ...]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def place(self, home: Path, engine: Engine) -> Place:
        """Return the engine's place, with ports and a password chosen if this is its first time."""
        ports = self.ports.get(engine.role, ())
        if len(ports) != engine.ports:
            ports = self.choose_ports(home, engine)
        secret = self.secrets.setdefault(engine.role, secrets.token_urlsafe(24))
        return Place(home, engine.role, ports, secret)

    def choose_ports(self, home: Path, engine: Engine) -> tuple[int, ...]:
        """Choose free ports for the engine, other than any remembered one."""
        taken = [port for ports in self.ports.values() for port in ports]
        self.ports[engine.role] = free_ports(home, engine.ports, taken)
        return self.ports[engine.role]


def read_installation(home: Path) -> Installation:
    """Return what was chosen for this home; a home without it is new."""
    path = home / INSTALLATION_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Installation)
    except FileNotFoundError:
        return Installation()
    except msgspec.MsgspecError as error:
        raise LocalEngineError(f"{path} is damaged ({error}): put back a copy, or move {home} away to begin anew.") from error


def write_installation(home: Path, installation: Installation) -> None:
    """Keep the ports and the passwords."""
    _replace(home / INSTALLATION_FILE, installation)


def read_state(home: Path) -> State | None:
    """Return the last report, or nothing when there is none that can be read."""
    with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
        return msgspec.json.decode((home / STATE_FILE).read_bytes(), type=State)
    return None


def write_state(home: Path, state: State) -> None:
    """Report."""
    _replace(home / STATE_FILE, state)


def write_urls(home: Path, urls: dict[str, str]) -> None:
    """Tell ``entrepot.settings`` where the engines are."""
    _replace(home / ENGINES_FILE, urls)


def read_urls(home: Path) -> dict[str, str]:
    """Return the URLs of the embedded engines, none when they are not up."""
    try:
        return msgspec.json.decode((home / ENGINES_FILE).read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}


def forget(home: Path) -> None:
    """Remove what says that something runs."""
    for name in (ENGINES_FILE, STATE_FILE):
        (home / name).unlink(missing_ok=True)


def supervisor_of(home: Path, state: State | None) -> psutil.Process | None:
    """Return the supervisor the report speaks of, if it is alive and truly this home's.

    Its command line proves it: a pid alone may belong to another program by now, and a start time moves with the clock.
    """
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(state.pid) if state else None
        if process and alive(process):
            line = process.cmdline()
            return process if SUPERVISOR_MODULE in line and str(home) in line else None
    return None


def _replace(path: Path, value: object) -> None:
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
