"""Renews subscriptions through the checkout, with the kept payment method. It can be cut at any moment and begun again.

Three steps: the charge is written down; the checkout is asked under the charge's key; the outcome is noted. Whoever dies after
the first leaves a subscription that is ``charging``; the next run asks the same again under the same key, so that one order is
placed for it, and the gateway charges once.
"""

from datetime import datetime
from uuid import UUID

from entrepot.base.errors import EntrepotError
from entrepot.commerce.checkout.held import CheckoutAnswer, CheckoutRequest, PaymentChoice
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.commerce.subscription import commands, rules, store
from entrepot.commerce.subscription.events import PlanSaved
from entrepot.commerce.subscription.rules import Charge, Subscription
from entrepot.commerce.subscription.store import Payer
from entrepot.record.transaction import Record


class Renewals:
    """Renews the subscriptions of one cell."""

    def __init__(self, record: Record, cell: int, checkouts: Checkouts) -> None:
        self._record, self._cell, self._checkouts = record, cell, checkouts

    async def renew(self, subscription_id: UUID, now: datetime) -> bool:
        """Charge what is due of a subscription, or end it; says whether there was anything to do.

        Raises when the outcome of a charge cannot be known for now: it stays written down, and is asked for again.
        """
        async with self._record.transaction(self._cell, "renewals") as tx:
            charge = await commands.ask_charge(tx, subscription_id, now)
        if charge is None:
            return False
        async with self._record.reading() as connection:
            subscription = await store.subscription(connection, self._cell, subscription_id)
            plan = await store.known_plan(connection, charge.plan)
            payer = await store.payer(connection, self._cell, subscription_id, self._record.sealing)
        order_id, why = None, "forgotten"
        if payer is not None:
            order_id, why = await self._ask(charge, request_of(charge, subscription, plan, payer))
        async with self._record.transaction(self._cell, "renewals") as tx:
            if order_id is not None:
                await commands.note_paid(tx, charge, order_id)
            else:
                await commands.note_declined(tx, charge, why, now)
        return True

    async def _ask(self, charge: Charge, request: CheckoutRequest) -> tuple[UUID | None, str]:
        """Return the order of a charge, or why there is none, for good."""
        try:
            answer: CheckoutAnswer = await self._checkouts.begin(charge.key, request)
        except EntrepotError as error:
            return None, rules.reason_of(error)
        rules.check_ended(charge, answer.state)
        return answer.order_id, answer.reason or answer.state


def request_of(charge: Charge, subscription: Subscription, plan: PlanSaved, payer: Payer) -> CheckoutRequest:
    """Return what the checkout is asked for a charge: the same however often it is asked."""
    address = payer.contact.address
    lines = rules.pieces(charge.amount_minor, subscription.quantity)
    return CheckoutRequest(
        quote=QuoteRequest(
            market=subscription.market,
            country=address.country,
            region=address.region,
            postcode=address.postcode,
            lines=[WantedLine(sku=plan.sku, quantity=count, agreed_unit_minor=unit) for count, unit in lines],
            channel="subscription",
            customer_id=subscription.customer_id,
        ),
        payment=PaymentChoice(kind="card", token=payer.method, stored=True),
        contact=payer.contact,
    )
