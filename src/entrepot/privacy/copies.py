"""Clears what lies outside the tables: facts that name the customer, carts, letters on this machine, what they looked at.

Idempotent.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Protocol
from uuid import UUID

from msgspec import to_builtins

from entrepot.base.errors import NotThereYetError
from entrepot.base.event import Token
from entrepot.base.limits import VERIFY_WAIT_SECONDS
from entrepot.base.projection import Item, Target
from entrepot.behaviour.collecting import is_sealed_id, sealed_id_of
from entrepot.behaviour.table import Table
from entrepot.commerce.cart import state
from entrepot.commerce.cart.drawer import Drawer
from entrepot.log.live import LiveTargets
from entrepot.log.projector import Subscription
from entrepot.privacy import rules
from entrepot.privacy.store import Erasure
from entrepot.record.transaction import Record
from entrepot.sealing.blind import email_normal
from entrepot.sealing.datamap import SUBJECTS
from entrepot.sealing.sealing import Sealing
from entrepot.verify import truth


class WholeDrawer(Drawer, Protocol):
    """A drawer that can be looked through."""

    def names(self) -> AsyncIterator[str]:
        """Yield every name that something is kept under."""
        ...


class Purges(Protocol):
    """A store that keeps what was overwritten for a while."""

    async def purge(self, target: Target) -> None:
        """Leave nothing on disk of what was deleted or replaced."""
        ...


class Copies:
    """What else holds something about a person."""

    def __init__(
        self,
        record: Record,
        live: LiveTargets,
        subscriptions: Sequence[Subscription],
        carts: WholeDrawer,
        sealing: Sealing,
        letters: Path,
        columns: Purges,
        behaviour: Table,
    ) -> None:
        self._record, self._live, self._subscriptions = record, live, subscriptions
        self._carts, self._sealing, self._letters, self._columns = carts, sealing, letters, columns
        self._behaviour = behaviour

    async def known(self, subjects: Sequence[UUID]) -> list[str]:
        """Return what carts know of these subjects, and the sealed ids of what they looked at."""
        fields = []
        async for _, _, cart in self._carts_of(subjects):
            if cart.subject is not None and cart.sealed:
                fields.append((cart.subject, {state.SEALED_AS: cart.sealed}))
        opened = await self._sealing.unseal_many(fields)
        known = rules.searched((name, text) for one in opened for name, text in one.items() if text is not None)
        return known + await self.sealed_ids(subjects)

    async def sealed_ids(self, subjects: Sequence[UUID]) -> list[str]:
        """Return the ids by which these subjects are known to analytics; of who was forgotten nobody can tell any more."""
        made = [await sealed_id_of(self._sealing, subject) for subject in subjects]
        return [one for one in made if one is not None]

    async def make_behaviour(self) -> None:
        """Make room for what shoppers do, so that it can be asked what is known of one where nothing was taken in yet."""
        await self._behaviour.make()

    async def carts(self, subjects: Sequence[UUID]) -> list[Mapping[str, object]]:
        """Return the carts of these subjects, opened, as they are shown."""
        found: list[Mapping[str, object]] = []
        async for _, _, cart in self._carts_of(subjects):
            text = None
            if cart.subject is not None and cart.sealed:
                text = (await self._sealing.unseal(cart.subject, {state.SEALED_AS: cart.sealed}))[state.SEALED_AS]
            shown: dict[str, object] = to_builtins(state.opened(cart, text), str_keys=True)
            found.append(shown)
        return found

    async def clear(self, one: Erasure, known: Sequence[str]) -> dict[str, int]:
        """Clear everything; returns how many of what."""
        removed = {"carts": await self._clear_carts(one.subjects)}
        await self._behaviour.forget([value for value in known if is_sealed_id(value)])
        removed["letters"] = await asyncio.to_thread(self._clear_letters, known)
        keys = [*(f"order/{id_}" for id_ in one.orders), *(f"return/{id_}" for id_ in one.returns)]
        for each in self._subscriptions:
            removed[each.projection.name] = await self._unlink(each, keys, Token.parse(one.log_position))
        return removed

    async def _unlink(self, each: Subscription, keys: Sequence[str], after: Token) -> int:
        """Make items of these keys what the truth, which names nobody any more, makes them; once all events are read."""
        projection = each.projection
        if not await self._live.wait_for(projection.name, after, VERIFY_WAIT_SECONDS):
            raise NotThereYetError(f"{projection.name} has not reached {after}: the erasure goes on when it has.")
        wanted = [key for key in keys if key.partition("/")[0] in projection.aggregates]
        made = await truth.items(self._record, after.cell, projection, wanted, after) if wanted else {}
        linked = [item for item in made.values() if _names_somebody(item)]
        if linked:
            target = self._live.target(projection.name)
            await each.store.put(target, linked)
            await self._columns.purge(target)
        return len(linked)

    async def _clear_carts(self, subjects: Sequence[UUID]) -> int:
        cleared = 0
        async for name, kept, _ in self._carts_of(subjects):
            cleared += await self._carts.put(name, kept, b"", touched=None, seconds=0.001)
        return cleared

    async def _carts_of(self, subjects: Sequence[UUID]) -> AsyncIterator[tuple[str, bytes, state.Cart]]:
        wanted = set(subjects)
        async for name in self._carts.names():
            kept = await self._carts.load(name)
            if kept:
                cart = state.decode(kept)
                if cart.subject in wanted or cart.customer_id.value in wanted:
                    yield name, kept, cart

    def _clear_letters(self, known: Sequence[str]) -> int:
        addresses = {email_normal(value) for value in known if "@" in value}
        cleared = 0
        for path in self._letters.glob("*.eml"):
            headers = BytesHeaderParser().parsebytes(path.read_bytes())
            if email_normal(str(headers["To"])) in addresses:
                path.unlink(missing_ok=True)
                cleared += 1
        return cleared


def _names_somebody(item: Item) -> bool:
    return item.body is not None and not _SUBJECTS.isdisjoint(item.body)


_SUBJECTS = frozenset(SUBJECTS)
