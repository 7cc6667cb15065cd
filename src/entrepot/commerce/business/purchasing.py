"""Orders approved purchases through the checkout, on the company's terms. It can be cut at any moment and begun again.

The checkout's key is ``purchase/<id>`` and what it is asked was frozen with the purchase, so that asking again is asking once.
"""

from uuid import UUID

from entrepot.base import limits
from entrepot.base.errors import EntrepotError
from entrepot.commerce.business import commands, rules, store
from entrepot.commerce.business.events import PurchaseChanged
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.record.transaction import Record


class Purchasing:
    """Orders the purchases of one cell."""

    def __init__(self, record: Record, cell: int, checkouts: Checkouts) -> None:
        self._record, self._cell, self._checkouts = record, cell, checkouts

    async def order(self, purchase_id: UUID) -> PurchaseChanged:
        """Order a purchase if it is approved, and return how it stands; raises when nothing can be known for now."""
        async with self._record.reading() as connection:
            state, request = await store.purchase_request(connection, self._cell, purchase_id, self._record.sealing)
        if rules.is_to_order(state):
            try:
                answer = await self._checkouts.begin(f"purchase/{purchase_id}", request)
            except EntrepotError as error:
                rules.check_final(error)
                await self._note(purchase_id, None, str(error))
            else:
                await self._note(purchase_id, answer.order_id, answer.reason or answer.state)
        async with self._record.reading() as connection:
            return await store.purchase(connection, self._cell, purchase_id)

    async def order_waiting(self) -> int:
        """Order what was approved and has no order yet, since somebody died in between; returns how many there were."""
        async with self._record.reading() as connection:
            waiting = await store.purchases_to_order(connection, self._cell, limits.PURCHASES_PER_RUN_MAX)
        for purchase_id in waiting:
            await self.order(purchase_id)
        return len(waiting)

    async def _note(self, purchase_id: UUID, order_id: UUID | None, why: str) -> None:
        async with self._record.transaction(self._cell, "purchasing") as tx:
            if order_id is None:
                await commands.note_refused(tx, purchase_id, why)
            else:
                await commands.note_ordered(tx, purchase_id, order_id)
