"""How forms are read: fields as text, numbers as people write them, and the key that makes sending one twice do one thing."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated

from litestar.enums import RequestEncodingType
from litestar.params import Body

from entrepot.api.parts import Parts
from entrepot.api.principal import bound
from entrepot.base.errors import BadInputError
from entrepot.base.limits import IDEMPOTENCY_KEY_CHARS_MAX
from entrepot.base.money import Currency, to_minor

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]

_DIGITS_MAX = 9


def text(data: dict[str, str], name: str) -> str:
    """Return what was typed into a field, without the blanks around it."""
    return data.get(name, "").strip()


def whole_number(data: dict[str, str], name: str) -> int:
    """Return the whole number in a field; what is none is refused with what was typed."""
    typed = text(data, name)
    if not (typed.isascii() and typed.isdecimal()) or len(typed) > _DIGITS_MAX:
        raise BadInputError(f"{typed[:40]!r} is no number of pieces: write a whole number.", field=name)
    return int(typed)


def money(data: dict[str, str], name: str, currency: str) -> int:
    """Return the amount in a field in minor units, as people write it: 1250, 19.99 or 19,99."""
    typed = text(data, name)
    try:
        return to_minor(Decimal(typed.replace(",", ".").replace(" ", "")), Currency(currency))
    except InvalidOperation as error:
        raise BadInputError(f"The amount {typed[:40]!r} cannot be read: write a number, such as 19.99.", field=name) from error


def money_or_none(data: dict[str, str], name: str, currency: str) -> int | None:
    """Return the amount in a field in minor units; None where nothing was typed."""
    return money(data, name, currency) if text(data, name) else None


def day(data: dict[str, str], name: str) -> date:
    """Return the day in a field."""
    typed = text(data, name)
    try:
        return date.fromisoformat(typed)
    except ValueError as error:
        raise BadInputError(f"{typed[:40]!r} is no day: write year-month-day, such as 2026-03-31.", field=name) from error


def key_of(data: dict[str, str], parts: Parts) -> str:
    """Return the key that came with a form: a page gives each of its forms one, so that sending it twice does it once.

    It is its sender's own, as one that comes by header is: the same key from somebody else is another.
    """
    return bound(parts.who, f"console/{text(data, 'key')}".encode()).decode()[:IDEMPOTENCY_KEY_CHARS_MAX]
