"""Pure decisions of shipping: which zone an address lies in, what a method costs there, and by when it arrives."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, CannotShipError
from entrepot.base.money import currency
from entrepot.commerce.shipping.events import Bracket, Days, MethodSaved, Place, ZoneRate, ZoneSaved

Zone = ZoneSaved
Method = MethodSaved
Convert = Callable[[int, str], int]

ANYWHERE = "*"
_CODE_CHARS_MAX = 40
_SATURDAY = 5
_DAYS_HELD_MAX = 1_024  # everybody asks for the same few days


class Destination(Struct, frozen=True):
    """Where a parcel goes, as far as prices depend on it."""

    country: str
    region: str = ""
    postcode: str = ""


class Parcel(Struct, frozen=True):
    """What is to be sent: its weight, and what the goods cost after discounts, in the quote's currency."""

    grams: int
    value_minor: int


class Offered(Struct, frozen=True, kw_only=True):
    """A method that goes there: what it costs in the quote's currency, and between which days it arrives."""

    method: str
    title: str
    carrier: str
    amount_minor: int
    list_minor: int
    earliest: date | None = None
    latest: date | None = None


def zone_of(zones: Iterable[Zone], to: Destination) -> Zone | None:
    """Return the zone that says most exactly where this is: by postcode, else region, else country, else everywhere."""
    found = [(_exactness(place, to), zone) for zone in zones for place in zone.places]
    fits = [(exactness, zone.code, zone) for exactness, zone in found if exactness]
    return max(fits, key=lambda fit: (fit[0], fit[1]))[2] if fits else None


def offers(
    methods: Iterable[Method], zones: Iterable[Zone], to: Destination, parcel: Parcel, *,
    market: str, warehouse_countries: Sequence[str], at: datetime, convert: Convert,
) -> list[Offered]:  # fmt: skip
    """Return every method that goes there with this parcel, the cheapest first; none is refused with the address."""
    zone = zone_of(zones, to)
    found = []
    for method in methods:
        if not method.active or (method.markets and market not in method.markets) or zone is None:
            continue
        rate = next((rate for rate in method.rates if rate.zone == zone.code), None)
        bracket = None if rate is None else _bracket(rate, parcel, convert, method.currency)
        if rate is None or bracket is None:
            continue
        price = convert(bracket.amount_minor, method.currency)
        free = rate.free_from_minor is not None and parcel.value_minor >= convert(rate.free_from_minor, method.currency)
        earliest, latest = promise(rate, warehouse_countries, at)
        found.append(
            Offered(
                method=method.code, title=method.title, carrier=method.carrier, amount_minor=0 if free else price,
                list_minor=price, earliest=earliest, latest=latest,
            )
        )  # fmt: skip
    if not found:
        raise CannotShipError(to.country, to.region, to.postcode, grams=parcel.grams)
    return sorted(found, key=lambda one: (one.amount_minor, one.latest or date.max, one.method))


def choose(offered: Sequence[Offered], wanted: str | None) -> Offered:
    """Return the method wanted, or the cheapest; one that does not go there is refused with those that do."""
    if wanted is None:
        return offered[0]
    for one in offered:
        if one.method == wanted:
            return one
    possible = ", ".join(one.method for one in offered)
    raise BadInputError(
        f"The shipping method {wanted!r} does not go there: choose one of {possible}.", field="shipping_method", value=wanted
    )


def promise(rate: ZoneRate, warehouse_countries: Sequence[str], at: datetime) -> tuple[date | None, date | None]:
    """Return the first and the last day on which it arrives, from whichever of these countries it may be sent."""
    days = [found for country in warehouse_countries or [""] if (found := _days(rate.days, country))]
    if not days:
        return None, None
    return (
        business_days_after(at.date(), min(one.least for one in days)),
        business_days_after(at.date(), max(one.most for one in days)),
    )


@lru_cache(maxsize=_DAYS_HELD_MAX)
def business_days_after(day: date, count: int) -> date:
    """Return the day that many working days later, Monday to Friday (public holidays are not known here)."""
    weeks, rest = divmod(count, _SATURDAY)
    if day.weekday() >= _SATURDAY:  # what is ordered at the weekend is ordered on its Friday
        day -= timedelta(days=day.weekday() - _SATURDAY + 1)
    over_weekend = day.weekday() + rest >= _SATURDAY
    return day + timedelta(weeks=weeks, days=rest + (2 if over_weekend else 0))


def check_zone(zone: Zone) -> None:
    """Refuse a zone that cannot be: no places, or a country that is no code."""
    _check_code("zone", zone.code)
    if not zone.places:
        raise BadInputError(f"The zone {zone.code} has no places: name at least one country.", field="places")
    for place in zone.places:
        if place.country != ANYWHERE:
            check_country(place.country)


def check_method(method: Method, zones: Iterable[str]) -> None:
    """Refuse a method that cannot be: unknown zones, no brackets, amounts or days out of range."""
    _check_code("shipping method", method.code)
    currency(method.currency)
    known = set(zones)
    for rate in method.rates:
        if rate.zone not in known:
            have = ", ".join(sorted(known)) or "none yet"
            raise BadInputError(f"There is no zone {rate.zone!r} (known: {have}): make it first.", zone=rate.zone)
        if not rate.brackets:
            raise BadInputError(f"The method {method.code} has no brackets in {rate.zone}: say what it costs.", zone=rate.zone)
        for amount in [*(b.amount_minor for b in rate.brackets), *(b.value_from_minor for b in rate.brackets)]:
            _check_amount(amount)
        _check_amount(rate.free_from_minor or 0)
        for days in rate.days:
            if not 0 <= days.least <= days.most <= limits.DELIVERY_DAYS_MAX:
                raise BadInputError(
                    f"{days.least} to {days.most} business days cannot be: least to most, {limits.DELIVERY_DAYS_MAX} at most.",
                    field="days",
                )


def check_country(country: str) -> None:
    """Refuse what is no ISO 3166-1 alpha-2 code."""
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):  # noqa: PLR2004  # alpha-2
        raise BadInputError(
            f"{country!r} is no country code: use two capital letters (ISO 3166-1), such as GB.", country=country
        )


def _exactness(place: Place, to: Destination) -> int:
    """Return 0 when the address does not lie there, else more the more exactly the place says it."""
    if place.country == ANYWHERE:
        return 1
    if place.country != to.country:
        return 0
    if place.region and place.region != to.region:
        return 0
    if not place.postcodes:
        return 3 if place.region else 2
    postcode = to.postcode.replace(" ", "").upper()
    fits = [len(start) for start in place.postcodes if postcode.startswith(start.replace(" ", "").upper())]
    return 3 + max(fits) if fits else 0


def _bracket(rate: ZoneRate, parcel: Parcel, convert: Convert, of: str) -> Bracket | None:
    """Return the bracket of the highest value reached, among those the lightest that holds the parcel; None is too heavy."""
    best: tuple[tuple[int, int, int], Bracket] | None = None
    for bracket in rate.brackets:
        grams_max = limits.GRAMS_MAX if bracket.grams_max is None else bracket.grams_max
        # Most brackets begin at nothing, which is nothing in any currency.
        value_from = bracket.value_from_minor and convert(bracket.value_from_minor, of)
        fits = parcel.grams <= grams_max and parcel.value_minor >= value_from
        rank = (value_from, -grams_max, -bracket.amount_minor)
        if fits and (best is None or rank > best[0]):
            best = (rank, bracket)
    return None if best is None else best[1]


def _days(days: Sequence[Days], country: str) -> Days | None:
    exact = next((one for one in days if one.warehouse_country == country), None)
    return exact or next((one for one in days if not one.warehouse_country), None)


def _check_code(what: str, code: str) -> None:
    if not (1 <= len(code) <= _CODE_CHARS_MAX and code.replace("-", "").isalnum() and code == code.lower()):
        raise BadInputError(
            f"The code {code[:_CODE_CHARS_MAX]!r} of a {what} is not usable: 1 to {_CODE_CHARS_MAX} lower-case letters, digits "
            "and hyphens.",
            code=code,
        )


def _check_amount(amount: int) -> None:
    if not 0 <= amount <= limits.MINOR_MAX:
        raise BadInputError(f"The amount {amount} is out of range: 0 to {limits.MINOR_MAX}.", amount_minor=amount)
