"""What the API and the console are made of: everything they may touch, put together by the composition root."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from msgspec import Struct

from entrepot.api.metrics import Metrics
from entrepot.api.page_cache import PageCache
from entrepot.base.errors import NotThereYetError
from entrepot.base.event import Token
from entrepot.base.limits import AT_LEAST_SECONDS_MAX
from entrepot.base.projection import Target
from entrepot.base.time import Clock
from entrepot.commerce.checkout.gather import Gatherer
from entrepot.engines.documents.port import DocumentStore
from entrepot.engines.memory.port import MemoryStore
from entrepot.engines.search.port import SearchStore
from entrepot.log.live import LiveTargets
from entrepot.record import command
from entrepot.record.transaction import Record, Transaction

Check = Callable[[], Awaitable[object]]
Answer = TypeVar("Answer", bound=Struct)

ACTOR = "api"


class Parts(Struct, frozen=True, kw_only=True):
    """The parts of one running application. ``checks`` ask an engine whether it answers, by role; raising says no."""

    record: Record
    cell: int
    gatherer: Gatherer
    live: LiveTargets
    pages: PageCache
    documents: DocumentStore
    search: SearchStore
    memory: MemoryStore
    checks: Mapping[str, Check]
    metrics: Metrics
    clock: Clock

    async def run(
        self,
        act: Callable[[Transaction], Awaitable[Answer]],
        answer: type[Answer],
        key: str | None = None,
        request: Struct | bytes = b"",
    ) -> Answer:
        """Run one command in a transaction; the same key gets the stored answer."""
        return await command.run(self.record, self.cell, act, answer, actor=ACTOR, key=key, request=request)

    async def fresh(self, projection: str, at_least: str | None) -> Target:
        """Return the generation to read, once it has reached the position asked for."""
        target = self.live.target(projection)
        if at_least is None:
            return target
        token = Token.parse(at_least)
        if not await self.live.wait_for(projection, token, AT_LEAST_SECONDS_MAX):
            raise NotThereYetError(
                f"{projection} has not reached {token} within {AT_LEAST_SECONDS_MAX:g} s: try again shortly.",
                projection=projection,
                position=str(token),
            )
        return self.live.target(projection)
