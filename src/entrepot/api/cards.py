"""The card scanner: refuses whatever looks like a card number, in any part of a request, before anything reads it.

What looks like one is said in ``base/cards.py``. A number found is never logged, stored or repeated.
"""

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from entrepot.base.cards import where_cards_are
from entrepot.base.errors import EntrepotError


class CardNumberRefusedError(EntrepotError):
    """A request held what looks like a card number; it was refused unread, and nothing of it was kept."""

    slug = "card-number-refused"
    status = 422
    exit_code = 2


def refuse_cards(place: str, raw: bytes) -> None:
    """Refuse bytes of a request (its body, a header's value) in which something looks like a card number."""
    for field in where_cards_are(raw):
        where = f"{place}, field {field}" if field else place
        raise CardNumberRefusedError(
            f"Something in the {where} looks like a card number, so the request was refused and nothing of it was kept: "
            "card numbers are never taken here, send the token that the payment gateway gave for the card.",
            place=place,
            **({"field": field} if field else {}),
        )


def refuse_cards_in_address(path: str, query: bytes, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse a request whose path, query or header values hold what looks like a card number."""
    if query:
        refuse_cards("query", as_text(query))
    refuse_cards("path", path.encode())
    refuse_cards("headers", b"\n".join([value for _, value in headers]))


def as_text(form: bytes) -> bytes:
    """Return a query or a form as it is meant: spaces are written + there, and anything else may be written %XX."""
    return unquote_to_bytes(form.replace(b"+", b" ")) if b"%" in form or b"+" in form else form
