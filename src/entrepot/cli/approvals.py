"""`entrepot approvals`: what takes two people, from where on, and who changed what decides about money.

Nobody approves here: a command line does not know who sits at it. The office's page and the API do.
"""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from entrepot.base.limits import PAGE_ITEMS_MAX
from entrepot.cli.opening import opened_record
from entrepot.commerce.approval import commands, query
from entrepot.commerce.approval.rules import LIMITED, Limit, known_kind

ACTOR = "system"

Json = Annotated[bool, Parameter(name="json", negative="")]

approvals = App(name="approvals", help="What takes two people, from where on, and who changed what decides about money.")


@approvals.command(name="list")
async def list_(*, state: str = "requested", json: Json = False) -> None:
    """List deeds that wait for somebody's word, or had it, newest first.

    Parameters
    ----------
    state
        Only those that stand so: requested, approved, refused, expired, applied; empty for all.
    json
        Print JSON.
    """
    async with opened_record() as (settings, record), record.reading() as connection:
        found = await query.approvals(connection, settings.cell, state, None, PAGE_ITEMS_MAX)
    if json:
        print(msgspec.json.encode({"approvals": found}).decode())
        return
    table = Table("id", "what", "asked by", "state", "until")
    for one in found:
        asked = f"person/{one.asked_by}" if one.asked_by else "the house"
        table.add_row(str(one.id), one.what, asked, one.state, f"{one.expires_at:%Y-%m-%d %H:%M}")
    Console().print(table)


@approvals.command
async def limits(*, json: Json = False) -> None:
    """List from where on deeds take two people.

    Parameters
    ----------
    json
        Print JSON.
    """
    async with opened_record() as (_, record), record.reading() as connection:
        found = await query.thresholds(connection)
    if json:
        print(msgspec.json.encode({"limits": found}).decode())
        return
    table = Table("kind", "scope", "above", "counted in")
    for one in found:
        table.add_row(one.kind, one.scope, f"{one.above:,}", LIMITED[one.kind])
    Console().print(table)


@approvals.command
async def limit(
    kind: str,
    scope: str,
    above: int | None = None,
    *,
    lift: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> None:
    """Set from where on a deed takes two people, or lift that.

    Parameters
    ----------
    kind
        refund, payout (scope: a currency, in minor units), price (a market, in permille), role (its name, 0).
    scope
        Of what.
    above
        More than this takes two people.
    lift
        No limit any more.
    json
        Print JSON.
    """
    wanted = Limit(kind=known_kind(kind), scope=scope, above=None if lift else above or 0)
    async with opened_record() as (settings, record), record.transaction(settings.cell, ACTOR) as tx:
        changed = await commands.set_limit(tx, wanted) is not None
    if json:
        print(msgspec.json.encode({"limit": wanted, "changed": changed}).decode())
    else:
        told = "takes one person" if wanted.above is None else f"takes two people above {wanted.above:,}"
        print(f"{kind} of {scope} {told}{'' if changed else ', as before'}.")


@approvals.command
async def changes(of: str = "", *, json: Json = False) -> None:
    """List who changed what decides about money, newest first.

    Parameters
    ----------
    of
        Only of keys that begin so, such as seller/ or price-list/vip.
    json
        Print JSON.
    """
    beginning = datetime(1, 1, 1, tzinfo=UTC)
    async with opened_record() as (settings, record), record.reading() as connection:
        found = await query.changes(connection, settings.cell, of, beginning, None, PAGE_ITEMS_MAX)
    if json:
        print(msgspec.json.encode({"changes": found}).decode())
        return
    table = Table("at", "what", "of", "by", "now")
    for one in found:
        table.add_row(f"{one.at:%Y-%m-%d %H:%M:%S}", one.kind, one.key, one.actor, bytes(one.body).decode()[:120])
    Console().print(table)
