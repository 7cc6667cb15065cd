"""Writes the pages that are made from the code, so that they cannot say anything else; ``make docs`` runs it.

Owns the pages that ``pages`` names, and nothing else; a test compares each with the code.
"""

import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from entrepot.access.permissions import PERMISSIONS
from entrepot.access.policies import role_reach
from entrepot.access.roles import EVERYBODY, ROLES, SIGNED_IN
from entrepot.api import degraded
from entrepot.api.application import ROOMS as API_ROOMS
from entrepot.api.guard import PERMISSION
from entrepot.base import errors
from entrepot.base.engine_limits import ENGINE_SECONDS_MAX, PROBE_REST_SECONDS
from entrepot.base.machine import Machine
from entrepot.cli import app
from entrepot.console import pages as console_pages
from entrepot.engines.products import PRODUCTS
from entrepot.sealing import datamap

ROOT = Path(__file__).resolve().parents[1]
MIGRATIONS = ROOT / "src" / "entrepot" / "record" / "migrations"
EVENTS = ROOT / "src" / "entrepot" / "commerce"
ROOMS = ROOT / "src" / "entrepot"

_TABLE = re.compile(r"^CREATE TABLE (\w+)\.(\w+) \(\n(.*?)\n\)", re.MULTILINE | re.DOTALL)
_ADDED = re.compile(r"^ALTER TABLE (?:ONLY )?(\w+)\.(\w+)\s+ADD COLUMN (\w+) (\w+(?:\[\])?)", re.MULTILINE)
_DROPPED = re.compile(r"^DROP TABLE (\w+)\.(\w+)", re.MULTILINE)
_COLUMN = re.compile(r"^    ([a-z_]+) ([\w.]+(?: precision)?(?:\[\])?)")
_PRIMARY = re.compile(r"PRIMARY KEY \(([^)]*)\)")
_SLUG = re.compile(r'^    slug = "', re.MULTILINE)
_UNSEEN = ("local/clickhouse", "shoppers")  # what an engine says to its client, and what a client makes of our answers
_MACHINE = re.compile(r"^(\w+) = Machine\(", re.MULTILINE)
_FOREIGN = re.compile(r"CONSTRAINT (\w+) FOREIGN KEY \(([^)]*)\) REFERENCES (\w+\.\w+)")


class Table(NamedTuple):
    """One table as its migration makes it; ``references`` are (constraint, columns, table)."""

    schema: str
    name: str
    columns: dict[str, str]
    primary: list[str]
    references: list[tuple[str, list[str], str]]


def tables(sql: str) -> list[Table]:
    """Return the tables that this SQL makes, in its order, with the columns added later and without those dropped."""
    made: dict[str, Table] = {}
    for schema, name, body in _TABLE.findall(sql):
        columns = {found[1]: found[2] for line in body.splitlines() if (found := _COLUMN.match(line))}
        primary = _PRIMARY.search(body)
        references = [(constraint, _list(columns_), table) for constraint, columns_, table in _FOREIGN.findall(body)]
        made[f"{schema}.{name}"] = Table(schema, name, columns, _list(primary[1]) if primary else [], references)
    for schema, name, column, kind in _ADDED.findall(sql):
        made[f"{schema}.{name}"].columns[column] = kind
    for schema, name in _DROPPED.findall(sql):
        made.pop(f"{schema}.{name}", None)
    return list(made.values())


def diagrams(made: list[Table]) -> str:
    """Return the page of diagrams, one for each schema."""
    page = [
        "# Entity-relationship diagrams",
        "",
        "Generated from the migrations by `make docs`: do not edit. Every table that the hot path writes leads its key",
        "with `cell`. Why the keys are what they are: [0002](../decisions/0002-uuidv7-keys-and-partitions.md).",
    ]
    for schema in dict.fromkeys(table.schema for table in made):
        page += ["", f"## {schema}", "", "```mermaid", "erDiagram"]
        own = [table for table in made if table.schema == schema]
        page += [line for table in own for line in _drawn(table)]
        page += ["```"]
    return "\n".join(page) + "\n"


def events() -> str:
    """Return the page of events: every area's structs, their fields, and what each says of itself."""
    page = [
        "# Events",
        "",
        "Generated from `src/entrepot/commerce/*/events.py` by `make docs`: do not edit. Events are for ever: a field is only",
        "added, with a default; a changed meaning is a v2 beside v1.",
    ]
    for path in sorted(EVENTS.glob("*/events.py")):
        module = importlib.import_module(f"entrepot.commerce.{path.parent.name}.events")
        tags = sorted(value for name, value in vars(module).items() if name.isupper() and isinstance(value, str))
        page += ["", f"## {path.parent.name}", "", _told(module), "", "Kinds: " + ", ".join(f"`{tag}`" for tag in tags) + "."]
        for name, struct in vars(module).items():
            if inspect.isclass(struct) and issubclass(struct, msgspec.Struct) and struct.__module__ == module.__name__:
                page += ["", f"### {name}", "", _told(struct), "", "| field | type | |", "|---|---|---|"]
                page += [
                    f"| `{field.name}` | `{_type(field.type)}` | {'required' if field.required else ''} |".replace(
                        "|  |", "| |"
                    )
                    for field in msgspec.structs.fields(struct)
                ]
    return "\n".join(page) + "\n"


def command_line() -> str:
    """Return the page of the command line: what ``entrepot --help`` says of every verb."""
    told = app().generate_docs(output_format="markdown")
    page = [
        "# The command line",
        "",
        "Generated from `src/entrepot/cli/` by `make docs`: do not edit. Exit codes: [errors](errors.md).",
        "",
    ]
    # Verbs of verbs are shown as they were called, which is from here or from a test.
    told = re.sub(r"^(entrepot(?: [\w-]+)*?) -m \S+", r"\1", told, flags=re.MULTILINE)
    told = re.sub(r"^# entrepot\n|^## Table of Contents\n.*?(?=^\*\*Commands)", "", told, flags=re.MULTILINE | re.DOTALL)
    return "\n".join(page) + told.rstrip() + "\n"


def problems() -> str:
    """Return the page of errors: the type, status and exit code of each, what it says of itself, and the room it is from."""
    page = [
        "# Errors",
        "",
        "Generated from the code by `make docs`: do not edit. HTTP answers `application/problem+json` whose `type` is",
        "`/problems/<slug>`; the command line prints the sentence and exits with the code. Both are stable.",
        "",
        "| slug | status | exit code | | room |",
        "|---|---|---|---|---|",
    ]
    for room, kind in refusals():
        page += [f"| `{kind.slug}` | {kind.status} | {kind.exit_code} | {_told(kind).split('. ')[0]} | {room} |"]
    return "\n".join(page) + "\n"


def refusals() -> list[tuple[str, type[errors.EntrepotError]]]:
    """Return every error with a slug of its own, with its room: first those of all rooms, then room by room."""
    found = []
    for path in sorted(ROOMS.rglob("*.py"), key=lambda path: (path != Path(errors.__file__), path)):
        room = path.parent.relative_to(ROOMS).as_posix()
        if room in _UNSEEN or not _SLUG.search(path.read_text()):
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOMS.parent).with_suffix("").parts))
        kinds = [kind for kind in vars(module).values() if inspect.isclass(kind) and kind.__module__ == module.__name__]
        found += [(room, kind) for kind in kinds if issubclass(kind, errors.EntrepotError) and "slug" in vars(kind)]
    return found


def access_matrix() -> str:
    """Return the page of access: what each role may, by permission, and which permission each route takes."""
    names = [EVERYBODY, SIGNED_IN, *(name for name in ROLES if name not in {EVERYBODY, SIGNED_IN})]
    page = [
        "# Access matrix",
        "",
        "Generated from `src/entrepot/access/` and the routes by `make docs`: do not edit. How far a role reaches with a",
        "permission: **all** rows; those of its **tenant** (the seller or company that the role is held for); one's **own**;",
        "**open**: what belongs to nobody (a guest's cart is whose knows its id) and one's own. An empty field: not at all.",
        "Who has signed in is a customer besides; what everybody may, everybody may. `privacy`, `support` and `auditor` give a",
        "reason (`Entrepot-Why`) to see what is somebody's.",
        "",
        "| permission | lets them | " + " | ".join(names) + " |",
        "|---|---|" + "---|" * len(names),
    ]
    for permission, says in PERMISSIONS.items():
        reaches = [role_reach(name, permission) or "" for name in names]
        page.append(f"| `{permission}` | {says} | {' | '.join(reaches)} |".replace("  ", " "))
    page += ["", "## Routes", "", "| route | permission | who holds it |", "|---|---|---|"]
    rooms = [*(handler for room in API_ROOMS for handler in room.HANDLERS), *console_pages.handlers()]
    for handler in rooms:
        permission = handler.opt[PERMISSION]
        holders = [f"{name} ({reach})" for name in names if (reach := role_reach(name, permission))]
        told = "everybody" if holders and holders[0] == f"{EVERYBODY} (open)" else ", ".join(holders)
        for path in sorted(handler.paths):
            route = f"`{', '.join(sorted(handler.http_methods))} {re.sub(r':[a-z]+', '', path)}`"
            page.append(f"| {route} | `{permission}` | {told} |")
    return "\n".join(page) + "\n"


def engines() -> str:
    """Return the page of engines: which product plays which role, and what each does otherwise than its neighbours."""
    page = [
        "# Engines",
        "",
        "Generated from `src/entrepot/engines/products.py` by `make docs`: do not edit. The scheme of a role's URL picks the",
        "product. All products of a role pass the same suites (`tests/conformance`, run on servers by `make test-engines`).",
        "",
        "| role | product | schemes | an event counts once by |",
        "|---|---|---|---|",
    ]
    schemes = {each.name: ", ".join(f"`{name}`" for name in each.schemes) for each in PRODUCTS}
    page += [f"| {each.role} | {each.name} | {schemes[each.name]} | {each.once} |" for each in PRODUCTS]
    page += ["", "## What differs, and why", ""]
    page += [f"- **{each.name}** ({each.role}): {differs}." for each in PRODUCTS for differs in each.differs]
    return "\n".join(page) + "\n"


def degradation() -> str:
    """Return the page of degradation: what people see without each engine, and how long anybody waits to hear so."""
    page = [
        "# Degraded, not down",
        "",
        "Generated from `src/entrepot/api/degraded.py` by `make docs`: do not edit. `tests/faults/test_degraded.py` makes each",
        "engine away in each way of this page, asks what is named, and has `verify` find nothing when the engine is back;",
        "`tests/engines/test_degraded.py` does so with the products that are named.",
        "",
        f"A request waits {ENGINE_SECONDS_MAX:g} s for an engine in all (`ENTREPOT_ENGINE_MILLIS`), then it is answered",
        "without it, or by 503 [`engine-away`](errors.md) with `Retry-After`. A call that takes long raises a doubt: the",
        "engine is asked the least it can be asked, and if it answers neither that nor anybody else, its **breaker** opens.",
        f"From then on nobody waits for it; it is asked again every {PROBE_REST_SECONDS:g} s, and the first answer closes the",
        "breaker; who comes then is let in by degrees.",
        "A hard question opens nothing, and what is refused at once needs no breaker. Sums of sales may take their time, of",
        "an engine that answers. Events wait in the log until the engine takes them; none is lost.",
        "",
        "| way | what it is |",
        "|---|---|",
    ]
    page += [f"| {way} | {says} |" for way, says in degraded.WAYS.items()]
    page += ["", "## What people see", "", "| engine | ways | shopper | seller | operator |", "|---|---|---|---|---|"]
    page += [f"| {e.role} | {', '.join(e.ways)} | {e.shopper} | {e.seller} | {e.operator} |" for e in degraded.LACKS]
    page += [
        f"| {e.role}: {e.product} | {', '.join(e.ways)} | {e.shopper} | {e.seller} | {e.operator} |" for e in degraded.ELSEWHERE
    ]
    page += [
        "",
        "## What is asked to prove it",
        "",
        "| engine | ways | answered as ever, or with something left out | refused |",
    ]
    page += ["|---|---|---|---|"]
    page += [f"| {e.role} | {', '.join(e.ways)} | {_requests(e.answered)} | {_requests(e.refused)} |" for e in degraded.LACKS]
    page += [
        f"| {e.role}: {e.product} | {', '.join(e.ways)} | {_requests(e.answered)} | {_requests(e.refused)} |"
        for e in degraded.ELSEWHERE
    ]
    page += ["", "## What is not there, and why", ""]
    page += [f"- {says}" for says in degraded.UNTOLD]
    return "\n".join(page) + "\n"


def _requests(asked: Sequence[str]) -> str:
    return ", ".join(f"`{one}`" for one in asked) or "none"


def states() -> str:
    """Return the page of states: every machine that a room of commerce keeps as data, drawn."""
    page = [
        "# States",
        "",
        "Generated from the machines in `src/entrepot/commerce/` by `make docs`: do not edit. A move that is not drawn here is",
        "refused with 409 `conflict`, which names the state and what may follow. The rules ask the same machines.",
    ]
    for path, machine in machines():
        page += ["", f"## {machine.thing}", "", f"From [`{path}`](../../{path}).", "", "```mermaid", machine.drawing(), "```"]
    return "\n".join(page) + "\n"


def machines() -> list[tuple[str, Machine]]:
    """Return every machine, with the file that keeps it, in the order of the rooms."""
    found = []
    for path in sorted(EVENTS.rglob("*.py")):
        module = ".".join(path.relative_to(EVENTS.parents[1]).with_suffix("").parts)
        names = _MACHINE.findall(path.read_text())
        found += [(path.relative_to(ROOT).as_posix(), getattr(importlib.import_module(module), name)) for name in names]
    return found


def pages() -> dict[Path, str]:
    """Return every generated page with the text it should have."""
    sql = "\n".join(path.read_text() for path in sorted(MIGRATIONS.glob("*.sql")))
    return {
        ROOT / "docs" / "deliverables" / "entity-relationship-diagrams.md": diagrams(tables(sql)),
        ROOT / "docs" / "reference" / "access-matrix.md": access_matrix(),
        ROOT / "docs" / "reference" / "engines.md": engines(),
        ROOT / "docs" / "reference" / "degradation.md": degradation(),
        ROOT / "docs" / "reference" / "command-line.md": command_line(),
        ROOT / "docs" / "reference" / "data-map.md": datamap.page(),
        ROOT / "docs" / "reference" / "errors.md": problems(),
        ROOT / "docs" / "reference" / "events.md": events(),
        ROOT / "docs" / "reference" / "processing-register.md": datamap.register(),
        ROOT / "docs" / "reference" / "states.md": states(),
    }


def _drawn(table: Table) -> Iterator[str]:
    foreign = {column for _, columns, _ in table.references for column in columns}
    yield f"    {table.name} {{"
    for column, kind in table.columns.items():
        marks = ", ".join(mark for mark, holds in (("PK", column in table.primary), ("FK", column in foreign)) if holds)
        # Mermaid's types are one word of letters, digits and brackets.
        yield f"        {re.sub(r'[ .]', '_', kind)} {column} {marks}".rstrip()
    yield "    }"
    for constraint, _, other in table.references:
        yield f"    {other.split('.')[1]} ||--o{{ {table.name} : {constraint}"


def _list(columns: str) -> list[str]:
    return [column.strip() for column in columns.split(",")]


def _told(thing: object) -> str:
    return " ".join((inspect.getdoc(thing) or "").replace("``", "`").split())


def _type(of: object) -> str:
    text = of.__name__ if isinstance(of, type) and not hasattr(of, "__origin__") else str(of)
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text).replace(" | ", " or ")


if __name__ == "__main__":
    for page_path, text in pages().items():
        page_path.write_text(text)
        sys.stdout.write(f"{page_path.relative_to(ROOT)}\n")
