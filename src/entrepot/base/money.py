"""Money: whole minor units and a currency; rounding happens in ``rounded`` and nowhere else."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NewType

from babel.core import get_global
from babel.numbers import is_currency
from msgspec import Struct

from entrepot.base.errors import BadInputError

Currency = NewType("Currency", str)
Minor = NewType("Minor", int)

# ISO 4217 has codes for no currency, and for tests.
_NO_MONEY = frozenset({"XXX", "XTS"})

# Beyond this many digits before the point nothing is meant as money, and arithmetic would only take time.
_DIGITS_MAX = 28


class Money(Struct, frozen=True, order=True):
    """An amount in whole minor units (pence, cents, yen) of one currency."""

    minor: int
    currency: Currency

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise BadInputError(f"{self.currency} and {other.currency} cannot be added: convert one first.")
        return Money(self.minor + other.minor, self.currency)


@lru_cache
def currency(code: str) -> Currency:
    """Return the ISO 4217 currency of this code, or refuse it by name."""
    if not is_currency(code) or code in _NO_MONEY:
        raise BadInputError(f"{code!r} is no ISO 4217 currency code: use one such as GBP, EUR or JPY.", currency=code)
    return Currency(code)


@lru_cache
def digits(of: Currency) -> int:
    """Return how many digits the minor unit has (GBP 2, JPY 0, KWD 3), by CLDR."""
    return _fractions(of)[0]


@lru_cache
def cash_step(of: Currency) -> int:
    """Return the smallest amount that can be paid in cash, in minor units (CHF 5, SEK 100, EUR 1), by CLDR."""
    minor_digits, _, cash_digits, cash_rounding = _fractions(of)
    step: int = max(cash_rounding, 1) * 10 ** (minor_digits - cash_digits)
    return step


def rounded(numerator: int, denominator: int, step: int = 1) -> Minor:
    """Divide, half to even, to whole minor units or whole steps of them: the only rounding of money in this code base."""
    whole, rest = divmod(numerator, denominator * step)
    half = 2 * rest - denominator * step
    return Minor((whole + (half > 0 or (half == 0 and whole % 2 == 1))) * step)


def to_minor(amount: Decimal, of: Currency, *, cash: bool = False) -> Minor:
    """Round an amount in major units to whole minor units; ``cash``: to what can be paid in coins (CHF 0.05)."""
    if not amount.is_finite() or amount.adjusted() > _DIGITS_MAX:
        raise BadInputError(f"{amount} is no amount of {of}: give a finite number.", amount=str(amount))
    if amount.adjusted() < -_DIGITS_MAX:
        return Minor(0)
    numerator, denominator = amount.as_integer_ratio()
    return rounded(numerator * 10 ** digits(of), denominator, cash_step(of) if cash else 1)


def to_major(minor: int, of: Currency) -> Decimal:
    """Return the amount in major units, exactly."""
    return Decimal(minor).scaleb(-digits(of))


def exchanged(minor: int, of: Currency, to: Currency, rate: Fraction, *, cash: bool = False) -> Minor:
    """Return what an amount is in another currency, one unit of the first being ``rate`` units of the second."""
    numerator = minor * rate.numerator * 10 ** digits(to)
    return rounded(numerator, rate.denominator * 10 ** digits(of), cash_step(to) if cash else 1)


def spoken(minor: int, of: Currency) -> str:
    """Return an amount as sentences for people say it: ``12.50 GBP``."""
    return f"{to_major(minor, of):f} {of}"


def apportion(whole: int, weights: Sequence[int], ties: Sequence[object] | None = None) -> list[int]:
    """Divide a whole amount in proportion to weights so that the parts sum to it, by largest remainder.

    Among equal remainders the largest in ``ties`` (else the earliest) gets the unit. No part exceeds its weight when the whole
    does not exceed their sum.
    """
    total = sum(weights)
    if total == 0 or whole == 0:
        assert whole == 0, "nothing to apportion to"
        return [0] * len(weights)
    parts = [whole * weight // total for weight in weights]
    left = whole - sum(parts)
    if left:
        remainders = [whole * weight % total for weight in weights]
        order = sorted(range(len(weights)), key=lambda n: (remainders[n], ties[n] if ties else -n), reverse=True)
        for place in order[:left]:
            parts[place] += 1
    return parts


def _fractions(of: str) -> tuple[int, int, int, int]:
    """Return digits, rounding, digits in cash and rounding in cash of a currency, as CLDR has them."""
    every = get_global("currency_fractions")
    found: tuple[int, int, int, int] = every.get(of, every["DEFAULT"])
    return found
