"""Writes what was measured of engines into the technology matrix, role by role, between marks that it knows again."""

import os
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from entrepot.base.errors import BadInputError
from entrepot.bench.engines.figures import Subject, command, figures

PAGE = Path("docs") / "deliverables" / "technology-matrix.md"
_COLUMNS = (
    "product",
    "catching up, cold / warm",
    "question p50 / p99",
    "p99 while rebuilt",
    "rebuilt",
    "memory",
    "disk",
    "back",
)
_MISSING = "-"


def write(found: Sequence[Subject], today: date, loads: tuple[float, float]) -> Path:
    """Put the table of each role that was measured into the page of this checkout, in place of its older one."""
    if not PAGE.is_file():
        raise BadInputError(f"There is no {PAGE} here: run this in a checkout, or leave --write out.")
    text = PAGE.read_text(encoding="utf-8")
    for role in dict.fromkeys(one.role for one in found):
        text = replaced(text, role, table([one for one in found if one.role == role], today, loads))
    PAGE.write_text(text, encoding="utf-8")
    return PAGE


def replaced(text: str, role: str, table: str) -> str:
    """Return the page with this table between the marks of a role, which must be there."""
    marks = re.compile(rf"(<!-- measured: {role} -->\n).*?(<!-- /measured -->)", re.DOTALL)
    if not marks.search(text):
        raise BadInputError(f"{PAGE} has no mark '<!-- measured: {role} -->': put one where its figures belong.")
    return marks.sub(lambda mark: f"{mark[1]}{table}{mark[2]}", text)


def table(found: Sequence[Subject], today: date, loads: tuple[float, float]) -> str:
    """Return a row for each product of one role: its figures, in brackets how many times the embedded one's of that run."""
    reference = next((_by_name(one) for one in found if one.embedded), {})
    amounts = [f"{one.measured.amount:,} {one.measured.unit}" for one in found if one.measured]
    said = (
        f"Measured on {today}, {amounts[0] if amounts else 'nothing'} a generation, on {os.cpu_count()} cores with a load of "
        f"{min(loads):.1f} to {max(loads):.1f}; in brackets the ratio to the embedded engine, in the same run."
    )
    lines = [
        said,
        "",
        _row(_COLUMNS),
        _row(["---"] * len(_COLUMNS)),
        *(_line(one, reference) for one in found),
    ]
    return "\n".join(lines) + "\n"


def _line(one: Subject, reference: dict[str, float]) -> str:
    if one.measured is None:
        return _row([one.name, f"not measured here: `{command(one)}`", *[_MISSING] * (len(_COLUMNS) - 2)])
    seen = _by_name(one)

    def told(name: str) -> str:
        value, beside = seen.get(name), reference.get(name)
        if value is None:
            return _MISSING
        ratio = f" ({value / beside:.2g}x)" if beside and not one.embedded else ""
        return f"{value:,.0f}{ratio}" if abs(value) >= 100 else f"{value:.2g}{ratio}"  # noqa: PLR2004  # two digits say enough

    unit = one.measured.unit
    cells = [
        f"{one.name} {one.version}".strip() + (", embedded" if one.embedded else ""),
        f"{told('catching up, cold')} / {told('catching up')} {unit}/s",
        f"{told('question p50')} / {told('question p99')} ms",
        f"{told('question p99, while rebuilt')} ms",
        f"{told('rebuilt beside readers')} s",
        f"{told('resident memory')} MB",
        f"{told('on disk, three generations')} MB",
        f"{told('answers again after kill -9')} s",
    ]
    return _row([_MISSING if cell.startswith(_MISSING) else cell for cell in cells])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _by_name(one: Subject) -> dict[str, float]:
    return {name: value for name, _, value in figures(one.measured)} if one.measured else {}
