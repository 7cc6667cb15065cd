"""The saga of a checkout: reserve, authorize, place; or give everything back. Every step is resumable (docs/decisions/0008).

A step is safe to be done twice, by two at once, and after any crash: reserving by its key, authorizing by its reference,
placing and releasing by the checkout's state under its lock. Whoever finds a checkout may therefore go on with it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias
from uuid import UUID

import structlog

from entrepot.base import limits
from entrepot.base.errors import BadInputError, EntrepotError, KeyReusedError, NotFoundError
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.checkout import saga_rules as rules
from entrepot.commerce.checkout import saga_store as store
from entrepot.commerce.checkout.held import (
    Beginning,
    CheckoutAnswer,
    CheckoutRequest,
    Ended,
    Held,
    Placing,
    Releasing,
    Reserved,
    Reserving,
    State,
    StoredCheckout,
)
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.steps import place_checkouts, release_checkouts, reserve_checkouts
from entrepot.commerce.payment.commands import keep_method
from entrepot.partners.payment.port import (
    Answer,
    Authorized,
    Challenged,
    Declined,
    GatewayAwayError,
    GatewayLiedError,
    GatewayRefusedError,
    PaymentGateway,
)
from entrepot.record.cause import cause_of_this
from entrepot.record.gathering import Gathering
from entrepot.record.idempotency import check_key, fingerprint
from entrepot.record.transaction import Record

log = structlog.get_logger()

Ask: TypeAlias = Callable[[Held], Awaitable[Answer]]


class Checkouts:
    """The checkouts of one process and one cell. ``seconds`` is how long a checkout holds what it has reserved."""

    def __init__(
        self,
        record: Record,
        cell: int,
        gateway: PaymentGateway,
        quoting: Quoting,
        *,
        actor: str = "api",
        seconds: float = limits.CHECKOUT_SECONDS,
    ) -> None:
        self._record, self._cell, self._gateway, self._quoting, self._actor = record, cell, gateway, quoting, actor
        # One call of each step at a time, and not one upon the other: measured, a call costs the database 3 ms of CPU and us 2,
        # and each checkout in it a quarter of a millisecond.
        one, apart = limits.CHECKOUT_CALLS_MAX, limits.CHECKOUT_CALLS_APART_SECONDS
        self._reserve = partial(reserve_checkouts, record, cell, actor=actor, seconds=seconds)
        self._beginning = Gathering[Beginning, Reserved](self._quote_and_reserve, calls_max=one, apart_seconds=apart)
        place = partial(place_checkouts, record, cell, actor=actor)
        self._placing = Gathering[Placing, Ended](place, calls_max=one, apart_seconds=apart)
        self._releasing = Gathering[Releasing, Ended](partial(release_checkouts, record, cell, actor=actor), calls_max=one)
        self._by_key: dict[str, tuple[bytes, asyncio.Task[CheckoutAnswer]]] = {}

    async def begin(self, key: str, request: CheckoutRequest, *, mark: bytes | None = None) -> CheckoutAnswer:
        """Check out, and return how that stands; a refusal is raised and leaves nothing. The same key gets the same answer.

        ``mark`` tells requests apart where the key came with another body than this request (a cart that is completed).
        """
        check_key(key)
        mark = mark or fingerprint(request)
        if key not in self._by_key:
            task = asyncio.get_running_loop().create_task(self._begin(key, mark, request))
            self._by_key[key] = (mark, task)
            task.add_done_callback(partial(self._begun, key))
        first, task = self._by_key[key]
        if first != mark:
            raise KeyReusedError(key)
        # Shielded: a caller that goes away must not stop the saga, nor cancel the answer of another that shares its key.
        return await asyncio.shield(task)

    async def resume(self, checkout_id: UUID) -> CheckoutAnswer:
        """Go on with a checkout, after a challenge or a crash, and return how it stands."""
        return await self._go_on(await self._stored(checkout_id))

    async def read(self, checkout_id: UUID) -> CheckoutAnswer:
        """Return how a checkout stands."""
        return rules.answer_of(await self._stored(checkout_id))

    async def begun(self, key: str, mark: bytes) -> CheckoutAnswer | None:
        """Go on with the checkout that this key has begun, if it has, and return how it stands; another request is refused."""
        async with self._record.committing() as connection:
            known = await store.checkout_of_key(connection, self._cell, key)
        if known is None:
            return None
        first, checkout_id = known
        if first != mark or checkout_id is None:
            raise KeyReusedError(key)
        return await self._go_on(await self._stored(checkout_id), nobody_is_at_it=True)

    async def recover(self, left_seconds: float = limits.CHECKOUT_STEP_SECONDS_MAX) -> int:
        """Go on with checkouts that nobody stepped for so long, and end those whose time is over; returns how many ended."""
        now = self._now()
        stale = now - timedelta(seconds=left_seconds)
        async with self._record.committing() as connection:
            ids = await store.left_behind(connection, self._cell, now, stale, limits.CHECKOUTS_RECOVERED_MAX)
        free, away = asyncio.Semaphore(limits.CHECKOUTS_RECOVERED_AT_ONCE), asyncio.Event()

        async def recovered(checkout_id: UUID) -> bool:
            async with free:
                if away.is_set():
                    return False  # it would wait as long as those before it did; the next run begins with it
                try:
                    answer = await self._go_on(await self._stored(checkout_id), nobody_is_at_it=True)
                except (GatewayAwayError, GatewayLiedError, BadInputError) as error:
                    log.warning("checkout.waits", checkout_id=str(checkout_id), why=str(error))
                    if isinstance(error, GatewayAwayError):
                        away.set()
                    return False
                return not rules.is_open(answer)

        return sum(await asyncio.gather(*[recovered(checkout_id) for checkout_id in ids]))

    async def close(self) -> None:
        """Wait until everything under way has its answer."""
        await asyncio.gather(*[task for _, task in self._by_key.values()], return_exceptions=True)
        for gathering in (self._beginning, self._placing, self._releasing):
            await gathering.close()

    def _begun(self, key: str, task: asyncio.Task[CheckoutAnswer]) -> None:
        del self._by_key[key]
        if not task.cancelled():
            task.exception()  # seen, even where its caller has gone

    async def _begin(self, key: str, mark: bytes, request: CheckoutRequest) -> CheckoutAnswer:
        try:
            rules.check_asked(request)
            reserved = await self._beginning.ask(Beginning(key=key, mark=mark, request=request, cause=cause_of_this()))
        except EntrepotError:
            # What it needs may have changed, or been used up, since this key was answered: the first answer stands.
            known = await self.begun(key, mark)
            if known is None:
                raise
            return known
        if reserved.held is None:
            return await self._go_on(await self._stored(reserved.checkout_id), nobody_is_at_it=True)
        return await self._settle(reserved.held, self._authorize)

    async def _quote_and_reserve(self, asked: Sequence[Beginning]) -> list[Reserved | EntrepotError]:
        """Quote what is wanted from the truth, all by one reading, and reserve it where the buyer agrees to what it costs."""
        async with self._record.committing() as connection:
            quotes = await self._quoting.quote_all(connection, self._cell, [one.request.quote for one in asked])
        agreed = [rules.agreed(one, quote) for one, quote in zip(asked, quotes, strict=True)]
        reserved = iter(await self._reserve([one for one in agreed if isinstance(one, Reserving)]))
        return [next(reserved) if isinstance(one, Reserving) else one for one in agreed]

    async def _go_on(self, stored: StoredCheckout, *, nobody_is_at_it: bool = False) -> CheckoutAnswer:
        """Do what is next; if somebody is at it after all, both do the same, and one of them counts."""
        match rules.next_step(stored, self._now(), nobody_is_at_it=nobody_is_at_it):
            case "answer":
                return rules.answer_of(stored)
            case "compensate":
                return await self._compensate(rules.held_of(stored), stored.reason or rules.EXPIRED)
            case "find":
                return await self._settle(rules.held_of(stored), self._find)
            case "authorize":
                return await self._settle(rules.held_of(stored), self._authorize)

    async def _settle(self, held: Held, ask: Ask) -> CheckoutAnswer:
        """Learn what the gateway says of the money, and take the step that follows."""
        promised: Answer | None = None
        if held.payment.kind == "card":
            try:
                promised = await ask(held)
            except GatewayRefusedError as refused:
                promised = Declined(payment_id="", reason=refused.reason)
            except GatewayLiedError:
                await self._compensate(held, "gateway_lied")
                raise
        match promised:
            case Challenged(url=url):
                return await self._challenge(held, url)
            case Declined(reason=reason):
                return await self._release(held, "declined", reason)
            case _:
                return await self._place(held, promised)

    async def _authorize(self, held: Held) -> Answer:
        request = rules.authorization(held)
        try:
            return await self._gateway.authorize(request)
        except GatewayAwayError:
            # It may have happened. If even this cannot be told now, the checkout stays as it is until somebody can.
            payment = await self._gateway.find(request.reference)
            if payment is None:
                raise
            return payment.answer(self._gateway.name, request)

    async def _find(self, held: Held) -> Answer:
        request = rules.authorization(held)
        payment = await self._gateway.find(request.reference)
        return await self._authorize(held) if payment is None else payment.answer(self._gateway.name, request)

    async def _challenge(self, held: Held, url: str) -> CheckoutAnswer:
        async with self._record.committing() as connection:
            await store.mark_challenged(connection, self._cell, held.order.id, url, self._now())
        return rules.answer_of(await self._stored(held.order.id))

    async def _place(self, held: Held, promised: Authorized | None) -> CheckoutAnswer:
        gateway = self._gateway.name if promised else ""
        if promised and promised.method and held.order.customer_id:
            async with self._record.transaction(self._cell, self._actor) as tx:
                await keep_method(tx, held.order.customer_id, gateway, promised.method, promised.label)
        try:
            ended = await self._placing.ask(Placing(held.order.id, gateway, promised))
        except BadInputError:
            await self._compensate(held, "not_placeable")
            raise
        return await self._told(held, ended)

    async def _release(self, held: Held, state: State, reason: str) -> CheckoutAnswer:
        levels = len(held.order.lines)
        return await self._told(held, await self._releasing.ask(Releasing(held.order.id, state, reason, levels)), reason)

    async def _compensate(self, held: Held, reason: str) -> CheckoutAnswer:
        """End a checkout that may have money promised: first nobody may place it, then the gateway forgets it, then it ends."""
        await self._release(held, "compensating", reason)
        stored = await self._stored(held.order.id)
        if stored.state != "compensating":
            return rules.answer_of(stored)
        if held.payment.kind == "card":
            await self._gateway.close_reference(held.order.id)
        return await self._release(held, rules.end_after(stored.reason), stored.reason)

    async def _told(self, held: Held, ended: Ended, reason: str | None = None) -> CheckoutAnswer:
        if not ended.now_so and ended.state != "placed":  # somebody else ended it, for a reason of theirs
            return rules.answer_of(await self._stored(held.order.id))
        return CheckoutAnswer(
            checkout_id=held.order.id,
            state=ended.state,
            total_minor=held.order.total_minor,
            currency=held.order.currency,
            order_id=held.order.id if ended.state == "placed" else None,
            reason=reason,
            token=ended.token,
        )

    async def _stored(self, checkout_id: UUID) -> StoredCheckout:
        async with self._record.committing() as connection:
            found = await store.checkout(connection, self._cell, checkout_id)
        if found is None:
            raise NotFoundError(f"There is no checkout {checkout_id}.", checkout_id=str(checkout_id))
        return found

    def _now(self) -> datetime:
        return utc(stamp_millis(self._record.clock.tick()))
