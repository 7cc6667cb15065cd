"""Pure decisions about companies, buyers and their purchases: who may buy what alone, and who may approve it for whom."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import (
    BadInputError,
    ConflictError,
    CreditExhaustedError,
    EntrepotError,
    KeyReusedError,
    OwnApprovalError,
    SpendingLimitError,
)
from entrepot.base.machine import Machine
from entrepot.base.money import currency
from entrepot.commerce.business.events import (
    PURCHASE_APPROVED,
    PURCHASE_REQUESTED,
    BuyerSaved,
    CompanySaved,
    PurchaseChanged,
    PurchaseState,
    Role,
)
from entrepot.partners.tax.vat_ids import country_of

SERVER_ERROR = 500

PURCHASE = Machine(
    "purchase",
    {
        "pending": ("approved", "rejected", "withdrawn"),
        "approved": ("ordered", "refused"),
        "ordered": (),
        "refused": (),
        "rejected": (),
        "withdrawn": (),
    },
)


class CompanyDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A company as it shall be; its credit limit is in its currency, and its invoices are due after ``terms_days``."""

    name: str
    country: str
    currency: str
    address: str = ""
    vat_id: str = ""
    credit_limit_minor: int = 0
    terms_days: int = 30
    state: Literal["active", "blocked"] = "active"


class BuyerDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may buy for a company; a limit of null is none. An approver may approve what others ask, up to their own limit."""

    name: str
    email: str
    role: Role = "buyer"
    order_limit_minor: int | None = None
    month_limit_minor: int | None = None
    state: Literal["active", "left"] = "active"


class Purchase(Struct, frozen=True, kw_only=True):
    """A purchase's row, but for what it asks of the checkout."""

    id: UUID
    company_id: UUID
    buyer_id: UUID
    state: PurchaseState
    purchase_order: str
    negotiation_id: UUID | None
    currency: str
    total_minor: int
    why: str
    asked_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    order_id: UUID | None
    version: int

    def told(self) -> PurchaseChanged:
        """Return what an event says of it."""
        return PurchaseChanged(**{name: getattr(self, name) for name in PurchaseChanged.__struct_fields__})


def company(company_id: UUID, draft: CompanyDraft) -> CompanySaved:
    """Return the company that the draft makes, or refuse it by name; a VAT id is of the company's own country."""
    _check_text("company's name", draft.name)
    if len(draft.country) != 2 or not draft.country.isalpha() or draft.country != draft.country.upper():  # noqa: PLR2004  # ISO 3166-1
        raise BadInputError(f"{draft.country!r} is no country: two capitals of ISO 3166-1, such as DE.", country=draft.country)
    if draft.vat_id and country_of(draft.vat_id) != draft.country:
        raise BadInputError(
            f"The VAT id {draft.vat_id} is of {country_of(draft.vat_id)}, the company of {draft.country}: correct one of them.",
            vat_id=draft.vat_id,
        )
    if not 0 <= draft.credit_limit_minor <= limits.MINOR_MAX:
        raise BadInputError(f"The credit limit {draft.credit_limit_minor} is out of range: 0 to {limits.MINOR_MAX}.")
    if not 0 <= draft.terms_days <= limits.TERMS_DAYS_MAX:
        raise BadInputError(f"Terms of {draft.terms_days} days are out of range: 0 to {limits.TERMS_DAYS_MAX}.")
    return CompanySaved(
        id=company_id,
        name=draft.name,
        country=draft.country,
        currency=currency(draft.currency),
        credit_limit_minor=draft.credit_limit_minor,
        terms_days=draft.terms_days,
        vat_id=_compact(draft.vat_id),
        address=draft.address[: limits.COMPANY_TEXT_CHARS_MAX],
        state=draft.state,
    )


def check_currency_kept(before: CompanySaved | None, after: CompanySaved) -> None:
    """Refuse another currency: what the company owes is in the one it has."""
    if before is not None and before.currency != after.currency:
        raise ConflictError(
            f"The company {after.id} owes in {before.currency}: one that buys in {after.currency} is another company here.",
            company_id=str(after.id),
        )


def buyer(buyer_id: UUID, company_id: UUID, draft: BuyerDraft) -> BuyerSaved:
    """Return the buyer that the draft makes, or refuse it by name."""
    _check_text("buyer's name", draft.name)
    _check_text("buyer's email", draft.email)
    for limit in (draft.order_limit_minor, draft.month_limit_minor):
        if limit is not None and not 0 <= limit <= limits.MINOR_MAX:
            raise BadInputError(f"The limit {limit} is out of range: 0 to {limits.MINOR_MAX}, or null for none.")
    return BuyerSaved(
        id=buyer_id,
        company_id=company_id,
        role=draft.role,
        order_limit_minor=draft.order_limit_minor,
        month_limit_minor=draft.month_limit_minor,
        state=draft.state,
    )


def check_may_buy(of: CompanySaved, by: BuyerSaved) -> None:
    """Refuse a buyer of another company, or one that has left, and a company that is blocked."""
    if by.company_id != of.id or by.state != "active":
        raise ConflictError(f"{by.id} does not buy for the company {of.id} (any more): ask with one of its buyers.")
    if of.state != "active":
        raise ConflictError(
            f"The company {of.id} is blocked: it can pay, and buy again when it is active.", company_id=str(of.id)
        )


def check_pays_in(of: CompanySaved, wanted: str) -> None:
    """Refuse a purchase in another currency than the company's credit is in."""
    if of.currency != wanted:
        raise BadInputError(f"The company {of.id} buys on terms in {of.currency}, not in {wanted}: choose a market of that.")


def check_credit(of: CompanySaved, used_minor: int, wanted_minor: int) -> None:
    """Refuse what the company's credit cannot bear now; the checkout decides again when it is ordered."""
    left = max(of.credit_limit_minor - used_minor, 0)
    if wanted_minor > left:
        raise CreditExhaustedError(of.id, wanted_minor=wanted_minor, left_minor=left, currency=of.currency)


def check_nothing_beside(lines: Sequence[object]) -> None:
    """Refuse articles beside those that were negotiated: what was agreed on is ordered whole, and alone."""
    if lines:
        raise BadInputError("A purchase of a negotiation has the lines that were agreed on: leave `lines` out.", field="lines")


def kind_of_request(asked: Purchase) -> str:
    """Return which event tells of a purchase that was asked for: that it waits, or that it is approved by itself."""
    return PURCHASE_REQUESTED if asked.state == "pending" else PURCHASE_APPROVED


def request(asked: Purchase, by: BuyerSaved, month_minor: int) -> Purchase:
    """Return the purchase as it is taken up: approved by itself within the buyer's limits, else waiting, with the reason."""
    if len(asked.purchase_order) > limits.COMPANY_TEXT_CHARS_MAX or not asked.purchase_order.isprintable():
        raise BadInputError("A purchase-order number is printable, and not so long.", field="purchase_order")
    above = _above(asked, by, month_minor)
    if above is None:
        return msgspec.structs.replace(asked, state="approved", decided_at=asked.asked_at)
    return msgspec.structs.replace(asked, state="pending", why=str(above))


def approve(purchase: Purchase, by: BuyerSaved, now: datetime) -> Purchase:
    """Return the purchase approved, by an approver of the same company who is not the one who asked and may decide as much."""
    _check_approver(purchase, by)
    PURCHASE.check(purchase.id, purchase.state, "approved")
    if by.order_limit_minor is not None and purchase.total_minor > by.order_limit_minor:
        raise SpendingLimitError(
            by.id, limit="in one order", limit_minor=by.order_limit_minor, would_minor=purchase.total_minor
        )
    return _next(purchase, state="approved", decided_by=by.id, decided_at=now, why="")


def reject(purchase: Purchase, by: BuyerSaved, why: str, now: datetime) -> Purchase:
    """Return the purchase rejected, with the reason."""
    _check_approver(purchase, by)
    PURCHASE.check(purchase.id, purchase.state, "rejected")
    _check_text("reason", why)
    return _next(purchase, state="rejected", decided_by=by.id, decided_at=now, why=why)


def withdraw(purchase: Purchase, by: BuyerSaved) -> Purchase:
    """Return the purchase taken back by who asked for it."""
    if by.id != purchase.buyer_id:
        raise ConflictError(f"The purchase {purchase.id} is not {by.id}'s to withdraw: an approver may reject it.")
    PURCHASE.check(purchase.id, purchase.state, "withdrawn")
    return _next(purchase, state="withdrawn", why="")


def ordered(purchase: Purchase, order_id: UUID) -> Purchase:
    """Return the purchase with the order that it became."""
    PURCHASE.check(purchase.id, purchase.state, "ordered")
    return _next(purchase, state="ordered", order_id=order_id)


def refused(purchase: Purchase, why: str) -> Purchase:
    """Return the purchase that the checkout could not place, with the reason."""
    PURCHASE.check(purchase.id, purchase.state, "refused")
    return _next(purchase, state="refused", why=why[: limits.COMPANY_TEXT_CHARS_MAX])


def may_be_refused(purchase: Purchase) -> bool:
    """Say whether a purchase still awaits the checkout's answer."""
    return PURCHASE.allows(purchase.state, "refused")


def is_to_order(state: str) -> bool:
    """Say whether a purchase that stands so is to be ordered now."""
    return PURCHASE.allows(state, "ordered")


def check_final(error: EntrepotError) -> None:
    """Raise an error that says nothing for good: who is away now may have done it, or may do it later."""
    if error.status >= SERVER_ERROR or isinstance(error, KeyReusedError):  # the latter: something was begun under this key
        raise error


def month_of(now: datetime) -> datetime:
    """Return when the month began that a monthly limit counts (in UTC)."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _above(asked: Purchase, by: BuyerSaved, month_minor: int) -> SpendingLimitError | None:
    if by.order_limit_minor is not None and asked.total_minor > by.order_limit_minor:
        return SpendingLimitError(by.id, limit="in one order", limit_minor=by.order_limit_minor, would_minor=asked.total_minor)
    would = month_minor + asked.total_minor
    if by.month_limit_minor is not None and would > by.month_limit_minor:
        return SpendingLimitError(by.id, limit="in a month", limit_minor=by.month_limit_minor, would_minor=would)
    return None


def _check_approver(purchase: Purchase, by: BuyerSaved) -> None:
    if by.id == purchase.buyer_id:
        raise OwnApprovalError(by.id, purchase.id)
    if by.company_id != purchase.company_id or by.role != "approver" or by.state != "active":
        raise ConflictError(
            f"{by.id} is no approver of the company {purchase.company_id}: ask one of them.", buyer_id=str(by.id)
        )


def _check_text(what: str, text: str) -> None:
    if not (1 <= len(text.strip()) <= limits.COMPANY_TEXT_CHARS_MAX and text.isprintable()):
        raise BadInputError(
            f"The {what} {text[:50]!r} is not usable: 1 to {limits.COMPANY_TEXT_CHARS_MAX} printable characters."
        )


def _compact(vat_id: str) -> str:
    return vat_id.replace(" ", "").replace(".", "").replace("-", "").upper()


def _next(purchase: Purchase, **changes: object) -> Purchase:
    return msgspec.structs.replace(purchase, **changes, version=purchase.version + 1)
