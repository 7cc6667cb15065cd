"""The commands on companies, buyers and purchases. Time comes in as ``now``.

There are no logins yet: who acts is named in what is asked, and believed.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct, field

from entrepot.base.errors import ConflictError
from entrepot.base.event import Token
from entrepot.commerce.business import negotiation as negotiating
from entrepot.commerce.business import rules, store
from entrepot.commerce.business.events import (
    BUYER_SAVED,
    COMPANY_SAVED,
    NEGOTIATION_ORDERED,
    PURCHASE_APPROVED,
    PURCHASE_ORDERED,
    PURCHASE_REFUSED,
    PURCHASE_REJECTED,
    PURCHASE_WITHDRAWN,
    BuyerSaved,
    PurchaseChanged,
)
from entrepot.commerce.business.rules import BuyerDraft, CompanyDraft, Purchase
from entrepot.commerce.cart.rules import check_contact
from entrepot.commerce.cart.state import Contact
from entrepot.commerce.checkout.held import CheckoutRequest, PaymentChoice
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.record.transaction import Fact, Transaction


class PurchaseLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An article and how many of it."""

    sku: str
    quantity: int


class PurchaseDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a buyer wants to buy on terms: articles at what they cost, or all that a negotiation agreed on, at its prices."""

    buyer_id: UUID
    market: str
    contact: Contact
    lines: list[PurchaseLine] = field(default_factory=list)
    negotiation_id: UUID | None = None
    purchase_order: str = ""
    shipping_method: str | None = None


class Bought(Struct, frozen=True, kw_only=True):
    """A purchase after a command, and the position of the change."""

    purchase: PurchaseChanged
    position: str


async def save_company(tx: Transaction, company_id: UUID, draft: CompanyDraft) -> Token | None:
    """Make or change a company and its credit limit; None: it was so already. A VAT id belongs to one company."""
    saved = rules.company(company_id, draft)
    before = await store.company(tx.connection, tx.cell, company_id, for_update=True)
    rules.check_currency_kept(before, saved)
    holder = await store.vat_id_holder(tx.connection, tx.cell, saved.vat_id)
    if holder not in {None, company_id}:
        raise ConflictError(f"The VAT id {saved.vat_id} is the company {holder}'s.", company_id=str(holder))
    if saved == before:
        return None
    version = await store.company_version(tx.connection, tx.cell, company_id) + 1
    await store.put_company(tx.connection, tx.cell, saved, version)
    await store.set_credit(tx.connection, tx.cell, company_id, saved.credit_limit_minor)
    return await tx.append([Fact(COMPANY_SAVED, f"company/{company_id}", version, saved)])


async def save_buyer(tx: Transaction, company_id: UUID, buyer_id: UUID, draft: BuyerDraft) -> Token:
    """Make or change a buyer of a company: role, limits, name and email."""
    await store.known_company(tx.connection, tx.cell, company_id)
    saved = rules.buyer(buyer_id, company_id, draft)
    known = await store.buyer(tx.connection, tx.cell, buyer_id, for_update=True)
    if known is not None and known[0].company_id != company_id:
        raise ConflictError(
            f"The buyer {buyer_id} is another company's: give this one an id of their own.", buyer_id=str(buyer_id)
        )
    holder = await store.email_holder(tx.connection, tx.cell, company_id, draft.email, tx.sealing)
    if holder not in {None, buyer_id}:
        raise ConflictError(f"The buyer {holder} has this email already: use another.", buyer_id=str(holder))
    version = known[1] + 1 if known else 1
    await store.put_buyer(tx.connection, tx.cell, saved, version, draft.name, draft.email, tx.sealing)
    return await tx.append([Fact(BUYER_SAVED, f"buyer/{buyer_id}", version, saved)])


async def request_purchase(tx: Transaction, quoting: Quoting, company_id: UUID, draft: PurchaseDraft, now: datetime) -> Bought:
    """Ask to buy on terms: approved by itself within the buyer's limits, else it waits for an approver.

    What it costs now is what will be ordered; a price that has changed until then is refused, not applied in silence.
    """
    company = await store.known_company(tx.connection, tx.cell, company_id)
    by = await store.known_buyer(tx.connection, tx.cell, draft.buyer_id, for_update=True)
    rules.check_may_buy(company, by)
    check_contact(draft.contact)
    lines = [WantedLine(sku=line.sku, quantity=line.quantity) for line in draft.lines]
    if draft.negotiation_id is not None:
        rules.check_nothing_beside(draft.lines)
        agreed = await store.locked_negotiation(tx.connection, tx.cell, draft.negotiation_id)
        lines = [
            WantedLine(sku=sku, quantity=quantity, agreed_unit_minor=unit)
            for sku, (quantity, unit) in negotiating.agreed(agreed, company_id, now).items()
        ]
        await _check_not_ordered(tx, draft.negotiation_id)
    wanted = _wanted(company_id, company.vat_id, draft, lines)
    quote = await quoting.quote(tx.connection, tx.cell, wanted)
    rules.check_pays_in(company, quote.currency)
    rules.check_credit(company, await store.credit_used(tx.connection, tx.cell, company_id), quote.total_minor)
    asked = rules.request(
        Purchase(
            id=tx.ids.fresh(), company_id=company_id, buyer_id=by.id, state="pending", purchase_order=draft.purchase_order,
            negotiation_id=draft.negotiation_id, currency=quote.currency, total_minor=quote.total_minor, why="", asked_at=now,
            decided_by=None, decided_at=None, order_id=None, version=1,
        ),
        by,
        await store.spent(tx.connection, tx.cell, by.id, rules.month_of(now)),
    )  # fmt: skip
    request = CheckoutRequest(
        quote=wanted,
        payment=PaymentChoice(kind="terms"),
        contact=draft.contact,
        expected_total_minor=quote.total_minor,
    )
    await store.put_purchase(tx.connection, tx.cell, asked, request, tx.sealing)
    return await _tell(tx, rules.kind_of_request(asked), asked)


async def approve_purchase(tx: Transaction, purchase_id: UUID, by: UUID, now: datetime) -> Bought:
    """Approve what another buyer asked for; never one's own, nor above one's own limit."""
    purchase, approver = await _decided(tx, purchase_id, by)
    return await _change(tx, PURCHASE_APPROVED, rules.approve(purchase, approver, now))


async def reject_purchase(tx: Transaction, purchase_id: UUID, by: UUID, why: str, now: datetime) -> Bought:
    """Reject what another buyer asked for, with the reason."""
    purchase, approver = await _decided(tx, purchase_id, by)
    return await _change(tx, PURCHASE_REJECTED, rules.reject(purchase, approver, why, now))


async def withdraw_purchase(tx: Transaction, purchase_id: UUID, by: UUID) -> Bought:
    """Take back what one asked for oneself and nobody has decided."""
    purchase, buyer = await _decided(tx, purchase_id, by)
    return await _change(tx, PURCHASE_WITHDRAWN, rules.withdraw(purchase, buyer))


async def note_ordered(tx: Transaction, purchase_id: UUID, order_id: UUID) -> None:
    """Note the order that a purchase became, and that what was negotiated for it is used; noting it twice changes nothing."""
    purchase = await store.locked_purchase(tx.connection, tx.cell, purchase_id)
    if purchase.order_id == order_id:
        return
    await _change(tx, PURCHASE_ORDERED, rules.ordered(purchase, order_id))
    if purchase.negotiation_id is not None:
        used = negotiating.ordered(await store.locked_negotiation(tx.connection, tx.cell, purchase.negotiation_id))
        await store.put_negotiation(tx.connection, tx.cell, used)
        await tx.append([Fact(NEGOTIATION_ORDERED, f"negotiation/{used.id}", used.version, used.told())])


async def note_refused(tx: Transaction, purchase_id: UUID, why: str) -> None:
    """Note why the checkout could not place a purchase; one that has ended otherwise meanwhile is left as it is."""
    purchase = await store.locked_purchase(tx.connection, tx.cell, purchase_id)
    if rules.may_be_refused(purchase):
        await _change(tx, PURCHASE_REFUSED, rules.refused(purchase, why))


def _wanted(company_id: UUID, vat_id: str, draft: PurchaseDraft, lines: list[WantedLine]) -> QuoteRequest:
    address = draft.contact.address
    return QuoteRequest(
        market=draft.market,
        country=address.country,
        region=address.region,
        postcode=address.postcode,
        lines=lines,
        shipping_method=draft.shipping_method,
        channel="business",
        customer_id=draft.buyer_id,
        company_id=company_id,
        vat_id=vat_id or None,
    )


async def _check_not_ordered(tx: Transaction, negotiation_id: UUID) -> None:
    other = await store.purchase_of_negotiation(tx.connection, tx.cell, negotiation_id)
    if other is not None:
        raise ConflictError(f"The purchase {other} is of the negotiation {negotiation_id} already.", purchase_id=str(other))


async def _decided(tx: Transaction, purchase_id: UUID, by: UUID) -> tuple[Purchase, BuyerSaved]:
    purchase = await store.locked_purchase(tx.connection, tx.cell, purchase_id)
    return purchase, await store.known_buyer(tx.connection, tx.cell, by)


async def _change(tx: Transaction, kind: str, purchase: Purchase) -> Bought:
    await store.change_purchase(tx.connection, tx.cell, purchase)
    return await _tell(tx, kind, purchase)


async def _tell(tx: Transaction, kind: str, purchase: Purchase) -> Bought:
    told = purchase.told()
    fact = Fact(kind, f"purchase/{purchase.id}", purchase.version, told, purchase.buyer_id)
    return Bought(purchase=told, position=str(await tx.append([fact])))
