"""How forms are read: fields as text, numbers as people write them, and the key that makes sending one twice do one thing."""

from typing import Annotated

from litestar.enums import RequestEncodingType
from litestar.params import Body

from entrepot.base.errors import BadInputError
from entrepot.base.limits import IDEMPOTENCY_KEY_CHARS_MAX

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


def key_of(data: dict[str, str]) -> str:
    """Return the key that came with a form: a page gives each of its forms one, so that sending it twice does it once."""
    return f"console/{text(data, 'key')}"[:IDEMPOTENCY_KEY_CHARS_MAX]
