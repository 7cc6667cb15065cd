"""Which language a visitor reads what the catalogue says in: what the browser asks for. The console itself speaks English."""

import re
from typing import Any

from litestar import Request

LOCALE = "en"

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def locale_of(request: Request[Any, Any, Any]) -> str:
    """Return the language that the visitor's browser likes best."""
    return preferred(request.headers.get("accept-language", ""))


def preferred(header: str) -> str:
    """Return the language that an ``Accept-Language`` likes best, the first of equals; English where it names none."""
    best, best_weight = LOCALE, 0.0
    for part in header.split(","):
        tag, _, weighed = (piece.strip() for piece in part.partition(";"))
        weight = _weight(weighed)
        if weight > best_weight and _TAG.fullmatch(tag):
            best, best_weight = tag, weight
    return best


def _weight(weighed: str) -> float:
    try:
        return float(weighed.removeprefix("q=")) if weighed else 1.0
    except ValueError:
        return 0.0
