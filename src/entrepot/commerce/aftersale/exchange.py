"""An exchange: a new order through checkout that costs nothing, then the return it is for is settled. Two commits.

Between them a crash leaves the new order placed and the return inspected: asked again, the order's key gives the same order,
and the return is settled by it.
"""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from entrepot.base.errors import EntrepotError
from entrepot.commerce.aftersale import cases
from entrepot.commerce.aftersale.ground import locked_case
from entrepot.commerce.aftersale.requests import Moved
from entrepot.commerce.aftersale.returning import settle_exchange
from entrepot.commerce.checkout.place import place_orders
from entrepot.record import command
from entrepot.record.idempotency import answered, fingerprint
from entrepot.record.transaction import Record, Transaction


async def exchange_return(record: Record, cell: int, key: str, case_id: UUID, instead: Mapping[int, str], actor: str) -> Moved:
    """Send other goods for those that came back: the same articles, or by line another SKU. The same key sends nothing more."""
    mark = f"exchange {case_id} {sorted(instead.items())}".encode()
    async with record.transaction(cell, actor) as tx:
        stored = await answered(tx.connection, cell, key, fingerprint(mark))
        if stored is not None:
            return msgspec.json.decode(stored, type=Moved)
        order, case = await locked_case(tx, case_id)
        request = cases.exchange_request(order, case, instead)
    [placed] = await place_orders(record, cell, [(f"exchange/{case_id}", request)], actor)
    if isinstance(placed, EntrepotError):
        raise placed

    async def act(tx: Transaction) -> Moved:
        return await settle_exchange(tx, case_id, placed.order_id)

    return await command.run(record, cell, act, Moved, actor=actor, key=key, request=mark)
