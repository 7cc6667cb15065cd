"""Pure: what one currency is worth in another at a moment, by the rates that were set."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from entrepot.base.errors import ConflictError
from entrepot.base.money import Currency, Minor, exchanged

_SHOWN = Decimal("0.000001")


class Rate(Struct, frozen=True):
    """What one unit of ``base`` is worth in units of ``quote`` from a moment on."""

    base: str
    quote: str
    valid_from: datetime
    value: Fraction


class RateMissingError(ConflictError):
    """No rate between two currencies is known for the moment."""

    slug = "rate-missing"

    def __init__(self, of: str, to: str) -> None:
        super().__init__(f"No rate from {of} to {to} is known for that moment: set one first.", base=of, quote=to)


class Rates:
    """All the rates that are known, to be asked for any moment."""

    def __init__(self, rates: Iterable[Rate] = ()) -> None:
        self._by_pair: dict[tuple[str, str], list[Rate]] = defaultdict(list)
        for rate in sorted(rates, key=lambda one: one.valid_from):
            self._by_pair[rate.base, rate.quote].append(rate)
        self._beside: dict[str, set[str]] = defaultdict(set)
        for base, quote in list(self._by_pair):
            self._beside[base].add(quote)
            self._beside[quote].add(base)

    def at(self, of: str, to: str, at: datetime) -> Fraction:
        """Return the rate between two currencies: as it was set, or set the other way round, or over one third currency."""
        if of == to:
            return Fraction(1)
        direct = self._direct(of, to, at)
        if direct is not None:
            return direct
        for third in sorted(self._beside[of] & self._beside[to]) if of in self._beside and to in self._beside else ():
            first, second = self._direct(of, third, at), self._direct(third, to, at)
            if first is not None and second is not None:
                return first * second
        raise RateMissingError(of, to)

    def convert(self, minor: int, of: str, to: str, at: datetime, *, cash: bool = False) -> Minor:
        """Return an amount in another currency; ``cash``: rounded to what can be paid in coins, as prices are."""
        if of == to:
            return Minor(minor)
        return exchanged(minor, Currency(of), Currency(to), self.at(of, to, at), cash=cash)

    def spoken(self, of: str, to: str, at: datetime) -> str:
        """Return the rate as sentences for people say it, to six digits: ``1 GBP = 1.068966 CHF``."""
        rate = self.at(of, to, at)
        return f"1 {of} = {(Decimal(rate.numerator) / rate.denominator).quantize(_SHOWN).normalize():f} {to}"

    def _direct(self, of: str, to: str, at: datetime) -> Fraction | None:
        if (found := _latest(self._by_pair.get((of, to), []), at)) is not None:
            return found
        back = _latest(self._by_pair.get((to, of), []), at)
        return None if back is None else 1 / back


def _latest(rates: list[Rate], at: datetime) -> Fraction | None:
    place = bisect_right(rates, at, key=lambda one: one.valid_from)
    return rates[place - 1].value if place else None
