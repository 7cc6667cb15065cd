"""What goods that came back pay of a checkout that sends others for them. Pure."""

import msgspec

from entrepot.base import limits
from entrepot.commerce.checkout.held import CheckoutRequest
from entrepot.commerce.checkout.quote import Quote
from entrepot.commerce.checkout.requests import ChargeRequest


def credited(request: CheckoutRequest, quote: Quote) -> Quote:
    """Return the quote without postage and less what goods that came back pay of it, where they do; never below nothing."""
    if request.credit is None:
        return quote
    taxes = [tax for tax in quote.taxes if tax.line is not None]
    of_postage = sum(tax.tax_minor for tax in quote.taxes if tax.line is None and not tax.included)
    less = {"postage": limits.MINOR_MAX, "tax": of_postage}
    charges = [
        msgspec.structs.replace(charge, amount_minor=max(charge.amount_minor - less.get(charge.kind, 0), 0))
        if charge.kind in less
        else charge
        for charge in quote.charges
    ]
    paid = min(request.credit.amount_minor, quote.goods_minor + sum(charge.amount_minor for charge in charges))
    charges = [charge for charge in charges if charge.amount_minor]
    if paid:
        charges.append(ChargeRequest(kind="adjustment", amount_minor=-paid, note=request.credit.note))
    beside = sum(charge.amount_minor for charge in charges)
    return msgspec.structs.replace(
        quote, charges=charges, taxes=taxes, charges_minor=beside, tax_minor=sum(tax.tax_minor for tax in taxes),
        total_minor=quote.goods_minor + beside,
    )  # fmt: skip
