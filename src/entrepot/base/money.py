"""Money: whole minor units and a currency; rounding happens in ``to_minor`` and nowhere else."""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from typing import NewType

from babel.numbers import get_currency_precision, is_currency
from msgspec import Struct

from entrepot.base.errors import BadInputError

Currency = NewType("Currency", str)
Minor = NewType("Minor", int)


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
    if not is_currency(code):
        raise BadInputError(f"{code!r} is no ISO 4217 currency code: use one such as GBP, EUR or JPY.", currency=code)
    return Currency(code)


@lru_cache
def digits(of: Currency) -> int:
    """Return how many digits the minor unit has (GBP 2, JPY 0, KWD 3), by CLDR."""
    return get_currency_precision(of)


def to_minor(amount: Decimal, of: Currency) -> Minor:
    """Round an amount in major units to whole minor units, half to even: the only rounding of money in this code base."""
    try:
        return Minor(int((amount * 10 ** digits(of)).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)))
    except (InvalidOperation, ValueError) as error:  # ValueError: NaN has no integer
        raise BadInputError(f"{amount} is no amount of {of}: give a finite number.", amount=str(amount)) from error


def to_major(minor: int, of: Currency) -> Decimal:
    """Return the amount in major units, exactly."""
    return Decimal(minor).scaleb(-digits(of))
