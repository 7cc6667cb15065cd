"""Follows what lies beside as readers follow what is live, so that it can be compared with the truth before it is read."""

import asyncio
from collections.abc import Mapping

from entrepot.base import limits
from entrepot.base.event import START, Position, Token
from entrepot.base.projection import Projection, Target
from entrepot.log import generations
from entrepot.log.generations import Generation
from entrepot.log.moves import slots_of
from entrepot.record.transaction import Record


class Beside:
    """The generations that lie beside in one engine, by projection; a ``Verifier`` takes it in the place of what is live."""

    def __init__(self, record: Record, projections: Mapping[str, Projection], found: Mapping[str, Generation]) -> None:
        self._record, self._projections, self._found = record, projections, found
        self._positions: dict[str, dict[tuple[int, int], Position]] = {}

    def target(self, name: str) -> Target:
        """Return the generation of a projection that lies beside."""
        one = self._found[name]
        return Target(name, one.generation, self._projections[name].shape, generations.name_of(one.engine))

    async def refresh(self) -> None:
        """Read how far everything beside is."""
        async with self._record.committing() as connection:
            for name, one in self._found.items():
                self._positions[name] = await slots_of(connection, one)

    async def wait_for(self, name: str, token: Token, seconds: float) -> bool:
        """Wait until a projection has passed a position beside; say whether it has, after so long at most."""
        until = asyncio.get_running_loop().time() + seconds
        while not self._passed(name, token):
            if asyncio.get_running_loop().time() > until:
                return False
            await asyncio.sleep(limits.WAKE_SECONDS)
            await self.refresh()
        return True

    def _passed(self, name: str, token: Token) -> bool:
        known = self._positions.get(name, {})
        return all(known.get((token.cell, shard), START) >= token.position for shard in range(self._found[name].shards))
