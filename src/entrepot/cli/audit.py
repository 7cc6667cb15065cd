"""`entrepot audit`: who saw this customer's data, when and why; where the chain stands; and the proof that it is whole."""

import logging
import os
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from entrepot.app import audit_archive, audit_verifier
from entrepot.audit import query
from entrepot.audit.query import Asked, Noted
from entrepot.audit.report import Report
from entrepot.base.limits import PAGE_ITEMS_MAX
from entrepot.base.time import millis_of
from entrepot.cli.logs import to_stderr
from entrepot.cli.opening import opened_record
from entrepot.settings import load

EXIT_CHANGED = 8

Json = Annotated[bool, Parameter(negative="")]

audit = App(name="audit", help="Show who did what, and prove that nobody has changed it since.")


@audit.command
async def show(
    *,
    subject: UUID | None = None,
    request: UUID | None = None,
    actor: str | None = None,
    action: str | None = None,
    object: str | None = None,  # noqa: A002  # the word that a person types
    since: datetime | None = None,
    limit: int = PAGE_ITEMS_MAX,
    json: Json = False,
) -> None:
    """Show entries, newest first: who saw this customer's data, when, from where and why.

    Parameters
    ----------
    subject
        About whom: a person's id.
    request
        One request alone, with the events that it caused.
    actor
        By whom, such as person/<id>.
    action
        A part of what was done, such as export or POST.
    object
        About what: the id or code that an address names.
    since
        From this moment on (UTC, if it names no zone).
    limit
        How many at most.
    json
        Print JSON instead of a table.
    """
    asked = Asked(request=request, subject=subject, actor=actor, action=action, object=object, since=_aware(since))
    async with opened_record() as (settings, record), audit_archive(settings, record) as archived:
        found = await query.entries(record, settings.cell, asked, limit, archived)
        events = await query.events_of(record, settings.cell, request, archived) if request else []
    if json:
        print(msgspec.json.encode({"entries": found, "events": events} if request else found).decode())
        return
    _print_entries(found)
    for event in events:
        print(f"{event.at:%Y-%m-%d %H:%M:%S} {event.kind} {event.key}")


@audit.command
async def state(*, json: Json = False) -> None:
    """Say how far the chain is linked and published.

    Parameters
    ----------
    json
        Print JSON instead of sentences.
    """
    async with opened_record() as (settings, record), record.reading() as connection:
        found = await query.state(connection, settings.cell)
    if json:
        print(msgspec.json.encode(found).decode())
        return
    print(f"{found.links:,} links, the last at {found.linked_at}; {found.waiting:,} rows wait to be linked.")
    lock = "locked" if found.locked else "not locked: the store has no Object Lock"
    print(f"Root {found.root} published at {found.published_at} ({lock}); {found.unpublished:,} links are not published yet.")


@audit.command
async def verify(
    *, from_: Annotated[datetime | None, Parameter(name="--from")] = None, to: datetime | None = None, json: Json = False
) -> int:
    """Compute the chain anew, from rows to published roots, and name what was changed; exits with 8 when something was.

    Parameters
    ----------
    from_
        What was linked from this moment on (UTC, if it names no zone); everything without it.
    to
        What was linked before this moment.
    json
        Print JSON instead of sentences.
    """
    to_stderr(logging.WARNING)
    settings = load(os.environ)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("rows", total=None)
        async with audit_verifier(settings, lambda seen: progress.update(task, completed=seen)) as verifier:
            report = await verifier.verify(_millis(from_), _millis(to))
    print(msgspec.json.encode(report).decode()) if json else _print_report(report)
    return 0 if report.whole else EXIT_CHANGED


def _print_entries(found: list[Noted]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("at", "request", "who", "what", "about", "of", "from", "why", "answer"):
        table.add_column(heading, overflow="fold")
    for one in found:
        answer = f"{one.status} {one.problem}".strip()
        where = f"{one.network} {one.agent}".strip()
        table.add_row(
            *(f"{one.at:%Y-%m-%d %H:%M:%S}", str(one.id), one.actor, one.action),
            *(one.object, f"{one.subject or ''}{f' +{len(one.others)}' if one.others else ''}", where, one.why, answer),
        )
    Console().print(table)


def _print_report(report: Report) -> None:
    for finding in report.findings:
        print(finding.sentence)
    for one in report.unexplained:
        print(
            f"The request {one.request} left {', '.join(one.kinds)} in the log and no entry: it was cut, or its entry removed."
        )
    looked = f"{report.entries:,} entries and {report.events:,} events in {report.links:,} links, {report.roots:,} roots"
    end = "nothing was changed" if report.whole else f"{len(report.findings):,} things were changed"
    print(f"{looked}, {report.seconds:.1f} s: {end}. {report.unpublished:,} links are not published yet.")


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _millis(moment: datetime | None) -> int | None:
    aware = _aware(moment)
    return None if aware is None else millis_of(aware)
