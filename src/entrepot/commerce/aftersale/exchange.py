"""An exchange: a checkout of its own, paid with what came back, then the return it is for is settled. Two commits.

Between them a crash (or a bank that wants to see the buyer) leaves the new order placed and the return inspected: a reaction to
the order settles it. Meanwhile the return can be settled in no other way: both ways claim it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from uuid import UUID

import msgspec

from entrepot.base.errors import ConflictError
from entrepot.base.event import Event
from entrepot.commerce.aftersale import store, swaps
from entrepot.commerce.aftersale.ground import locked_case
from entrepot.commerce.aftersale.requests import Moved
from entrepot.commerce.aftersale.returning import settle_exchange
from entrepot.commerce.approval.rules import ApprovalNeededError
from entrepot.commerce.checkout.held import CheckoutAnswer, PaymentChoice
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.checkout.saga_rules import checked
from entrepot.record import command
from entrepot.record.idempotency import answered, fingerprint
from entrepot.record.transaction import Record, Transaction


class ExchangeWaitsError(ConflictError):
    """The bank wants to see the buyer, who pays the difference: send them to ``challenge_url``; the rest goes by itself."""

    slug = "exchange-waits"

    def __init__(self, case_id: UUID, answer: CheckoutAnswer) -> None:
        super().__init__(
            f"The exchange of return {case_id} waits for the buyer's bank: send them to {answer.challenge_url}.",
            return_id=str(case_id),
            checkout_id=str(answer.checkout_id),
            challenge_url=answer.challenge_url,
        )


async def exchange_return(
    record: Record, checkouts: Checkouts, cell: int, key: str, case_id: UUID, instead: Mapping[int, str],
    payment: PaymentChoice, actor: str,
) -> Moved:  # fmt: skip
    """Send other goods for those that came back: the same articles, or by line another SKU. The same key sends nothing more.

    What they cost more is paid by ``payment``; what they cost less is given back.
    """
    mark = f"exchange {case_id} {sorted(instead.items())} {payment}".encode()
    begun_as, of = f"exchange/{case_id}/{fingerprint(key.encode()).hex()}", fingerprint(mark)
    async with record.reading() as connection:
        stored = await answered(connection, cell, key, of)
    if stored is not None:
        return msgspec.json.decode(stored, type=Moved)
    answer = await checkouts.begun(begun_as, of)
    if answer is None:
        async with record.transaction(cell, actor) as tx:
            order, case = await locked_case(tx, case_id)
            swaps.check_exchangeable(order, await store.exchanged_for(tx.connection, cell, order.placed.id))
            contact = await store.contact_of(tx.connection, cell, order.placed.id, tx.sealing)
            vat_id = await store.vat_id_of(tx.connection, cell, order.placed.company_id)
            request = swaps.request(order, case, instead, contact, payment, vat_id)
        answer = await checkouts.begin(begun_as, request, mark=of)
    checked(answer)
    if answer.order_id is None:
        raise ExchangeWaitsError(case_id, answer)
    order_id = answer.order_id

    async def act(tx: Transaction) -> Moved:
        return await settle_exchange(tx, case_id, order_id)

    return await command.run(record, cell, act, Moved, actor=actor, key=key, request=mark)


async def settle_placed(tx: Transaction, events: Sequence[Event]) -> None:
    """React to placed orders: settle the return for which one was sent, where nobody has.

    Where what is left over takes somebody's word, whoever exchanges it asks for that, and settles it with it.
    """
    found = swaps.may_be_exchanges(events)
    for order_id, case_id in await store.cases_claimed(tx.connection, tx.cell, found) if found else ():
        with suppress(ApprovalNeededError):
            await settle_exchange(tx, case_id, order_id)
