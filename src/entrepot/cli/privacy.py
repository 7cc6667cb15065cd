"""`entrepot privacy`: export what is known of somebody, freeze it, forget it, and show the proof."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from entrepot.app import App as Opened
from entrepot.app import opened, privacy_of
from entrepot.base.limits import ERASURE_GRACE_DAYS
from entrepot.base.time import SystemClock, utc
from entrepot.cli.logs import to_stderr
from entrepot.cli.opening import opened_record
from entrepot.privacy import erasing
from entrepot.privacy.certificate import Certificate, certificate_of
from entrepot.privacy.certificate import verify as prove
from entrepot.privacy.store import Erasure
from entrepot.privacy.subjects import named
from entrepot.settings import load

ACTOR = "system"

Json = Annotated[bool, Parameter(name="json", negative="")]
Switch = Annotated[bool, Parameter(negative="")]

privacy = App(name="privacy", help="Export, restrict and forget people, with a certificate; end what was kept long enough.")


@asynccontextmanager
async def _app() -> AsyncIterator[Opened]:
    to_stderr(logging.ERROR)
    async with opened(load(os.environ)) as app:
        yield app


@privacy.command
async def export(who: str, *, to: Path = Path("export.zip")) -> None:
    """Write all that is known of somebody into one archive: JSON by area, and a page to read.

    Parameters
    ----------
    who
        A person's or guest's id, or an e-mail address.
    to
        The file to write; one that is there is not overwritten.
    """
    async with _app() as app:
        async with app.record.reading() as connection:
            subjects = await named(connection, app.sealing, app.settings.cell, who)
        archive = await privacy_of(app).exporter.export(subjects)
    with to.open("xb") as file:
        file.write(archive)
    print(f"{to} holds all that is known of {subjects[0]}: {len(archive):,} bytes.")


@privacy.command
async def restrict(who: str, *, lift: Switch = False, json: Json = False) -> None:
    """Keep what is known of somebody, and use it for nothing but what they order; or lift that.

    Parameters
    ----------
    who
        A person's or guest's id, or an e-mail address.
    lift
        Let it be used again.
    json
        Print JSON.
    """
    async with _app() as app, app.record.transaction(app.settings.cell, ACTOR) as tx:
        subjects = await named(tx.connection, app.sealing, app.settings.cell, who)
        changed = await erasing.restrict(tx, subjects[0], utc(SystemClock().millis()), restricted=not lift)
    if json:
        print(msgspec.json.encode({"subject": subjects[0], "restricted": not lift, "changed": changed}).decode())
    else:
        print(f"What is known of {subjects[0]} {'may be used again' if lift else 'is kept, and used for nothing else'}.")


@privacy.command
async def erase(who: str, *, now: Switch = False, restored: list[str] | None = None, json: Json = False) -> None:
    """Forget somebody: after the days of grace, or at once; asked again, it goes on where it is.

    Parameters
    ----------
    who
        A person's or guest's id, or an e-mail address.
    now
        Without the days of grace.
    restored
        URLs of databases that old backups were restored into, to be searched as well.
    json
        Print JSON.
    """
    grace = timedelta(0) if now else timedelta(days=ERASURE_GRACE_DAYS)
    async with _app() as app:
        asked = await privacy_of(app).erasing.ask(who, ACTOR, grace)
        done = await privacy_of(app).erasing.finish(asked.id, restored or [])
    show(done, as_json=json)


@privacy.command
async def withdraw(subject: UUID, *, json: Json = False) -> None:
    """Let somebody stay known after all, as long as the days of grace last.

    Parameters
    ----------
    subject
        The id that the erasure is asked for.
    json
        Print JSON.
    """
    async with _app() as app:
        show(await privacy_of(app).erasing.withdraw(subject, ACTOR), as_json=json)


@privacy.command
async def certificate(
    subject: UUID, *, verify: Annotated[bool, Parameter(name="verify", negative="")] = False, json: Json = False
) -> None:
    """Show the certificate that somebody was forgotten.

    Parameters
    ----------
    subject
        The id that was forgotten.
    verify
        Prove the signature first.
    json
        Print JSON: the document that was signed, the signature and the public key.
    """
    async with opened_record() as (settings, record), record.reading() as connection:
        signed = await certificate_of(connection, settings.cell, subject)
    proved = prove(signed) if verify else signed.certificate
    if json:
        print(msgspec.json.encode(signed).decode())
        return
    _show_certificate(proved)
    print("The signature is good." if verify else f"Signed with {signed.public_key}; --verify proves it.")


@privacy.command
async def retention(*, dry_run: Switch = False, json: Json = False) -> None:
    """End what has been kept as long as the data map says, but for what is held; the job of this name does so every six hours.

    Parameters
    ----------
    dry_run
        Say what would be ended, and end nothing.
    json
        Print JSON.
    """
    async with _app() as app:
        done = await privacy_of(app).retention.run(dry=dry_run)
    if json:
        print(msgspec.json.encode(done).decode())
        return
    table = Table("rule", "of what ended before", "would end" if dry_run else "ended", "rows", "keys", "held")
    for one in done:
        for name, rows in one.rows.items():
            keys, held = (f"{one.keys:,}", f"{one.held:,}") if name == next(iter(one.rows)) else ("", "")
            what = name.removeprefix(f"{one.rule}_").replace("_", " ")
            table.add_row(one.rule, f"{one.before:%Y-%m-%d}", what, f"{rows:,}", keys, held)
    Console().print(table)


@privacy.command
async def hold(about_id: UUID, *, case: str, lift: Switch = False, json: Json = False) -> None:
    """Keep what is known of somebody, or of an order, as evidence: neither retention nor an erasure touches it meanwhile.

    Parameters
    ----------
    about_id
        The id of a person, a guest or an order.
    case
        The case that it is kept for: a reference, such as 2026/117, and no name.
    lift
        Keep it for this case no longer.
    json
        Print JSON.
    """
    async with _app() as app:
        changed = await privacy_of(app).retention.hold(about_id, case, ACTOR, lift=lift)
    if json:
        print(msgspec.json.encode({"about_id": about_id, "case": case, "held": not lift, "changed": changed}).decode())
    else:
        print(f"{about_id} is {'no longer held' if lift else 'held'} for {case}.")


@privacy.command
async def holds(*, json: Json = False) -> None:
    """List what is held as evidence, and for which case.

    Parameters
    ----------
    json
        Print JSON.
    """
    async with _app() as app:
        found = await privacy_of(app).retention.holds()
    if json:
        print(msgspec.json.encode(found).decode())
        return
    for one in found:
        print(f"{one.about_id} for {one.reference}, since {one.since:%Y-%m-%d}, by {one.by_whom}")


def show(one: Erasure, *, as_json: bool) -> None:
    """Print how far an erasure is."""
    told = {
        "erasure_id": one.id,
        "subject": one.subject,
        "state": one.state,
        "due_at": one.due_at,
        "waits_for": one.waits_for,
        "removed": one.removed,
    }
    if as_json:
        print(msgspec.json.encode(told).decode())
        return
    waits = f" It waits for {one.waits_for}." if one.waits_for else ""
    due = f", due {one.due_at:%Y-%m-%d %H:%M} UTC" if one.state == "asked" else ""
    print(f"The erasure of {one.subject} is {one.state}{due}.{waits}")
    if one.state == "found":
        print(f"Something was found: entrepot privacy certificate {one.subject} says where.")


def _show_certificate(one: Certificate) -> None:
    console = Console()
    verdict = "was found nowhere" if one.clean else "WAS FOUND"
    console.print(
        f"{one.subject} was forgotten on {one.erased_at:%Y-%m-%d %H:%M} UTC; what was known ({one.values} values) {verdict}.",
        highlight=False,
        soft_wrap=True,
    )
    table = Table("searched", "places", "bytes", "found in")
    for source in one.sources:
        found = ", ".join(sorted({f"{finding.place} ({finding.form})" for finding in source.findings}))
        table.add_row(source.source, f"{source.places:,}", f"{source.bytes:,}", found)
    console.print(table)
    for held in one.kept:
        console.print(f"Kept: {held.what}; {held.until}; {held.law}.", highlight=False, soft_wrap=True)
