"""The terms of selling, held in process: markets, price lists, rates, promotions, zones, methods, where goods lie.

Small and seldom changed, so that a quote need not ask for them. They are at most ``TERMS_SECONDS`` old: once that has passed,
the next quote asks whether any of them has changed (the sum of their versions), and reads them anew only then.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec
from msgspec import Struct

from entrepot.base.errors import NotFoundError
from entrepot.base.limits import TERMS_SECONDS
from entrepot.base.time import Clock
from entrepot.commerce.pricing.rates import Rate, Rates
from entrepot.commerce.pricing.rules import Market, PriceList
from entrepot.commerce.promotion.effects import Promotion
from entrepot.commerce.shipping.rules import Method, Zone
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__, "quoting.sql")


class Terms(Struct, frozen=True, kw_only=True):
    """Everything that prices depend on beside the articles themselves."""

    markets: Mapping[str, Market]
    lists: Sequence[PriceList] = ()
    rates: Rates
    promotions: Mapping[str, Promotion] = {}
    zones: Sequence[Zone] = ()
    methods: Sequence[Method] = ()
    warehouse_countries: Sequence[str] = ()

    def market(self, code: str) -> Market:
        """Return a market, or refuse one that is not there."""
        if code not in self.markets:
            known = ", ".join(sorted(self.markets)) or "none yet"
            raise NotFoundError(f"There is no market {code!r} (known: {known}).", market=code)
        return self.markets[code]


class TermsHeld:
    """The terms of one cell as a process holds them."""

    def __init__(self, cell: int, clock: Clock) -> None:
        self._cell, self._clock = cell, clock
        self._asked_at = 0
        self._stamp: str | None = None
        self._terms = Terms(markets={}, rates=Rates())

    def fresh(self) -> Terms | None:
        """Return the terms, unless it is time to ask whether they have changed."""
        due = self._stamp is None or self._clock.millis() - self._asked_at >= TERMS_SECONDS * 1000
        return None if due else self._terms

    async def current(self, connection: Connection) -> Terms:
        """Return the terms, at most ``TERMS_SECONDS`` old."""
        if self.fresh() is None:
            self._asked_at = self._clock.millis()  # whoever comes while we ask goes on with what is held
            stamp: str = await connection.fetchval(SQL["terms_stamp"], self._cell)
            if stamp != self._stamp:
                self._terms = await read(connection, self._cell)
            # The stamp was read before the terms: a change between the two is read once more, never missed.
            self._stamp = stamp
        return self._terms

    def forget(self) -> None:
        """Ask anew next time: this process has just changed the terms itself."""
        self._stamp = None


async def read(connection: Connection, cell: int) -> Terms:
    """Read the terms whole."""
    return Terms(
        markets={row["code"]: Market(**dict(row)) for row in await connection.fetch(SQL["markets"])},
        lists=[PriceList(**dict(row)) for row in await connection.fetch(SQL["price_lists"])],
        rates=Rates(
            Rate(row["base"], row["quote"], row["valid_from"], Fraction(row["rate"]))
            for row in await connection.fetch(SQL["rates"])
        ),
        promotions={
            row["code"]: msgspec.structs.replace(
                msgspec.json.decode(row["definition"], type=Promotion), active=True, ends_at=row["ends_at"]
            )
            for row in await connection.fetch(SQL["promotions"])
        },
        zones=[msgspec.json.decode(row["definition"], type=Zone) for row in await connection.fetch(SQL["zones"])],
        methods=[msgspec.json.decode(row["definition"], type=Method) for row in await connection.fetch(SQL["methods"])],
        warehouse_countries=[row["country"] for row in await connection.fetch(SQL["warehouse_countries"], cell)],
    )
