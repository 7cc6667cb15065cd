"""Turns templates and what they show into pages: one environment, escaped by default, with the formats of numbers and times."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from uuid import UUID

import jinja2
import msgspec
from babel.dates import format_date, format_datetime
from babel.numbers import format_compact_decimal, format_currency, format_decimal
from litestar import Response
from msgspec import Struct

from entrepot import __version__
from entrepot.api.watching import watches
from entrepot.base.money import Currency, to_major
from entrepot.base.time import Clock, SystemClock, utc
from entrepot.console.assets import address

LOCALE = "en_GB"
LAG_TENTHS_BELOW = 10
UNITS = (("days", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


class Room(Struct, frozen=True):
    """A part of the console as the bar names it."""

    key: str
    name: str
    href: str


class Page(Struct, frozen=True, kw_only=True):
    """What every page knows: its room, when it was rendered, the visitor's pieces, whether they may watch the house."""

    room: str
    now: datetime
    pieces: int = 0
    watches: bool = False
    language: str = "en"
    theme: str = ""


ROOMS = (
    Room("store", "Store", "/"),
    Room("account", "Account", "/account"),
    Room("orders", "Orders", "/orders"),
    Room("office", "Office", "/office"),
    Room("sellers", "Sellers", "/sellers"),
    Room("sales", "Sales", "/sales"),
    Room("behaviour", "Behaviour", "/behaviour"),
    Room("engine-room", "Engine room", "/engine-room"),
)


def page(
    template: str,
    room: str,
    context: Mapping[str, object],
    *,
    status: int = 200,
    pieces: int = 0,
    clock: Clock | None = None,
) -> Response[str]:
    """Return a page; it is never kept by a cache, since it says how things are now."""
    head = Page(room=room, now=utc((clock or SystemClock()).millis()), pieces=pieces, watches=watches.get())
    text = environment().get_template(template).render({**context, "page": head})
    headers = {"Cache-Control": "no-store"}
    return Response(text, status_code=status, media_type="text/html", headers=headers)


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """Return the environment of templates."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("entrepot.console"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(asset=address, rooms=ROOMS, version=__version__)
    made.filters.update(
        whole=whole,
        compact=compact,
        money=amount,
        major=major,
        moment=moment,
        dated=dated,
        instant=instant,
        since=since,
        span=span,
        short=short,
        lag=lag,
        decimal=decimal,
        day=day,
        id=UUID,
        json=json,
    )
    return made


def whole(number: int) -> str:
    """Return a whole number with its thousands apart."""
    return format_decimal(number, locale=LOCALE)


def decimal(number: float, digits: int = 1) -> str:
    """Return a number with so many digits after the point."""
    return format_decimal(round(number, digits), format=f"#,##0.{'0' * digits}" if digits else "#,##0", locale=LOCALE)


def compact(number: float) -> str:
    """Return a number in few characters: 1.2K, 3.4M."""
    return format_compact_decimal(number, locale=LOCALE, fraction_digits=1)


def amount(minor: int, currency: str) -> str:
    """Return an amount with its currency."""
    return format_currency(to_major(minor, Currency(currency)), currency, locale=LOCALE)


def major(minor: int | None, currency: str) -> str:
    """Return an amount as one types it into a field; nothing for none."""
    return "" if minor is None else str(to_major(minor, Currency(currency)))


def moment(at: datetime) -> str:
    """Return a moment with its zone."""
    return format_datetime(at.astimezone(UTC), "d MMM y, HH:mm:ss 'UTC'", locale=LOCALE)


def dated(on: date) -> str:
    """Return a day, as a document bears it."""
    return format_date(on, "d MMMM y", locale=LOCALE)


def day(on: date) -> str:
    """Return a day as people plan by it: Tue 3 Mar."""
    return format_date(on, "EEE d MMM", locale=LOCALE)


def instant(at: datetime) -> str:
    """Return a moment as machines read it (for ``<time datetime>``)."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def since(at: datetime, now: datetime) -> str:
    """Return how long ago a moment was: 3 s ago."""
    return f"{span((now - at).total_seconds())} ago"


def json(value: object) -> str:
    """Return a value as JSON for people."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def short(id_: UUID) -> str:
    """Return the end of an id, which tells two of the same moment apart."""
    return str(id_)[-12:]


def lag(seconds: float) -> str:
    """Return how far behind something is, to a tenth of a second while it is short."""
    return span(seconds) if seconds >= LAG_TENTHS_BELOW else f"{seconds:.1f} s"


def span(seconds: float) -> str:
    """Return a length of time in its largest unit: 3 s, 5 min, 2 days."""
    if abs(seconds) < 1:
        return f"{seconds * 1000:.0f} ms"
    for unit, size in UNITS:
        if abs(seconds) >= 1.5 * size or size == 1:  # below one and a half, the smaller unit says more
            return f"{seconds / size:.0f} {unit}"
    raise AssertionError(seconds)
