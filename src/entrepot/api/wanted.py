"""What a buyer looks for, as a query string says it; the API and the store's pages read it alike.

``q``, ``locale``, ``market``, ``sort``, ``cursor``, ``limit``; ``brand``, ``category`` and ``attributes.<name>`` may come
several times (any of them will do); ``price`` and ``numbers.<name>`` are ranges ``low..below``, either side may be left out.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args
from uuid import UUID

from entrepot.base.errors import BadInputError
from entrepot.base.limits import MINOR_MAX, PAGE_ITEMS_MAX, QUERY_CHARS_MAX
from entrepot.projections.product_search.query import SortBy, Wanted

TEXTS, NUMBERS = "attributes.", "numbers."
FILTERS_MAX = 100

_SORTS: tuple[str, ...] = get_args(SortBy)
_KNOWN = {"q", "locale", "market", "sort", "cursor", "limit", "brand", "category", "price"}


def read(pairs: Iterable[tuple[str, str]], *, market: str, locale: str = "en", facets: bool = True, limit: int = 24) -> Wanted:
    """Return what is wanted; a part that cannot be meant is refused by name."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in _KNOWN and (not name.startswith((TEXTS, NUMBERS)) or name in {TEXTS, NUMBERS}):
            known = ", ".join(sorted(_KNOWN))
            raise BadInputError(
                f"The parameter {name!r} is unknown: use {known}, {TEXTS}<name> or {NUMBERS}<name>.", field=name
            )
        if value:
            given.setdefault(name, []).append(value)
    if sum(map(len, given.values())) > FILTERS_MAX:
        raise BadInputError(f"More than {FILTERS_MAX} parameters were given: choose fewer.")
    text, sort = _one(given, "q"), _one(given, "sort", "relevance")
    if len(text) > QUERY_CHARS_MAX:
        raise BadInputError(f"The text has {len(text)} characters: {QUERY_CHARS_MAX} at most.", field="q")
    if sort not in _SORTS:
        raise BadInputError(f"The order {sort!r} is unknown: use {', '.join(_SORTS)}.", field="sort", value=sort)
    low, below = _range("price", _one(given, "price"))
    numbers = {
        name.removeprefix(NUMBERS): _range(name, values[0]) for name, values in given.items() if name.startswith(NUMBERS)
    }
    return Wanted(
        text=text,
        locale=_one(given, "locale", locale),
        market=_one(given, "market", market),
        brands=tuple(given.get("brand", ())),
        categories=tuple(_category(name) for name in given.get("category", ())),
        attributes={name.removeprefix(TEXTS): tuple(values) for name, values in given.items() if name.startswith(TEXTS)},
        numbers=numbers,
        price_low=_minor(low),
        price_below=_minor(below),
        sort=sort,  # type: ignore[arg-type]  # is one of them: see above
        limit=_limit(_one(given, "limit"), limit),
        cursor=_one(given, "cursor"),
        facets=facets,
    )


def _one(given: Mapping[str, Sequence[str]], name: str, default: str = "") -> str:
    values = given.get(name, ())
    if len(values) > 1:
        raise BadInputError(f"The parameter {name} comes {len(values)} times: give it once.", field=name)
    return values[0] if values else default


def _category(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadInputError(f"{text!r} is no category id: use a UUID.", field="category", value=text) from error


def _range(name: str, text: str) -> tuple[float | None, float | None]:
    if not text:
        return None, None
    low, dots, below = text.partition("..")
    try:
        bounds = (float(low) if low else None, float(below) if below else None)
    except ValueError:
        bounds = (math.nan, None)
    if not dots or any(bound is not None and not math.isfinite(bound) for bound in bounds):
        raise BadInputError(f"The range {text!r} of {name} cannot be read: write low..below, such as 10..20.", field=name)
    if bounds[0] is not None and bounds[1] is not None and bounds[0] > bounds[1]:
        raise BadInputError(f"The range {text!r} of {name} holds nothing: write the lower bound first.", field=name)
    return bounds


def _minor(bound: float | None) -> int | None:
    """Return a bound of prices in whole minor units; beyond every price there can be, just beyond it."""
    return None if bound is None else math.ceil(min(max(bound, 0), MINOR_MAX + 1))


def _limit(text: str, default: int) -> int:
    if not text:
        return default
    if not text.isdecimal() or len(text) > len(str(PAGE_ITEMS_MAX)) or not 1 <= int(text) <= PAGE_ITEMS_MAX:
        raise BadInputError(f"The limit {text!r} is not possible: 1 to {PAGE_ITEMS_MAX}.", field="limit", value=text)
    return int(text)
