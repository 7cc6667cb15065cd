"""`entrepot bench NAME`: measures a claim beside its reference, in one run, and prints it as a table or as JSON."""

import importlib
import os
import platform
from typing import Annotated, Final, Literal

import msgspec
import psutil
import uvloop
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from entrepot.bench import Row
from entrepot.settings import load, require

Name = Literal[
    "orders",
    "checkout",
    "flash",
    "promotions",
    "reads",
    "projections",
    "rebuild",
    "sealing",
    "audit",
    "security",
    "privacy",
    "degraded",
    "search-quality",
]

MODULES: Final[dict[Name, str]] = {
    "orders": "entrepot.bench.orders",
    "checkout": "entrepot.bench.checkout",
    "flash": "entrepot.bench.flash",
    "promotions": "entrepot.bench.promotions",
    "reads": "entrepot.bench.reads",
    "projections": "entrepot.bench.projections",
    "rebuild": "entrepot.bench.rebuild",
    "sealing": "entrepot.bench.sealing",
    "audit": "entrepot.bench.audit",
    "security": "entrepot.bench.security",
    "privacy": "entrepot.bench.privacy",
    "degraded": "entrepot.bench.degraded",
    "search-quality": "entrepot.bench.search_quality",
}


def bench(name: Name, *, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Measure one claim on the running engines (``entrepot up`` first); a missed target is shown and is no error.

    Parameters
    ----------
    name
        orders, checkout, flash, promotions, reads, projections, rebuild, sealing, audit, security, privacy, degraded or
        search-quality.
    json
        Print one JSON object instead of a table.
    """
    settings = load(os.environ)
    if name != "search-quality":
        require(settings, "record")
    module = importlib.import_module(MODULES[name])
    rows: list[Row] = uvloop.run(module.run(settings))
    if json:
        print(msgspec.json.encode({"bench": name, "machine": _machine(), "rows": rows}).decode())
    else:
        _print(name, rows)


def _machine() -> dict[str, object]:
    return {
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": [round(part, 2) for part in os.getloadavg()],
    }


def _print(name: str, rows: list[Row]) -> None:
    table = Table(title=f"bench {name}")
    for column in ("", "value", "unit", "reference", "ratio", "target", ""):
        table.add_column(column, justify="left" if column in {"", "unit"} else "right")
    for row in rows:
        met = "" if row.met is None else "met" if row.met else "missed"
        table.add_row(
            row.name, _figure(row.value), row.unit, _figure(row.reference), _figure(row.ratio), _figure(row.target), met
        )
    Console().print(table)


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004  # three digits either way
