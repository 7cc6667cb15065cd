"""The terms of selling, held in process: markets, price lists, rates, promotions, zones, methods, where goods lie.

Small and seldom changed, so that a quote need not ask for them. They are at most ``TERMS_SECONDS`` old: once that has passed,
the next quote asks whether any of them has changed (the sum of their versions), and reads them anew only then.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct, structs

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


T = TypeVar("T", Promotion, PriceList, Method)


class Past(Struct, Generic[T], frozen=True, kw_only=True):
    """A promotion, a price list or a shipping method as it was from one change of it (none: from ever) until the next."""

    was: T
    since: datetime | None
    until: datetime


class Terms(Struct, frozen=True, kw_only=True):
    """Everything that prices depend on beside the articles themselves.

    ``since`` says when a promotion (``promotion/<code>``) or a list (``list/<code>``) became what it is, where that is known.
    """

    markets: Mapping[str, Market]
    lists: Sequence[PriceList] = ()
    rates: Rates
    promotions: Mapping[str, Promotion] = {}
    zones: Sequence[Zone] = ()
    methods: Sequence[Method] = ()
    warehouse_countries: Sequence[str] = ()
    since: Mapping[str, datetime] = {}
    past_promotions: Sequence[Past[Promotion]] = ()
    past_lists: Sequence[Past[PriceList]] = ()
    past_methods: Sequence[Past[Method]] = ()
    for_groups: bool = False
    """Whether any of them is for a group of customers, so that it matters which groups a buyer is of."""

    def as_of(self, at: datetime) -> "Terms":
        """Return the terms with the promotions, lists and methods that there were at a moment gone by, as they then were.

        A promotion that needs a coupon is left as it is where there was none: whoever has used it since knows what it takes
        off. So is a method: what sending by it would have cost, nobody was told.
        """
        present = {code: one for code, one in self.promotions.items() if one.needs_coupon or self._was(f"promotion/{code}", at)}
        lists = [one for one in self.lists if self._was(f"list/{one.code}", at)]
        methods = {one.code: one for one in _at(self.past_methods, at)}
        return structs.replace(
            self,
            methods=[methods.get(one.code, one) for one in self.methods],
            promotions=present | {one.code: one for one in _at(self.past_promotions, at)},
            lists=[*lists, *_at(self.past_lists, at)],
        )

    def _was(self, name: str, at: datetime) -> bool:
        return name not in self.since or self.since[name] <= at

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
    lists, promotions = await connection.fetch(SQL["price_lists"]), await connection.fetch(SQL["promotions"])
    since = {f"list/{row['code']}": row["since"] for row in lists} | {
        f"promotion/{row['code']}": row["since"] for row in promotions
    }
    terms = Terms(
        markets={row["code"]: Market(**dict(row)) for row in await connection.fetch(SQL["markets"])},
        lists=[PriceList(**{name: value for name, value in row.items() if name != "since"}) for row in lists],
        rates=Rates(
            Rate(row["base"], row["quote"], row["valid_from"], Fraction(row["rate"]))
            for row in await connection.fetch(SQL["rates"])
        ),
        promotions={
            row["code"]: structs.replace(
                msgspec.json.decode(row["definition"], type=Promotion), active=True, ends_at=row["ends_at"]
            )
            for row in promotions
        },
        zones=[msgspec.json.decode(row["definition"], type=Zone) for row in await connection.fetch(SQL["zones"])],
        methods=[msgspec.json.decode(row["definition"], type=Method) for row in await connection.fetch(SQL["methods"])],
        warehouse_countries=[row["country"] for row in await connection.fetch(SQL["warehouse_countries"], cell)],
        since={name: at for name, at in since.items() if at is not None},
        past_promotions=await _past(connection, "past_promotions", Promotion),
        past_lists=await _past(connection, "past_lists", PriceList),
        past_methods=await _past(connection, "past_methods", Method),
    )
    every_list = [*terms.lists, *(one.was for one in terms.past_lists)]
    every_promotion = [*terms.promotions.values(), *(one.was for one in terms.past_promotions)]
    for_groups = any(one.customer_group for one in every_list) or any(one.customer_groups for one in every_promotion)
    return structs.replace(terms, for_groups=for_groups)


async def _past(connection: Connection, name: str, of: type[T]) -> list[Past[T]]:
    return [
        Past(was=msgspec.json.decode(row["definition"], type=of), since=row["since"], until=row["until"])
        for row in await connection.fetch(SQL[name])
    ]


def _at(past: Sequence[Past[T]], at: datetime) -> list[T]:
    return [one.was for one in past if (one.since is None or one.since <= at) and at < one.until]
