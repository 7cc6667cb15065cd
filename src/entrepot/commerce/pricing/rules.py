"""Pure decisions about prices: what a draft must be, and what the prices of a product become."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.money import currency
from entrepot.commerce.pricing.events import Price


class PriceDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a variant is to cost in a market, in minor units of the market's currency."""

    product_id: UUID
    variant_id: UUID
    market: str
    currency: str
    amount_minor: int


def check_market(code: str, of: str) -> None:
    """Refuse a market that cannot be: a code of 1 to 20 lower-case letters, digits and hyphens, and a real currency."""
    if not (1 <= len(code) <= 20 and code.replace("-", "").isalnum() and code == code.lower()):  # noqa: PLR2004  # said above
        raise BadInputError(f"The market code {code!r} is not usable: 1 to 20 lower-case letters, digits and hyphens.")
    currency(of)


def check_same_currency(code: str, wanted: str, present: str) -> None:
    """Refuse to make a market anew in another currency: its prices are in the one it has."""
    if present != wanted:
        raise ConflictError(f"The market {code} sells in {present} already: prices in {wanted} need another market.")


def check_price(draft: PriceDraft, markets: Mapping[str, str]) -> None:
    """Refuse a price that cannot be, naming the market and the value."""
    currency(draft.currency)
    if draft.market not in markets:
        known = ", ".join(sorted(markets)) or "none yet"
        raise BadInputError(f"There is no market {draft.market!r} (known: {known}): make it first.", market=draft.market)
    if draft.currency != markets[draft.market]:
        raise BadInputError(
            f"The market {draft.market} sells in {markets[draft.market]}, not in {draft.currency}: give the price in "
            f"{markets[draft.market]}.",
            market=draft.market,
            currency=draft.currency,
        )
    if not 0 <= draft.amount_minor <= limits.MINOR_MAX:
        raise BadInputError(
            f"The price {draft.amount_minor} in {draft.market} is out of range: 0 to {limits.MINOR_MAX}.",
            amount_minor=draft.amount_minor,
        )


def merge(present: Sequence[Price], drafts: Sequence[PriceDraft]) -> list[Price] | None:
    """Return all the prices a product then has, or None when the drafts say what already is."""
    prices = {(price.variant_id, price.market): price for price in present}
    before = dict(prices)
    for draft in drafts:
        prices[draft.variant_id, draft.market] = Price(
            variant_id=draft.variant_id, market=draft.market, currency=draft.currency, amount_minor=draft.amount_minor
        )
    if prices == before:
        return None
    return [prices[key] for key in sorted(prices)]
