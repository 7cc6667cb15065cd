"""Regions of the world by whose law personal data may lie somewhere or not: of a country, and where its people's rows may live.

Coarse on purpose: a region is a body of law on data, not a continent. Whoever sells where more is asked adds it here.
"""

from collections.abc import Mapping
from typing import Final

# The European Economic Area: one law (Regulation (EU) 2016/679).
_EEA = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
_COUNTRIES: Final = {
    **dict.fromkeys(_EEA.split(), "eu"),
    **dict.fromkeys(("GB", "GG", "IM", "JE"), "uk"),
    "CH": "ch",
    "US": "us",
    "CN": "cn",
    "RU": "ru",
}
WORLD = "world"

# Where people's rows may live beside their own region. Between eu, uk and ch there are decisions of adequacy (2021/1772,
# 2000/518/EC and theirs in return); cn and ru keep theirs at home (PIPL Art. 40, 242-FZ); the others set no bound.
_ANYWHERE: Final = frozenset({"eu", "uk", "ch", "us", "cn", "ru", WORLD})
LIVES_IN: Final[Mapping[str, frozenset[str]]] = {
    "eu": frozenset({"eu", "uk", "ch"}),
    "uk": frozenset({"eu", "uk", "ch"}),
    "ch": frozenset({"eu", "uk", "ch"}),
    "cn": frozenset({"cn"}),
    "ru": frozenset({"ru"}),
    "us": _ANYWHERE,
    WORLD: _ANYWHERE,
}


def region_of(country: str) -> str:
    """Return the region of a country (ISO 3166, two letters); of none, none."""
    return _COUNTRIES.get(country, WORLD) if country else ""


def taken_in(region: str) -> list[str]:
    """Return the regions whose people may be kept by a cell in this one."""
    return sorted(one for one, places in LIVES_IN.items() if region in places)
