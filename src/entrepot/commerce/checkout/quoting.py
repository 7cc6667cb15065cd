"""Reads what a quote needs, in one round trip for carts without coupons, and has ``price.py`` decide.

Markets, lists, rates, promotions, zones and methods are held in process (``terms.py``). So are, for a second, what articles are
offered as, and estimates; but what a buyer is to pay is quoted from the truth.
"""

import contextlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from entrepot.base import limits
from entrepot.base.errors import EntrepotError
from entrepot.base.recent import Recent
from entrepot.base.time import Clock, utc
from entrepot.commerce.checkout.basis import Offer, Prepared, Read, Setting
from entrepot.commerce.checkout.price import finish, limited, prepare, settle_terms
from entrepot.commerce.checkout.quote import Quote, QuoteRequest
from entrepot.commerce.checkout.terms import SQL, Terms, TermsHeld
from entrepot.commerce.pricing.events import Tier
from entrepot.commerce.pricing.rules import Market
from entrepot.commerce.promotion.rules import Coupon, Use, normal, used_then
from entrepot.partners.tax.port import TaxEngine
from entrepot.record.gathering import Gathering, answered
from entrepot.record.transaction import Connection, Record

# What no SKU holds, since PostgreSQL keeps it in no text: it would refuse the reading, and with it all that were gathered.
_NO_TEXT = re.compile("[\\x00\\ud800-\\udfff]")

# An article that somebody puts into a cart: where to look, the market, the SKU.
Asked: TypeAlias = tuple[Record, str, str]


class Groups(Struct, frozen=True):
    """Of which groups a customer is now, and ``previous`` to that, until ``since``."""

    now: Sequence[str]
    previous: Sequence[str]
    since: datetime


class Quoting:
    """Quotes carts; one per process, since it holds the terms of each cell, and what was asked for a moment ago."""

    def __init__(self, engine: TaxEngine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self._terms_held: dict[int, TermsHeld] = {}
        self._offers = Recent[tuple[str, str], Offer](clock, limits.OFFERS_SECONDS, limits.OFFERS_HELD_MAX)
        self._reading = Gathering[Asked, Offer | None](_offers_of, calls_max=1, apart_seconds=limits.OFFERS_APART_SECONDS)
        self._estimates = Recent[tuple[int, bytes], Prepared](clock, limits.OFFERS_SECONDS, limits.ESTIMATES_HELD_MAX)

    async def quote(self, connection: Connection, cell: int, request: QuoteRequest, *, at: datetime | None = None) -> Quote:
        """Return what a cart costs at a moment (``at``, else the request's, else now), and why; reads only."""
        (answer,) = await self.quote_all(connection, cell, [request], at=at)
        if isinstance(answer, EntrepotError):
            raise answer
        return answer

    async def quote_all(
        self, connection: Connection, cell: int, requests: Sequence[QuoteRequest], *, at: datetime | None = None
    ) -> list[Quote | EntrepotError]:
        """Return what each of these carts costs, or why it has no price; what they need is read once for all of them."""
        terms = await self._held(cell).current(connection)
        settings: dict[int, Setting] = {}
        answers: dict[int, Quote | EntrepotError] = {}
        groups = await _groups(connection, terms, requests)
        for place, request in enumerate(requests):
            try:
                settings[place] = self._setting(_grouped(request, groups), terms, at)
            except EntrepotError as error:
                answers[place] = error
        reads = await _read(connection, cell, settings.values())
        for place, setting in settings.items():
            try:
                answers[place] = await self._quoted(setting, reads[setting.market.code])
            except EntrepotError as error:
                answers[place] = error
        return [answers[place] for place in range(len(requests))]

    async def quote_then(
        self, connection: Connection, cell: int, request: QuoteRequest, moments: Sequence[datetime]
    ) -> dict[datetime, Quote]:
        """Return what a cart would have cost at moments gone by, with the promotions and price lists as they then were.

        What it had no price at is left out.
        """
        terms = await self._held(cell).current(connection)
        groups = await _groups(connection, terms, [request])
        settings: dict[datetime, Setting] = {}
        for at in moments:
            with contextlib.suppress(EntrepotError):
                settings[at] = self._setting(_grouped(request, groups, at), terms.as_of(at), at)
        reads = await _read(connection, cell, settings.values())
        prices = await _prices_then(connection, settings, reads)
        answers = {}
        for at, setting in settings.items():
            with contextlib.suppress(EntrepotError):
                read = reads[setting.market.code]
                used = used_then(setting.terms.promotions, read.uses, setting.audience.customer_id, at)
                answers[at] = await self._quoted(setting, structs.replace(read, prices=prices.get(at, {}), used=used))
        return answers

    async def estimate(self, record: Record, cell: int, request: QuoteRequest) -> Prepared:
        """Return what a cart cost at most ``OFFERS_SECONDS`` ago, before its tax: no engine is asked for that.

        To tell how it can be sent, while a buyer is on the way; what is taken is quoted from the truth.
        """
        request = structs.replace(request, estimate=True)
        key = cell, msgspec.json.encode(request)
        known = self._estimates.get(key)
        if known is None:
            known = self._estimates[key] = await self._estimated(record, cell, request)
        return known

    async def offered(self, record: Record, market: str, skus: Iterable[str]) -> dict[str, Offer]:
        """Return what SKUs were offered as in a market at most ``OFFERS_SECONDS`` ago; the unknown are looked for each time."""
        found = {sku: self._offers.get((market, sku)) for sku in skus}
        missing = [sku for sku, offer in found.items() if offer is None and not _NO_TEXT.search(sku)]
        waiting = [self._reading.put((record, market, sku)) for sku in missing]
        for sku, one in zip(missing, waiting, strict=True):
            if (offer := await answered(one)) is not None:
                found[sku] = self._offers[market, sku] = offer
        return {sku: offer for sku, offer in found.items() if offer is not None}

    async def market(self, record: Record, cell: int, code: str) -> Market | None:
        """Return a market as it was at most ``TERMS_SECONDS`` ago; None when there is none."""
        return (await self._terms(record, cell)).markets.get(code)

    def forget(self, cell: int) -> None:
        """Read the terms anew for the next quote: this process has just changed them."""
        self._held(cell).forget()
        self.forget_offers()

    def forget_offers(self) -> None:
        """Read offers anew: this process has just changed what is sold, or for how much."""
        self._offers.forget()
        self._estimates.forget()

    async def _estimated(self, record: Record, cell: int, request: QuoteRequest) -> Prepared:
        terms = await self._terms(record, cell)
        if terms.for_groups and request.customer_id:
            async with record.committing() as connection:
                request = _grouped(request, await _groups(connection, terms, [request]))
        setting = self._setting(request, terms)
        read = Read(offers=await self.offered(record, setting.market.code, {line.sku for line in request.lines}))
        if setting.lists or request.coupons or limited(setting, ()):
            async with record.committing() as connection:
                read = await _read_more(connection, cell, [setting], read.offers)
        return prepare(setting, read)

    async def _terms(self, record: Record, cell: int) -> Terms:
        terms = self._held(cell).fresh()
        if terms is None:
            async with record.committing() as connection:
                terms = await self._held(cell).current(connection)
        return terms

    def _held(self, cell: int) -> TermsHeld:
        return self._terms_held.setdefault(cell, TermsHeld(cell, self._clock))

    def _setting(self, request: QuoteRequest, terms: Terms, at: datetime | None = None) -> Setting:
        return settle_terms(request, terms, self._engine, at or request.at or utc(self._clock.millis()))

    async def _quoted(self, setting: Setting, read: Read) -> Quote:
        prepared = prepare(setting, read)
        return finish(prepared, await self._engine.assess(prepared.question))


async def coupon_used(connection: Connection, cell: int, code: str) -> int:
    """Return how often a coupon was used in all; what is not limited is not counted."""
    row = await connection.fetchrow(SQL["used"], cell, [f"coupon/{code}"])
    return row["used"] if row else 0


async def coupons_used(connection: Connection, cell: int, codes: Sequence[str]) -> dict[str, int]:
    """Return how often coupons were used in all; one that is not limited is not counted, and not told of."""
    rows = await connection.fetch(SQL["used"], cell, [f"coupon/{code}" for code in codes])
    return {row["name"].removeprefix("coupon/"): row["used"] for row in rows}


async def _groups(connection: Connection, terms: Terms, requests: Sequence[QuoteRequest]) -> Mapping[UUID | None, Groups]:
    """Return of which groups the customers of these requests are and were; looked up where it matters."""
    customers = {one.customer_id for one in requests if one.customer_id} if terms.for_groups else set[UUID]()
    rows = await connection.fetch(SQL["customer_groups"], list(customers)) if customers else []
    return {row["customer_id"]: Groups(row["customer_groups"], row["previous"], row["since"]) for row in rows}


def _grouped(request: QuoteRequest, groups: Mapping[UUID | None, Groups], at: datetime | None = None) -> QuoteRequest:
    """Return a request with the groups that its customer is of, or was at a moment gone by."""
    known = groups.get(request.customer_id)
    if known is None:
        return request
    then = known.previous if at is not None and at < known.since else known.now
    return structs.replace(request, customer_groups=[*request.customer_groups, *then])


async def _read(connection: Connection, cell: int, settings: Iterable[Setting]) -> dict[str, Read]:
    """Return what is needed for these carts, by market."""
    by_market: dict[str, list[Setting]] = defaultdict(list)
    for setting in settings:
        by_market[setting.market.code].append(setting)
    reads = {}
    for market, those in by_market.items():
        offers = await _offers(connection, market, {line.sku for one in those for line in one.request.lines})
        reads[market] = await _read_more(connection, cell, those, offers)
    return reads


async def _read_more(connection: Connection, cell: int, settings: Sequence[Setting], offers: Mapping[str, Offer]) -> Read:
    """Return what these carts of one market need beside offers: prices in lists, coupons, and how much of them is used."""
    lists, codes = {one.code for setting in settings for one in setting.lists}, set[str]()
    codes.update(normal(code) for setting in settings for code in setting.request.coupons)
    prices = await _list_prices(connection, [offer.variant_id for offer in offers.values()], lists) if lists else {}
    coupons = await _coupons(connection, codes) if codes else {}
    names = {name for setting in settings for name in limited(setting, coupons.values())}
    uses = [Use(**dict(row)) for row in await connection.fetch(SQL["used"], cell, list(names))] if names else []
    return Read(offers=offers, prices=prices, coupons=coupons, used={one.name: one.used for one in uses}, uses=uses)


async def _offers_of(asked: Sequence[Asked]) -> list[Offer | None]:
    """Return what each is offered as, by one reading for all of a market."""
    by_market: dict[tuple[Record, str], set[str]] = defaultdict(set)
    for record, market, sku in asked:
        by_market[record, market].add(sku)
    found = {}
    for (record, market), skus in by_market.items():
        async with record.committing() as connection:
            found[record, market] = await _offers(connection, market, skus)
    return [found[record, market].get(sku) for record, market, sku in asked]


async def _offers(connection: Connection, market: str, skus: Iterable[str]) -> dict[str, Offer]:
    return {row["sku"]: Offer(**dict(row)) for row in await connection.fetch(SQL["offers"], list(skus), market)}


async def _prices_then(
    connection: Connection, settings: Mapping[datetime, Setting], reads: Mapping[str, Read]
) -> dict[datetime, dict[UUID, dict[str, list[Tier]]]]:
    """Return what variants cost in the lists that held at each of these moments."""
    lists = {one.code for setting in settings.values() for one in setting.lists}
    if not lists:
        return {}
    variants = {offer.variant_id for read in reads.values() for offer in read.offers.values()}
    found: dict[datetime, dict[UUID, dict[str, list[Tier]]]] = defaultdict(lambda: defaultdict(dict))
    for row in await connection.fetch(SQL["list_prices_then"], list(variants), list(lists), list(settings)):
        found[row["at"]][row["variant_id"]][row["list"]] = _tiers(row["from_quantities"], row["amounts_minor"])
    return found


async def _list_prices(
    connection: Connection, variants: Sequence[UUID], lists: Iterable[str]
) -> dict[UUID, dict[str, list[Tier]]]:
    found: dict[UUID, dict[str, list[Tier]]] = defaultdict(dict)
    for row in await connection.fetch(SQL["list_prices"], variants, list(lists)):
        found[row["variant_id"]][row["list"]] = _tiers(row["from_quantities"], row["amounts_minor"])
    return found


def _tiers(from_quantities: Sequence[int], amounts_minor: Sequence[int]) -> list[Tier]:
    tiers = zip(from_quantities, amounts_minor, strict=True)
    return [Tier(from_quantity=pieces, amount_minor=amount) for pieces, amount in tiers]


async def _coupons(connection: Connection, codes: Iterable[str]) -> dict[str, Coupon]:
    return {row["code"]: Coupon(**dict(row)) for row in await connection.fetch(SQL["coupons"], list(codes))}
