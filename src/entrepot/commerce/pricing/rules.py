"""Pure decisions about prices: what a draft must be, what the prices of a product become, and which price a buyer gets."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError, CurrencyNotSoldError, NotFoundError, PriceMissingError
from entrepot.base.money import Currency, currency, spoken
from entrepot.commerce.approval.rules import Deed, change_permille
from entrepot.commerce.pricing.events import Price, PriceListSaved, RateSet, Tier
from entrepot.commerce.pricing.rates import Rates

PriceList = PriceListSaved

_GROUP = re.compile(r"\w[\w .-]{0,39}")
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")


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


def changed(
    present: Mapping[UUID, Sequence[Price]], changes: Mapping[UUID, Sequence[Price]], sold: Container[UUID]
) -> list[Deed]:
    """Return, by product and market, what changes of prices.

    First prices count as changes where a product had prices before (``sold``). Those of a new one have nothing to be compared
    with: they are deeds of their own, as large as the dearest; what is to cost nothing counts as something, too.
    """
    before = {(one.variant_id, one.market): one for of_product in present.values() for one in of_product}
    deeds = []
    for product_id, prices in changes.items():
        moved = [(old, one) for one in prices if (old := before.get((one.variant_id, one.market))) != one]
        new = product_id not in sold
        for market in sorted({one.market for _, one in moved}):
            pairs = [(old.amount_minor if old else None, one) for old, one in moved if one.market == market]
            told = ", ".join(f"{one.variant_id} {_from(was)}to {one.amount_minor} {one.currency}" for was, one in pairs)
            about, most = f"product/{product_id}", max(change_permille(was, one.amount_minor) for was, one in pairs)
            if new:
                most, what = max(1, *(one.amount_minor for _, one in pairs)), f"To set first prices in {market} ({told})"
                deeds.append(Deed(kind="first_price", about=about, scope=market, amount=most, what=what))
                continue
            what = f"To change prices in {market} ({told})"
            deeds.append(Deed(kind="price", about=about, scope=market, amount=most, what=what))
    return deeds


def departs(code: str, market: str, own: Mapping[UUID, int], tiers: Mapping[UUID, Sequence[Tier]]) -> Deed:
    """Return what a list's new prices are, and by how much they depart from the market's own: all, where it has none."""
    pairs = [(own.get(id_), tier) for id_, of_variant in sorted(tiers.items()) for tier in of_variant]
    told = ", ".join(f"{id_}: {[(x.from_quantity, x.amount_minor) for x in of]}" for id_, of in sorted(tiers.items()))
    most = max((change_permille(was, tier.amount_minor) for was, tier in pairs), default=0)
    what = f"To set prices in the list {code} ({told})"
    return Deed(kind="price", about=f"price-list/{code}", scope=market, amount=most, what=what)


def holds_anew(before: PriceList | None, wanted: PriceList, farthest: tuple[int | None, int] | None) -> list[Deed]:
    """Return what it is to have a list's prices hold on other terms: for others, from then, before other lists.

    ``farthest`` is the market's own price and the list's where they differ most. A list that has no prices, is switched off, or
    gets another title alone, changes nobody's.
    """
    if before is None or farthest is None or not wanted.active:
        return []
    if msgspec.structs.replace(before, title=wanted.title) == wanted:
        return []
    terms = ", ".join(f"{name} {getattr(wanted, name)}" for name in wanted.__struct_fields__ if name not in {"code", "title"})
    what = f"To have the prices of the list {wanted.code} hold anew ({terms})"
    amount = change_permille(*farthest)
    return [Deed(kind="price", about=f"price-list/{wanted.code}", scope=wanted.market, amount=amount, what=what)]


def _from(was: int | None) -> str:
    return "" if was is None else f"from {was} "


class Market(Struct, frozen=True, kw_only=True):
    """Where prices hold. Without a country it is taxed nowhere; ``currencies`` are those it sells in beside its own."""

    code: str
    currency: str
    country: str = ""
    prices_include_tax: bool = True
    currencies: Sequence[str] = ()


class Buyer(Struct, frozen=True):
    """Who buys and through what, as far as prices depend on it."""

    channel: str = "store"
    customer_groups: Sequence[str] = ()
    company_id: UUID | None = None


class UnitPrice(Struct, frozen=True):
    """What a piece costs, and why."""

    amount_minor: int
    sentence: str


ListPrices = Mapping[str, Sequence[Tier]]


def sold_currency(market: Market, wanted: str | None) -> Currency:
    """Return the currency of a quote: the one wanted when the market sells in it, else its own."""
    if wanted is None or wanted == market.currency:
        return Currency(market.currency)
    if wanted not in market.currencies:
        raise CurrencyNotSoldError(market.code, wanted, [market.currency, *market.currencies])
    return Currency(wanted)


def lists_for(lists: Iterable[PriceList], market: str, buyer: Buyer, at: datetime) -> list[PriceList]:
    """Return the lists that hold for a buyer at a moment, the one to ask first in front.

    The lowest rank is asked first; of equal rank what says most exactly whom it is for (company, then group, then channel).
    """
    found = [
        one
        for one in lists
        if one.active
        and one.market == market
        and one.channel in {"", buyer.channel}
        and (not one.customer_group or one.customer_group in buyer.customer_groups)
        and (one.company_id is None or one.company_id == buyer.company_id)
        and one.valid_from <= at
        and (one.valid_until is None or at < one.valid_until)
    ]
    return sorted(found, key=lambda one: (one.rank, one.company_id is None, not one.customer_group, not one.channel, one.code))


def unit_price(
    sku: str, quantity: int, base_minor: int | None, prices: ListPrices, lists: Sequence[PriceList], *,
    market: Market, currency: Currency, rates: Rates, at: datetime,
) -> UnitPrice:  # fmt: skip
    """Return what a piece costs when so many of it are bought: by the first list that has it, else by the market's price."""
    for one in lists:
        tier = _tier(prices.get(one.code, ()), quantity)
        if tier is not None:
            amount, how = _in_currency(tier.amount_minor, one.currency, currency, rates, at)
            many = f" from {tier.from_quantity} pieces" if tier.from_quantity > 1 else ""
            return UnitPrice(amount, f"price list {one.code}{many}{how}")
    if base_minor is None:
        raise PriceMissingError(sku, market.code, currency)
    amount, how = _in_currency(base_minor, market.currency, currency, rates, at)
    return UnitPrice(amount, f"price of the market {market.code}{how}")


def check_terms(country: str, currencies: Sequence[str]) -> None:
    """Refuse a country of a market, or further currencies, that cannot be."""
    if country and not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):  # noqa: PLR2004  # ISO 3166-1 alpha-2
        raise BadInputError(
            f"{country!r} is no country code: use two capital letters (ISO 3166-1), such as GB.", country=country
        )
    for code in currencies:
        currency(code)


def check_known_list(code: str, version: int | None) -> None:
    """Refuse a price list that is not there."""
    if version is None:
        raise NotFoundError(f"There is no price list {code!r}: make it first.", list=code)


class RankTakenError(ConflictError):
    """Another price list of the same rank holds for the same buyers at the same time: which one counts would be chance."""

    slug = "rank-taken"

    def __init__(self, code: str, rank: int) -> None:
        super().__init__(
            f"Another price list of rank {rank} is for the same buyers at the same time as {code}: change its rank or time.",
            list=code,
            rank=rank,
        )


def check_list(one: PriceList, markets: Mapping[str, str]) -> None:
    """Refuse a price list that cannot be."""
    if not (1 <= len(one.code) <= 40 and one.code.replace("-", "").isalnum() and one.code == one.code.lower()):  # noqa: PLR2004  # said below
        raise BadInputError(f"The list code {one.code!r} is not usable: 1 to 40 lower-case letters, digits and hyphens.")
    if one.market not in markets:
        known = ", ".join(sorted(markets)) or "none yet"
        raise BadInputError(f"There is no market {one.market!r} (known: {known}): make it first.", market=one.market)
    currency(one.currency)
    if not 0 <= one.rank <= limits.RANK_MAX:
        raise BadInputError(f"The rank {one.rank} is out of range: 0 to {limits.RANK_MAX}.", rank=one.rank)
    check_span(one.valid_from, one.valid_until)


def check_groups(groups: Sequence[str]) -> list[str]:
    """Return the groups of a customer, each once and in order; too many, or a name that is not usable, is refused."""
    if len(groups) > limits.CUSTOMER_GROUPS_MAX:
        raise BadInputError(f"{len(groups)} groups were given: {limits.CUSTOMER_GROUPS_MAX} at most.", groups=len(groups))
    for one in groups:
        if not _GROUP.fullmatch(one):
            raise BadInputError(
                f"The group {one[:40]!r} is not usable: 1 to 40 letters, digits, spaces, points and hyphens, such as 'trade'.",
                field="customer_groups",
                value=one[:40],
            )
    return sorted(set(groups))


def check_span(start: datetime | None, end: datetime | None) -> None:
    """Refuse a time that ends before it begins, or whose zone would be a guess."""
    for moment in (start, end):
        if moment is not None and (moment.tzinfo is None or not limits.YEAR_MIN < moment.year < limits.YEAR_MAX):
            raise BadInputError(f"The moment {moment.isoformat()} has no time zone, or is out of range: use one such as Z.")
    if start is not None and end is not None and end <= start:
        raise BadInputError(f"It would end at {end.isoformat()}, before it begins at {start.isoformat()}: turn them round.")


def check_tiers(sku: str, tiers: Sequence[Tier]) -> list[Tier]:
    """Return the tiers in their order; refuses a quantity that comes twice, and amounts out of range."""
    ordered = sorted(tiers, key=lambda one: one.from_quantity)
    if len({one.from_quantity for one in ordered}) < len(ordered) or len(ordered) > limits.TIERS_MAX:
        raise BadInputError(f"The tiers of {sku} name a quantity twice, or are more than {limits.TIERS_MAX}.", sku=sku)
    for one in ordered:
        if not 1 <= one.from_quantity <= limits.QUANTITY_MAX or not 0 <= one.amount_minor <= limits.MINOR_MAX:
            raise BadInputError(
                f"{one.amount_minor} for {sku} from {one.from_quantity} pieces is out of range: 1 to {limits.QUANTITY_MAX} "
                f"pieces, 0 to {limits.MINOR_MAX}.",
                sku=sku,
            )
    return ordered


def check_rate(rate: RateSet) -> None:
    """Refuse a rate that cannot be: of a currency in itself, or not above zero."""
    currency(rate.base)
    currency(rate.quote)
    check_span(rate.valid_from, None)
    if rate.base == rate.quote:
        raise BadInputError(f"A rate from {rate.base} to itself is always 1: name two currencies.", base=rate.base)
    if not _DECIMAL.fullmatch(rate.rate) or Decimal(rate.rate) <= 0:
        raise BadInputError(f"{rate.rate[:40]!r} is no rate: give a decimal number above zero, such as 0.8575.", rate=rate.rate)


def _tier(tiers: Sequence[Tier], quantity: int) -> Tier | None:
    return max((one for one in tiers if one.from_quantity <= quantity), key=lambda one: one.from_quantity, default=None)


def _in_currency(minor: int, of: str, to: Currency, rates: Rates, at: datetime) -> tuple[int, str]:
    if of == to:
        return minor, ""
    how = f", converted from {spoken(minor, Currency(of))} at {rates.spoken(of, to, at)}"
    return rates.convert(minor, of, to, at, cash=True), how
