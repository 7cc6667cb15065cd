"""What is begun here and ended by somebody's browser: a challenge waits in the drawer, is good for minutes, and once."""

from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import TokenRefusedError
from entrepot.base.ids import IdSource
from entrepot.commerce.people.drawer import Drawer

State = TypeVar("State", bound=Struct)

_USED = b"used"


class Ceremonies:
    """Keeps the state of what was begun under an id that nobody guesses."""

    def __init__(self, drawer: Drawer, ids: IdSource) -> None:
        self._drawer, self._ids = drawer, ids

    async def begin(self, kind: str, state: Struct) -> UUID:
        """Keep what was begun, and return the id that ends it."""
        id_ = self._ids.unguessable()
        body = msgspec.msgpack.encode(state)
        await self._drawer.put(f"{kind}/{id_}", None, body, touched=None, seconds=limits.CEREMONY_SECONDS)
        return id_

    async def end(self, kind: str, id_: UUID, as_type: type[State]) -> State:
        """Return what was begun under this id: once, and in time."""
        name = f"{kind}/{id_}"
        found = await self._drawer.load(name)
        if found is None or found == _USED:
            raise TokenRefusedError("challenge")
        if not await self._drawer.put(name, found, _USED, touched=None, seconds=limits.CEREMONY_SECONDS):
            raise TokenRefusedError("challenge")
        return msgspec.msgpack.decode(found, type=as_type)
