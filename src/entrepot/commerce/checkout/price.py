"""Pure: what a cart costs and why. Every decision of a quote is made here, from values that ``quoting.py`` has read.

In order: whose price it is (``settle_terms``), what each line costs, what promotions take off, how it is sent, what is tax.
Whatever the input, lines and charges make the total, and no discount exceeds its line.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from entrepot.base import limits
from entrepot.base.errors import BadInputError, NotFoundError, QuantityRefusedError
from entrepot.commerce.checkout.basis import Prepared, PricedLine, Read, Setting
from entrepot.commerce.checkout.claims import Claim
from entrepot.commerce.checkout.explain import Authority, explain
from entrepot.commerce.checkout.quote import Quote, QuotedLine, QuoteRequest, Shipping, WantedLine
from entrepot.commerce.checkout.requests import ChargeRequest
from entrepot.commerce.checkout.terms import Terms
from entrepot.commerce.ordering.events import TaxLine
from entrepot.commerce.pricing.rules import Buyer, lists_for, sold_currency, unit_price
from entrepot.commerce.promotion.effects import Item, postage_off
from entrepot.commerce.promotion.events import FreeShipping
from entrepot.commerce.promotion.rules import (
    Applied,
    Audience,
    Candidate,
    Coupon,
    Idle,
    Postage,
    Settled,
    automatic,
    limits_of,
    normal,
    open_coupon,
    settle,
    used_up,
)
from entrepot.commerce.shipping.rules import Destination, Offered, Parcel, check_country, choose, offers
from entrepot.commerce.tax.rules import check_answer
from entrepot.partners.tax.port import TaxEngine, TaxItem, TaxPart, TaxPlace, TaxQuestion


def settle_terms(request: QuoteRequest, terms: Terms, engine: TaxEngine, at: datetime) -> Setting:
    """Return whose quote it is; refuses what cannot be meant before anything is looked up."""
    check_request(request)
    market = terms.market(request.market)
    buyer = Buyer(request.channel, request.customer_groups, request.company_id)
    treatment = engine.treat(market.country, TaxPlace(request.country, request.region, request.postcode), request.vat_id)
    if treatment.ground == "unknown" and not request.estimate:
        raise BadInputError(f"The address is not whole: {treatment.sentence}.", field="region", country=request.country)
    return Setting(
        request=request,
        terms=terms,
        market=market,
        currency=sold_currency(market, request.currency),
        lists=lists_for(terms.lists, market.code, buyer, at),
        audience=Audience(market.code, request.channel, request.customer_groups, request.customer_id, at),
        treatment=treatment,
        at=at,
    )


def price(setting: Setting, read: Read, reckon: Callable[[TaxQuestion], Sequence[TaxPart]]) -> Quote:
    """Return the quote whole, for an engine that reckons tax at once."""
    prepared = prepare(setting, read)
    return finish(prepared, reckon(prepared.question))


def prepare(setting: Setting, read: Read) -> Prepared:
    """Return lines, discounts and postage, and what is to be taxed."""
    lines = _lines(setting, read)
    items = [_item(line) for line in lines]
    promotions = list(setting.terms.promotions.values())
    candidates = [*automatic(promotions, setting.audience, read.used), *_coupons(setting, read)]
    settled = Settled()
    if candidates:
        settled = settle(candidates, items, _postage_before(setting, lines, candidates), setting.convert)
    gone = used_up(promotions, setting.audience, read.used, items, setting.convert)
    settled = Settled(settled.applied, [*settled.idle, *gone])
    off = [sum(applied.off[place] for applied in settled.applied) for place in range(len(lines))]
    shipping = _shipping(setting, lines, off)
    settled = _post(setting, settled, shipping.chosen)
    postage = shipping.chosen.amount_minor - sum(one.postage_minor for one in settled.applied) if shipping.chosen else 0
    taxed = [
        TaxItem(n, line.unit_minor * line.wanted.quantity - off[n - 1], line.offer.tax_class, line.wanted.sku)
        for n, line in enumerate(lines, 1)
    ]
    request = setting.request
    question = TaxQuestion(
        home=setting.market.country,
        to=TaxPlace(request.country, request.region, request.postcode),
        currency=setting.currency,
        included=setting.market.prices_include_tax,
        items=[*taxed, TaxItem(None, postage)] if postage else taxed,
        at=setting.at,
        vat_id=request.vat_id,
    )
    return Prepared(
        setting=setting, lines=lines, off=off, settled=settled, shipping=shipping, postage_minor=postage, question=question
    )


def finish(prepared: Prepared, parts: Sequence[TaxPart]) -> Quote:
    """Return the quote, with what an engine says of its tax."""
    check_answer(prepared.question, parts)
    setting, included = prepared.setting, prepared.question.included
    lines = [_quoted(n, line, prepared.off[n - 1], parts, included=included) for n, line in enumerate(prepared.lines, 1)]
    charges = []
    if prepared.postage_minor:
        assert prepared.shipping.chosen is not None
        charges.append(ChargeRequest(kind="postage", amount_minor=prepared.postage_minor, note=prepared.shipping.chosen.method))
    by_authority = _by_authority(parts)
    if not included:
        charges += [ChargeRequest(kind="tax", amount_minor=t, note=of[0]) for of, (_, t) in by_authority.items() if t]
    goods = sum(line.amount_minor for line in lines)
    beside = sum(charge.amount_minor for charge in charges)
    if goods + beside > limits.MINOR_MAX:
        raise BadInputError(f"The total of {goods + beside} is out of range: {limits.MINOR_MAX} at most. Order less at once.")
    return Quote(
        market=setting.market.code,
        country=setting.request.country,
        currency=setting.currency,
        lines=lines,
        charges=charges,
        taxes=[_tax_line(part, included=included) for part in parts],
        claims=_claims(prepared),
        shipping=prepared.shipping,
        goods_minor=goods,
        charges_minor=beside,
        tax_minor=sum(part.tax_minor for part in parts),
        total_minor=goods + beside,
        explained=explain(prepared, by_authority),
        at=setting.at,
    )


def check_request(request: QuoteRequest) -> None:
    """Refuse a request that cannot be priced, whatever the market."""
    if not 1 <= len(request.lines) <= limits.ORDER_LINES_MAX:
        raise BadInputError(
            f"The cart has {len(request.lines)} lines: 1 to {limits.ORDER_LINES_MAX}.", lines=len(request.lines)
        )
    if len(request.coupons) > limits.COUPONS_MAX:
        raise BadInputError(f"{len(request.coupons)} coupons were given: {limits.COUPONS_MAX} at most.")
    check_country(request.country)
    if request.at is not None and request.at.tzinfo is None:
        raise BadInputError(f"The moment {request.at.isoformat()} has no time zone: add one, such as Z.")
    for line in request.lines:
        if not 1 <= line.quantity <= limits.QUANTITY_MAX:
            raise QuantityRefusedError(line.sku, line.quantity, limits.QUANTITY_MAX)
        if line.agreed_unit_minor is not None and not 0 <= line.agreed_unit_minor <= limits.MINOR_MAX:
            raise BadInputError(f"{line.agreed_unit_minor} for {line.sku} is out of range: 0 to {limits.MINOR_MAX}.")


def limited(setting: Setting, coupons: Iterable[Coupon]) -> list[str]:
    """Return the names of the allowances that decide whether one of these coupons, or a promotion, is used up."""
    promotions = setting.terms.promotions
    candidates = [Candidate(one) for one in promotions.values() if one.most is not None or one.most_per_customer is not None]
    candidates += [Candidate(promotions[one.promotion], one) for one in coupons if one.promotion in promotions]
    return list({limit.name for one in candidates for limit in limits_of(one, setting.audience.customer_id)})


def _lines(setting: Setting, read: Read) -> list[PricedLine]:
    wanted = setting.request.lines
    pieces: dict[str, int] = {}
    for line in wanted:
        pieces[line.sku] = pieces.get(line.sku, 0) + line.quantity
    return [_line(setting, line, read, pieces[line.sku]) for line in wanted]


def _line(setting: Setting, wanted: WantedLine, read: Read, pieces: int) -> PricedLine:
    offer = read.offers.get(wanted.sku)
    if offer is None or not (offer.offered or wanted.agreed_unit_minor is not None):
        raise NotFoundError(f"There is no article {wanted.sku!r} on offer: check the SKU.", sku=wanted.sku)
    if wanted.agreed_unit_minor is not None:
        return PricedLine(wanted, offer, wanted.agreed_unit_minor, "agreed price")
    unit = unit_price(
        wanted.sku, pieces, offer.amount_minor, read.prices.get(offer.variant_id, {}), setting.lists,
        market=setting.market, currency=setting.currency, rates=setting.terms.rates, at=setting.at,
    )  # fmt: skip
    net = setting.net(unit.amount_minor, offer.tax_class)
    return PricedLine(wanted, offer, net, unit.sentence if net == unit.amount_minor else f"{unit.sentence}, without its tax")


def _item(line: PricedLine) -> Item:
    return Item(
        line.wanted.sku,
        line.offer.product_id,
        line.offer.category_id,
        line.wanted.quantity,
        line.unit_minor * line.wanted.quantity,
        fixed=line.wanted.agreed_unit_minor is not None,
    )


def _coupons(setting: Setting, read: Read) -> list[Candidate]:
    codes = dict.fromkeys(map(normal, setting.request.coupons))
    found = []
    for code in codes:
        coupon = read.coupons.get(code)
        promotion = setting.terms.promotions.get(coupon.promotion) if coupon else None
        found.append(open_coupon(code, coupon, promotion, setting.audience, read.used))
    return found


def _postage_before(setting: Setting, lines: Sequence[PricedLine], candidates: Sequence[Candidate]) -> Postage:
    """Return what shipping would cost without promotions, if any of them asks."""
    if not any(isinstance(one.promotion.effect, FreeShipping) for one in candidates):
        return Postage()
    chosen = _shipping(setting, lines, [0] * len(lines)).chosen
    return Postage(chosen.method, chosen.amount_minor) if chosen else Postage()


def _shipping(setting: Setting, lines: Sequence[PricedLine], off: Sequence[int]) -> Shipping:
    """Return how it is sent; nothing is when nothing needs to be."""
    shipped = [(line, taken) for line, taken in zip(lines, off, strict=True) if line.offer.delivery == "ship"]
    if not shipped:
        return Shipping(chosen=None, offered=[])
    grams = sum(line.offer.weight_grams * line.wanted.quantity for line, _ in shipped)
    value = sum(line.unit_minor * line.wanted.quantity - taken for line, taken in shipped)
    request, terms = setting.request, setting.terms
    offered = offers(
        terms.methods, terms.zones, Destination(request.country, request.region, request.postcode), Parcel(grams, value),
        market=setting.market.code, warehouse_countries=terms.warehouse_countries, at=setting.at,
        convert=lambda minor, of: setting.net(setting.convert(minor, of)),
    )  # fmt: skip
    return Shipping(chosen=choose(offered, request.shipping_method), offered=offered)


def _post(setting: Setting, settled: Settled, chosen: Offered | None) -> Settled:
    """Return what was settled with what it takes off the postage as it has become; what then does nothing is idle."""
    left = chosen.amount_minor if chosen else 0
    applied, idle = [], list(settled.idle)
    for one in settled.applied:
        off = postage_off(one.candidate.promotion, chosen.method if chosen else None, left, setting.convert)
        left -= off
        if off or any(one.off):
            applied.append(Applied(one.candidate, one.off, off))
        else:
            idle.append(Idle(one.candidate, "there is no postage to take off"))
    return Settled(applied, idle)


def _quoted(number: int, line: PricedLine, off: int, parts: Sequence[TaxPart], *, included: bool) -> QuotedLine:
    wanted, offer = line.wanted, line.offer
    return QuotedLine(
        line=number,
        sku=wanted.sku,
        product_id=offer.product_id,
        variant_id=offer.variant_id,
        category_id=offer.category_id,
        seller_id=offer.seller_id,
        delivery=offer.delivery,
        weight_grams=offer.weight_grams,
        quantity=wanted.quantity,
        list_minor=line.unit_minor,
        discount_minor=off,
        amount_minor=line.unit_minor * wanted.quantity - off,
        tax_minor=sum(part.tax_minor for part in parts if part.line == number) if included else 0,
        commission_permille=offer.commission_permille,
        tax_class=offer.tax_class,
        note=wanted.note,
    )


def _tax_line(part: TaxPart, *, included: bool) -> TaxLine:
    return TaxLine(
        line=part.line,
        jurisdiction=part.jurisdiction,
        name=part.name,
        rate_ppm=part.rate_ppm,
        base_minor=part.base_minor,
        tax_minor=part.tax_minor,
        included=included,
    )


def _by_authority(parts: Sequence[TaxPart]) -> dict[Authority, tuple[int, int]]:
    """Return base and tax of each authority and rate."""
    found: dict[Authority, tuple[int, int]] = {}
    for part in parts:
        of = (part.jurisdiction, part.name, part.rate_ppm)
        base, tax = found.get(of, (0, 0))
        found[of] = (base + part.base_minor, tax + part.tax_minor)
    return found


def _claims(prepared: Prepared) -> list[Claim]:
    customer = prepared.setting.audience.customer_id
    return [
        Claim(limit.name, 1, limit.most) for one in prepared.settled.applied for limit in limits_of(one.candidate, customer)
    ]
