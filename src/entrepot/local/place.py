"""Where one embedded engine lives, and what every embedded engine must be able to say of itself.

A ``Place`` is a folder, a log, ports and a secret under the home; an ``Engine`` turns it into a command line, makes the
place ready before the first start and proves afterwards that it answers. Starting and watching is not done here.
"""

import signal
from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from entrepot.base.engine_limits import READY_SECONDS_MAX, STOP_SECONDS_MAX
from entrepot.base.errors import EntrepotError


class LocalEngineError(EntrepotError):
    """An embedded engine cannot be run on this machine as things are; the message says what to change."""

    slug = "local-engine"
    status = 503
    exit_code = 6


class Place(Struct, frozen=True):
    """The corner of the home that belongs to one engine."""

    home: Path
    role: str
    ports: tuple[int, ...]
    secret: str

    @property
    def data(self) -> Path:
        """The folder of what the engine keeps."""
        return self.home / self.role

    @property
    def log(self) -> Path:
        """The file its output is appended to."""
        return self.home / "logs" / f"{self.role}.log"


class Engine(ABC):
    """An embedded server; a subclass says how its product is laid out, started, asked and stopped."""

    role: ClassVar[str]
    product: ClassVar[str]
    ports: ClassVar[int]
    ready_seconds: ClassVar[float] = READY_SECONDS_MAX
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_seconds: ClassVar[float] = STOP_SECONDS_MAX

    def prepare(self, place: Place) -> None:
        """Lay out what the server needs before it can start; doing it again changes nothing."""
        place.data.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def command(self, place: Place) -> list[str]:
        """Return the command line of the server; it names the data folder, so that the process can be told from others."""

    def environ(self, place: Place) -> dict[str, str]:
        """Return what the server reads from its environment: secrets go here rather than on the command line."""
        del place
        return {}

    @abstractmethod
    def urls(self, place: Place) -> dict[str, str]:
        """Return the URL of each role this server plays."""

    @abstractmethod
    async def settle(self, place: Place) -> None:
        """Create what clients expect to find (a database, a bucket); fails while the server does not answer yet."""

    def tidy(self, place: Place) -> None:  # noqa: B027  # most servers leave nothing
        """Remove what a dead server left outside its place."""


def wheel_folder(package: str, distribution: str) -> Path:
    """Return where an installed wheel keeps its files, without running its code."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise LocalEngineError(
            f"The wheel {distribution!r} is not installed here: run 'uv sync' (or 'pip install {distribution}').",
            distribution=distribution,
        )
    return Path(spec.origin).parent
