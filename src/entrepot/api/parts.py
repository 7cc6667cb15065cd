"""What the API and the console are made of: everything they may touch, put together by the composition root."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from msgspec import Struct, structs

from entrepot.api.flash import FlashDesk
from entrepot.api.metrics import Metrics
from entrepot.api.page_cache import PageCache
from entrepot.api.pulse import Pulse
from entrepot.api.read_budget import ReadBudget
from entrepot.api.standing import Standing
from entrepot.api.tally import Tally
from entrepot.api.today import BestSold
from entrepot.api.verifying import Verifying
from entrepot.audit.commands import Auditor
from entrepot.base.errors import BadInputError, NotThereYetError
from entrepot.base.event import Token
from entrepot.base.limits import AT_LEAST_SECONDS_MAX
from entrepot.base.principal import ANONYMOUS, Principal
from entrepot.base.projection import Item, Target
from entrepot.base.time import Clock
from entrepot.behaviour.collecting import Collecting
from entrepot.commerce.approval.asking import asking
from entrepot.commerce.cart.commands import Carts
from entrepot.commerce.checkout.gather import Gatherer
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.people.people import People
from entrepot.engines.columns.port import ColumnStore
from entrepot.engines.documents.port import DocumentStore
from entrepot.engines.graph.port import GraphStore
from entrepot.engines.memory.port import MemoryStore
from entrepot.engines.objects.port import ObjectStore
from entrepot.engines.search.port import SearchStore
from entrepot.log.archived import ArchivedLog
from entrepot.log.live import LiveTargets
from entrepot.log.projector import Subscription
from entrepot.partners.carrier.port import Carrier
from entrepot.partners.payment.port import PaymentGateway
from entrepot.partners.scanning.port import FileScanner
from entrepot.privacy.desk import PrivacyDesk
from entrepot.projections.product_search.remembered import Remembered
from entrepot.record import command
from entrepot.record.transaction import Connection, Record, Transaction
from entrepot.verify import truth

Answer = TypeVar("Answer", bound=Struct)
T = TypeVar("T")


class Parts(Struct, frozen=True, kw_only=True):
    """The parts of one running application.

    ``who`` asks, for this request (``actor`` is that as events carry it); ``market`` is what the store's pages show prices
    of; ``addresses`` say where the engine of a role is, for people, ``standing`` what a projection's is; ``spared``
    how many questions on projections an old engine has answered of late in the place of the new one; ``flash`` holds
    flash sales where somebody may; ``scanner`` looks at files that are sent, where there is one.
    """

    record: Record
    cell: int
    clock: Clock
    gatherer: Gatherer
    live: LiveTargets
    subscriptions: Mapping[str, Subscription]
    documents: DocumentStore
    search: SearchStore
    columns: ColumnStore
    graph: GraphStore
    memory: MemoryStore
    objects: ObjectStore
    carts: Carts
    quoting: Quoting
    checkouts: Checkouts
    addresses: Mapping[str, str]
    standing: Callable[[str], Awaitable[Standing]]
    spared: Callable[[Sequence[str]], Awaitable[int]]
    pages: PageCache
    texts: Remembered
    pulse: Pulse
    metrics: Metrics
    tally: Tally
    verifying: Verifying
    best_sold: BestSold
    archived: ArchivedLog
    gateway: PaymentGateway
    carriers: Mapping[str, Carrier]
    people: People
    privacy: PrivacyDesk
    auditor: Auditor
    reads: ReadBudget
    behaviour: Collecting
    actor: str = "anonymous"
    who: Principal = ANONYMOUS
    market: str = ""
    flash: FlashDesk | None = None
    scanner: FileScanner | None = None

    async def run(
        self,
        act: Callable[[Transaction], Awaitable[Answer]],
        answer: type[Answer],
        key: str | None = None,
        request: Struct | bytes = b"",
    ) -> Answer:
        """Run one command in a transaction; the same key gets the stored answer."""
        async with self.asking():
            return await command.run(self.record, self.cell, act, answer, actor=self.actor, key=key, request=request)

    def asking(self) -> AbstractAsyncContextManager[None]:
        """Ask for somebody else's word where what happens inside needs it: it was undone, and waits to be done again."""
        return asking(self.platform, self.cell, self.actor, self.who.id)

    @property
    def platform(self) -> Record:
        """The record as the platform has it, for what a tenant asks and reaches rows of others: whoever takes it says why."""
        return self.record.platform

    def for_platform(self) -> "Parts":
        """Return the same parts, which run commands on the platform's own behalf: whoever takes them says why."""
        return structs.replace(self, record=self.platform)

    def token(self, position: str) -> Token:
        """Return a position as it was given, or say that it is none of ours."""
        token = Token.parse(position)
        if token.cell != self.cell:
            raise BadInputError(f"The position {token} is of cell {token.cell}, this is cell {self.cell}: ask there.")
        return token

    async def recent(self, ask: Callable[[Connection], Awaitable[T]], at_least: str | None) -> T:
        """Ask what may be some seconds old, but has seen this position: a replica of the record where one is near."""
        return await self.record.recent(ask, None if at_least is None else self.token(at_least))

    async def fresh(self, projection: str, at_least: str | None) -> Target:
        """Return the generation to read, once it has reached the position asked for."""
        if at_least is not None:
            token = self.token(at_least)
            if not await self.live.wait_for(projection, token, AT_LEAST_SECONDS_MAX):
                raise NotThereYetError(
                    f"{projection} has not reached {token} within {AT_LEAST_SECONDS_MAX:g} s: try again shortly.",
                    projection=projection,
                    position=str(token),
                )
        return self.live.target(projection)

    async def from_truth(self, projection: str, keys: Sequence[str], at_least: str) -> dict[str, Item]:
        """Return what a projection will hold of these keys, made from the truth: for who has waited long enough for it."""
        subscription = self.subscriptions[projection]
        return await truth.items(self.record, self.cell, subscription.projection, keys, Token.parse(at_least))
