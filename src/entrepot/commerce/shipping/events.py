"""What can have happened to zones and methods. Keys: ``zone/<code>`` and ``shipping-method/<code>``."""

from msgspec import Struct, field

ZONE_SAVED = "shipping.zone_saved.v1"
METHOD_SAVED = "shipping.method_saved.v1"


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A country (``*`` is every one), or of it one region, or the postcodes that begin with one of these."""

    country: str
    region: str = ""
    postcodes: list[str] = field(default_factory=list)


class Bracket(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What parcels of up to so many grams (None: any) and goods of at least so much cost to send."""

    amount_minor: int
    grams_max: int | None = None
    value_from_minor: int = 0


class Days(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many business days it takes from warehouses in a country ('' is any other)."""

    least: int
    most: int
    warehouse_country: str = ""


class ZoneRate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a method costs in one zone, from which value on it is free, and how long it takes."""

    zone: str
    brackets: list[Bracket]
    free_from_minor: int | None = None
    days: list[Days] = field(default_factory=list)


class ZoneSaved(Struct, frozen=True, kw_only=True):
    """A zone as it now is."""

    code: str
    title: str
    places: list[Place]


class MethodSaved(Struct, frozen=True, kw_only=True):
    """A method as it now is; without markets it is for all."""

    code: str
    title: str
    carrier: str
    currency: str
    active: bool
    rates: list[ZoneRate]
    markets: list[str] = field(default_factory=list)
