"""Reads what a quote needs, in one round trip for a cart without coupons, and has ``price.py`` decide.

Markets, lists, rates, promotions, zones and methods are held in process (``terms.py``).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from entrepot.base.time import Clock, utc
from entrepot.commerce.checkout.basis import Offer, Read, Setting
from entrepot.commerce.checkout.price import finish, limited, prepare, settle_terms
from entrepot.commerce.checkout.quote import Quote, QuoteRequest
from entrepot.commerce.checkout.terms import SQL, TermsHeld
from entrepot.commerce.pricing.events import Tier
from entrepot.commerce.promotion.rules import Coupon, normal
from entrepot.partners.tax.port import TaxEngine
from entrepot.record.transaction import Connection


class Quoting:
    """Quotes carts; one per process, since it holds the terms of each cell."""

    def __init__(self, engine: TaxEngine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self._held: dict[int, TermsHeld] = {}

    async def quote(self, connection: Connection, cell: int, request: QuoteRequest, *, at: datetime | None = None) -> Quote:
        """Return what a cart costs at a moment (``at``, else the request's, else now), and why; reads only."""
        held = self._held.setdefault(cell, TermsHeld(cell, self._clock))
        moment = at or request.at or utc(self._clock.millis())
        setting = settle_terms(request, await held.current(connection), self._engine, moment)
        prepared = prepare(setting, await _read(connection, cell, setting))
        return finish(prepared, await self._engine.assess(prepared.question))

    def forget(self, cell: int) -> None:
        """Read the terms anew for the next quote: this process has just changed them."""
        if cell in self._held:
            self._held[cell].forget()


async def coupon_used(connection: Connection, cell: int, code: str) -> int:
    """Return how often a coupon was used in all; what is not limited is not counted."""
    row = await connection.fetchrow(SQL["used"], cell, [f"coupon/{code}"])
    return row["used"] if row else 0


async def coupons_used(connection: Connection, cell: int, codes: Sequence[str]) -> dict[str, int]:
    """Return how often coupons were used in all; one that is not limited is not counted, and not told of."""
    rows = await connection.fetch(SQL["used"], cell, [f"coupon/{code}" for code in codes])
    return {row["name"].removeprefix("coupon/"): row["used"] for row in rows}


async def _read(connection: Connection, cell: int, setting: Setting) -> Read:
    request = setting.request
    rows = await connection.fetch(SQL["offers"], list({line.sku for line in request.lines}), request.market)
    offers = {row["sku"]: _offer(row) for row in rows}
    prices = await _list_prices(connection, setting, offers.values()) if setting.lists else {}
    coupons = await _coupons(connection, request.coupons) if request.coupons else {}
    names = limited(setting, coupons.values())
    used = {row["name"]: row["used"] for row in await connection.fetch(SQL["used"], cell, names)} if names else {}
    return Read(offers=offers, prices=prices, coupons=coupons, used=used)


async def _list_prices(connection: Connection, setting: Setting, offers: Iterable[Offer]) -> dict[UUID, dict[str, list[Tier]]]:
    variants = [offer.variant_id for offer in offers]
    found: dict[UUID, dict[str, list[Tier]]] = defaultdict(dict)
    for row in await connection.fetch(SQL["list_prices"], variants, [one.code for one in setting.lists]):
        tiers = zip(row["from_quantities"], row["amounts_minor"], strict=True)
        found[row["variant_id"]][row["list"]] = [Tier(from_quantity=pieces, amount_minor=amount) for pieces, amount in tiers]
    return found


async def _coupons(connection: Connection, codes: Iterable[str]) -> dict[str, Coupon]:
    rows = await connection.fetch(SQL["coupons"], list({normal(code) for code in codes}))
    return {row["code"]: Coupon(**dict(row)) for row in rows}


def _offer(row: asyncpg.Record) -> Offer:
    return Offer(**dict(row))
