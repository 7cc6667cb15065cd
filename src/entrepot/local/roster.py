"""Which engines are embedded, in the order they are shown. A new one is a file beside this one and a line here."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from entrepot.local.columns import ClickHouse
from entrepot.local.place import Engine
from entrepot.local.postgres import Postgres
from entrepot.local.redis import FalkorDB, Redis
from entrepot.local.sandbox import SandboxGateway
from entrepot.local.seaweedfs import SeaweedFS
from entrepot.settings import SCHEMES

ENGINES: Final[tuple[Engine, ...]] = (Postgres(), Redis(), FalkorDB(), ClickHouse(), SeaweedFS(), SandboxGateway())

# Which engine plays a role that has no server of its own name.
PLAYED_BY = {"documents": "record"}
FOLDER_ROLE = "search"  # tantivy is a library: its engine is a folder


def engines_for(given: Iterable[str]) -> tuple[Engine, ...]:
    """Return the engines to run here when the environment gives these roles by URL."""
    wanted = {PLAYED_BY.get(role, role) for role in SCHEMES if role not in set(given)}
    return tuple(engine for engine in ENGINES if engine.role in wanted)


def folder_url(home: Path) -> str:
    """Return the URL of the search folder."""
    return f"tantivy://{home / FOLDER_ROLE}"
