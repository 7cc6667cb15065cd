"""Reads what a quote needs, in one round trip for a cart without coupons, and has ``price.py`` decide.

Markets, lists, rates, promotions, zones and methods are held in process (``terms.py``).
"""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

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


async def _read(connection: Connection, cell: int, setting: Setting) -> Read:
    request = setting.request
    skus = list({line.sku for line in request.lines})
    lists = [one.code for one in setting.lists]
    rows = await connection.fetch(SQL["offers"], skus, request.market, lists)
    offers = {row[0]: _offer(row) for row in rows}
    coupons: dict[str, Coupon] = {}
    used: dict[str, int] = {}
    if request.coupons:
        codes = list({normal(code) for code in request.coupons})
        for row in await connection.fetch(SQL["coupons"], cell, codes, request.customer_id):
            *of_coupon, used_in_all, used_by_customer = row
            code = row[0]
            coupons[code] = Coupon(**dict(zip(Coupon.__struct_fields__, of_coupon, strict=True)))
            used[f"coupon/{code}"] = used_in_all
            used[f"coupon/{code}/{request.customer_id}"] = used_by_customer
    if names := limited(setting):
        used |= {row["name"]: row["used"] for row in await connection.fetch(SQL["used"], cell, names)}
    return Read(offers=offers, coupons=coupons, used=used)


def _offer(row: asyncpg.Record) -> Offer:
    return Offer(
        sku=row["sku"],
        variant_id=row["variant_id"],
        product_id=row["product_id"],
        category_id=row["category_id"],
        offered=row["offered"],
        seller_id=row["seller_id"],
        tax_class=row["tax_class"],
        weight_grams=row["weight_grams"],
        delivery=row["delivery"],
        commission_permille=row["commission_permille"],
        amount_minor=row["amount_minor"],
        prices=_prices(row["lists"], row["from_quantities"], row["amounts_minor"]) if row["lists"] else {},
    )


def _prices(lists: Sequence[str], from_quantities: str, amounts_minor: str) -> dict[str, list[Tier]]:
    """Return the tiers of each list (PostgreSQL has no arrays of arrays of differing lengths, hence JSON)."""
    return {
        code: [Tier(from_quantity=pieces, amount_minor=amount) for pieces, amount in zip(*columns, strict=True)]
        for code, *columns in zip(lists, msgspec.json.decode(from_quantities), msgspec.json.decode(amounts_minor), strict=True)
    }
