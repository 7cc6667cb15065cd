"""`entrepot bench NAME`: measures a claim beside its reference, in one run, and prints it as a table or as JSON."""

import importlib
import os
import platform
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
import psutil
import uvloop
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from entrepot.base.errors import BadInputError
from entrepot.base.settled import settled
from entrepot.bench import Row, targets
from entrepot.commerce.approval.production import refuse_at
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
    "collect",
    "search-quality",
    "engines",
    "move",
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
    "collect": "entrepot.bench.collect",
    "search-quality": "entrepot.bench.search_quality",
    "engines": "entrepot.bench.engines.run",
    "move": "entrepot.bench.move",
}
# Those that need no installation: they measure in engines of their own, or in those that they are given.
ALONE: Final = frozenset({"collect", "search-quality", "engines", "move"})


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class OfEngines:
    """What ``engines`` takes alone, and of it ``search-quality`` the product.

    Parameters
    ----------
    role
        engines: a role to measure, such as search; again for more. Without one, those of the products given, else all.
    product
        engines: a product to measure beside the embedded one, ROLE=URL; again for more. It is written to, under names
        of the bench's own. 'make engines' runs some and prints their URLs. search-quality takes search=URL, too.
    folder
        engines: where a given product keeps its data on this machine, ROLE=FOLDER: what that grows by is told.
    share
        engines: how much of the work to do, such as 0.1; the figures of less are worth less.
    kill
        engines: end each server of this machine by kill -9, and tell when it answers again; its keeper must start it.
    write
        engines: put the figures into docs/deliverables/technology-matrix.md of this checkout.
    """

    role: Annotated[list[str] | None, Parameter(negative="")] = None
    product: Annotated[list[str] | None, Parameter(negative="")] = None
    folder: Annotated[list[str] | None, Parameter(negative="")] = None
    share: float = 1.0
    kill: Annotated[bool, Parameter(negative="")] = False
    write: Annotated[bool, Parameter(negative="")] = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class OfMove:
    """What ``move`` takes alone.

    Parameters
    ----------
    to
        move: the URL of the search engine to move to and back from; without one, a second tantivy.
    orders
        move: how many orders are placed a second meanwhile.
    searches
        move: how many searches are asked a second meanwhile.
    """

    to: str = ""
    orders: float = targets.MOVE_ORDERS_PER_SECOND
    searches: float = targets.MOVE_SEARCHES_PER_SECOND


NO_ENGINES, NO_MOVE = OfEngines(), OfMove()


def bench(
    name: Name,
    *,
    json: Annotated[bool, Parameter(negative="")] = False,
    engines: OfEngines = NO_ENGINES,
    move: OfMove = NO_MOVE,
) -> None:
    """Measure one claim on the running engines (``entrepot up`` first); a missed target is shown and is no error.

    Parameters
    ----------
    name
        orders, checkout, flash, promotions, reads, projections, rebuild, sealing, audit, security, privacy, degraded,
        collect, search-quality, engines or move.
    json
        Print one JSON object instead of a table.
    """
    settings = load(os.environ)
    judged = name == "search-quality" and engines == OfEngines(product=engines.product)
    if (engines != NO_ENGINES and name != "engines" and not judged) or (move != NO_MOVE and name != "move"):
        raise BadInputError(f"Only 'bench engines' and 'bench move' take options beside --json, each its own: not {name}.")
    if min(move.orders, move.searches) <= 0:
        raise BadInputError(f"{min(move.orders, move.searches):g} a second is no rate: give --orders and --searches above 0.")
    if name not in ALONE:
        require(settings, "record")
        uvloop.run(refuse_at(settings.engines.record, "bench"))
    module = importlib.import_module(MODULES[name])
    asked: tuple[object, ...] = ()
    if name == "engines":
        limits = {"share": engines.share, "kill": engines.kill, "write": engines.write}
        asked = (module.asked(engines.role, engines.product, engines.folder, **limits),)
    elif judged:
        asked = (module.asked(engines.product or ()),)
    elif name == "move":
        asked = (module.Asked(move.to, move.orders, move.searches),)
    with settled():  # what is placed in process is placed as a process that serves places it
        rows: list[Row] = uvloop.run(module.run(settings, *asked))
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
        table.add_column(column, justify="left" if column in {"", "unit"} else "right", overflow="fold")
    for row in rows:
        met = row.note if row.met is None else "met" if row.met else "missed"
        table.add_row(
            row.name, _figure(row.value), row.unit, _figure(row.reference), _figure(row.ratio), _figure(row.target), met
        )
    Console().print(table)


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004  # three digits either way
