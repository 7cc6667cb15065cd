"""What may become of an erasure, what it waits for, and what of a person is searched for afterwards. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base.machine import Machine
from entrepot.privacy.scan.needles import NEEDLE_CHARS_MIN

State: TypeAlias = Literal["asked", "withdrawn", "erased", "cleared", "certified", "found"]

ERASURE = Machine(
    "erasure",
    {
        "asked": ("withdrawn", "erased"),
        "withdrawn": (),
        "erased": ("cleared",),
        "cleared": ("certified", "found"),
        "found": ("certified", "found"),
        "certified": (),
    },
)

# What is searched for, of all that was sealed: what points to one person. A city, a country and a browser point to thousands.
_SEARCHED = frozenset({"email", "name", "phone", "line1", "line2"})
_FIELDS: Final[Mapping[str, str]] = {
    "identity.login.email": "email",
    "identity.person.name": "name",
    "identity.person.phone": "phone",
    "business.buyer.name_sealed": "name",
    "business.buyer.email_sealed": "email",
}


class Held(Struct, frozen=True):
    """What is kept although its person is forgotten: by which law, until when, and that nobody is named in it."""

    what: str
    law: str
    until: str


HELD: Final = (
    Held(
        "orders, returns, payments and ledger: amounts, articles and country, without the person",
        "Council Directive 2006/112/EC, Art. 244 and 247; in Germany section 147 AO and section 257 HGB",
        "10 years after the order",
    ),
    Held(
        "invoices and credit notes to companies, as they were sent",
        "Council Directive 2006/112/EC, Art. 226 and 244",
        "10 years after the invoice",
    ),
    Held(
        "the log and the audit, which know the person by a pseudonym that stands for nobody any more",
        "Regulation (EU) 2016/679, Art. 5(2) and 17(3)(b): proof that the erasure was done",
        "as long as the log and the audit",
    ),
)


class Waiting(Struct, frozen=True):
    """What is still under way for somebody: it has to end before they can be forgotten."""

    checkouts: int
    subscriptions: int
    returns: int
    disputes: int
    holds: int


def waits_for(waiting: Waiting) -> str:
    """Say what has to end first; empty when nothing has to."""
    counted = {
        "checkouts": (waiting.checkouts, "they end by themselves within the hour"),
        "subscriptions": (waiting.subscriptions, "cancel them and let them end"),
        "returns": (waiting.returns, "inspect or reject them"),
        "disputes": (waiting.disputes, "their gateway decides them"),
        "legal holds": (waiting.holds, "see 'entrepot privacy holds'"),
    }
    return "; ".join(f"{count} {name} under way: {advice}" for name, (count, advice) in counted.items() if count)


def is_due(state: State, due_at: datetime, now: datetime) -> bool:
    """Say whether there is something to be done about an erasure now."""
    return bool(ERASURE.moves[state]) and (state != "asked" or due_at <= now)


def searched(opened: Iterable[tuple[str, str]]) -> list[str]:
    """Return the values to be searched for, of fields as they were opened: each once, the short ones left out."""
    found = {value.strip() for field, text in opened for value in _values(field, text)}
    return sorted(value for value in found if len(value) >= NEEDLE_CHARS_MIN)


def _values(field: str, text: str) -> Iterator[str]:
    if field in _FIELDS:
        yield text
    elif text.startswith("{"):
        yield from _of_struct(msgspec.json.decode(text))


def _of_struct(struct: object) -> Iterator[str]:
    if isinstance(struct, dict):
        for name, value in struct.items():
            if isinstance(value, str) and name in _SEARCHED:
                yield value
            elif isinstance(value, list) and name == "lines":
                yield from (line for line in value if isinstance(line, str))
            else:
                yield from _of_struct(value)
    elif isinstance(struct, list):
        for one in struct:
            yield from _of_struct(one)


def key_of(subject: UUID) -> str:
    """Return the key of a person's events."""
    return f"person/{subject}"
