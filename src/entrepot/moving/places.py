"""Where the engine of each role is: what the environment says, until the role is moved; from then on what the record says.

So a process that was started with an old environment reads what everybody reads. Of a moved role the environment counts for one
thing only: where it names the very engine that the record names, its URL is taken, for it may have a new password.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

import structlog

from entrepot.base.errors import BadInputError
from entrepot.engines.products import product
from entrepot.log import moves
from entrepot.log.moves import Engine
from entrepot.record.transaction import Record
from entrepot.sealing.sealing import Sealing
from entrepot.settings import Settings, remembered

log = structlog.get_logger()

# Roles whose every item comes from the log, in engines of more than one product. What else memory, columns and objects keep
# (carts, sessions, files) is in no log, and nobody could build it anew.
MOVABLE: Final = ("documents", "search", "graph")


class Places:
    """Finds the engines of one process. ``live`` are those that the record names for roles that were moved."""

    def __init__(self, settings: Settings, record: Record, sealing: Sealing, live: Mapping[str, Engine]) -> None:
        self._settings, self._record, self._sealing, self.live = settings, record, sealing, live

    async def url(self, role: str, engine: str) -> str:
        """Return the URL of an engine: of one that a move has named, or (without a name) of the role's own."""
        given: str = getattr(self._settings.engines, role)
        if not engine:
            return given
        async with self._record.committing() as connection:
            named = await moves.engine(connection, UUID(engine))
        if named.url_sealed is None:
            return self._embedded(role)
        sealed = self._sealing.unseal_secret(secret_name(named.id), named.url_sealed)
        return given if place_of(role, given) == place_of(role, sealed) else sealed

    def own(self, role: str) -> str:
        """Return the name of the role's engine, which is none until the role is moved."""
        return str(self.live[role].id) if role in self.live else ""

    def has_one_writer(self, role: str) -> bool:
        """Say whether one process at a time writes the role's engine."""
        if role in self.live:
            return self.live[role].one_writer
        return product(role, getattr(self._settings.engines, role)).one_writer

    async def moved(self) -> dict[str, list[str]]:
        """Return by role where those are that were moved: every engine that holds something, the one that is read first."""
        async with self._record.committing() as connection:
            found = await moves.engines_in_use(connection)
        urls: dict[str, list[str]] = {}
        for one in found:
            known, url = urls.setdefault(one.role, []), await self.url(one.role, str(one.id))
            known += [url] if url not in known else []
        return urls

    def _embedded(self, role: str) -> str:
        url = remembered(self._settings.home).get(role, "")
        if not url:
            raise BadInputError(
                f"The {role} engine is the embedded one, which this home knows nothing of ({self._settings.home}): run "
                "'entrepot up' without ENTREPOT_" + role.upper() + "_URL, or set ENTREPOT_HOME to the home it runs in.",
                role=role,
            )
        return url


async def find_places(settings: Settings, record: Record, sealing: Sealing) -> Places:
    """Look where engines are; asked when a process starts."""
    async with record.committing() as connection:
        found = Places(settings, record, sealing, await moves.live_engines(connection))
        moving = {one.role for one in await moves.moves(connection, open_only=True)}
    for role, one in found.live.items():
        given: str = getattr(settings.engines, role)
        # While a move can still be taken back the environment may well name where it came from.
        if given and role not in moving and place_of(role, given) != place_of(role, await found.url(role, str(one.id))):
            log.warning("places.environment_is_old", role=role, says=address_of(given), counts=one.address)
    return found


def secret_name(engine: UUID) -> str:
    """Return the name that an engine's URL is sealed under."""
    return f"engine/{engine}"


def place_of(role: str, url: str) -> tuple[str, str, int, str]:
    """Return what makes two URLs of a role lead to the same engine: product, host, port and path; never who asks, or how."""
    parts = urlsplit(url)
    return product(role, url).name, parts.hostname or "", parts.port or 0, unquote(parts.path).rstrip("/")


def address_of(url: str) -> str:
    """Return a URL as people read it: without user, password and options."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
