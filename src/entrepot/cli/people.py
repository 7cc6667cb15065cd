"""`entrepot people`: administrators, roles and sessions by command line, for who runs the house."""

import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from cyclopts import App, Parameter
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from entrepot.app import keys_of, open_people_of
from entrepot.base.errors import NotFoundError
from entrepot.base.limits import HANDED_LINK_SECONDS
from entrepot.base.principal import Membership
from entrepot.base.time import SystemClock, utc
from entrepot.cli.logs import to_stderr
from entrepot.commerce.people import commands, query
from entrepot.commerce.people.commands import RolesChanged
from entrepot.commerce.people.people import People
from entrepot.commerce.people.query import PersonLine
from entrepot.jobs.letters import address_of
from entrepot.record.transaction import Record, open_record
from entrepot.sealing.sealing import open_sealing
from entrepot.settings import Settings, load, require

ACTOR = "system"
LISTED_MAX = 1_000

Json = Annotated[bool, Parameter(name="json", negative="")]

people = App(name="people", help="Administrators, roles and sessions.")


class SignInLink(Struct, frozen=True, kw_only=True):
    """A link that signs somebody in once."""

    person_id: UUID
    email: str
    roles: list[str]
    link: str


class House(Struct, frozen=True):
    """What these verbs have open."""

    settings: Settings
    record: Record
    people: People


@asynccontextmanager
async def opened() -> AsyncIterator[House]:
    """Open the record and the door, and no other engine."""
    to_stderr(logging.ERROR)
    settings = load(os.environ)
    require(settings, "record", "memory")
    async with AsyncExitStack() as stack:
        sealing = await open_sealing(settings.engines.record, keys_of(settings))
        stack.push_async_callback(sealing.close)
        record = await stack.enter_async_context(await open_record(settings.engines.record, connections=2, seals=sealing))
        yield House(settings, record, await stack.enter_async_context(open_people_of(settings, record, sealing)))


@people.command(name="add-admin")
async def add_admin(email: str, *, json: Json = False) -> None:
    """Make somebody an administrator, and print a link that signs them in once.

    Parameters
    ----------
    email
        The address that they sign in by; they need not have an account yet.
    json
        Print JSON.
    """
    async with opened() as house:
        link = await sign_in_link(house.record, house.people, house.settings, email, [Membership("admin")])
    if json:
        print(msgspec.json.encode(link).decode())
    else:
        print(f"{link.email} is an administrator. This link signs in once, within a day:\n{link.link}")


@people.command(name="list")
async def list_(*, role: str = "", json: Json = False) -> None:
    """List people and what they are.

    Parameters
    ----------
    role
        Only those who hold this role.
    json
        Print JSON.
    """
    async with opened() as house, house.record.reading() as connection:
        found = await query.people(connection, house.people.sealing, UUID(int=0), role, LISTED_MAX)
    if json:
        print(msgspec.json.encode({"people": found}).decode())
        return
    show(found)


@people.command
async def grant(email: str, role: str, *, tenant: str = "", json: Json = False) -> None:
    """Give somebody a role; their sessions end, and it counts from the next sign-in.

    Parameters
    ----------
    email
        The address that they sign in by.
    role
        The role, such as support, seller_admin or buyer.
    tenant
        For whom it is held: seller/<code> or company/<id>; none for the platform's roles.
    json
        Print JSON.
    """
    await _change(email, Membership(role, tenant), json=json, give=True)


@people.command
async def revoke(email: str, role: str, *, tenant: str = "", json: Json = False) -> None:
    """Take a role from somebody; their sessions end.

    Parameters
    ----------
    email
        The address that they sign in by.
    role
        The role.
    tenant
        For whom it was held.
    json
        Print JSON.
    """
    await _change(email, Membership(role, tenant), json=json, give=False)


@people.command(name="revoke-sessions")
async def revoke_sessions(email: str, *, json: Json = False) -> None:
    """End every session of somebody, everywhere.

    Parameters
    ----------
    email
        The address that they sign in by.
    json
        Print JSON.
    """
    async with opened() as house:
        person_id = await _known(house, email)
        async with house.record.transaction(house.settings.cell, ACTOR) as tx:
            ended = await house.people.sessions.end(tx, person_id, "revoked")
        await house.people.sessions.doubt(ended)
    print(msgspec.json.encode({"ended": ended}).decode() if json else f"{len(ended)} sessions have ended.")


@people.command
async def suspend(email: str, *, json: Json = False) -> None:
    """Let somebody in no longer, by session, key or link.

    Parameters
    ----------
    email
        The address that they sign in by.
    json
        Print JSON.
    """
    async with opened() as house:
        person_id, now = await _known(house, email), utc(SystemClock().millis())
        async with house.record.transaction(house.settings.cell, ACTOR) as tx:
            changed = await commands.suspend(tx, person_id, now)
        await house.people.sessions.doubt(changed.ended)
    print(msgspec.json.encode(changed).decode() if json else f"{email} is let in no longer.")


async def sign_in_link(record: Record, of: People, settings: Settings, email: str, roles: Sequence[Membership]) -> SignInLink:
    """Make sure that somebody has an account with these roles, and return a link that signs them in once."""
    now = utc(SystemClock().millis())
    async with record.transaction(settings.cell, ACTOR) as tx:
        person_id = await commands.add_person(tx, of.sealing, email, roles, now)
        token = await commands.issue_link(tx, person_id, "sign_in", now, now + timedelta(seconds=HANDED_LINK_SECONDS))
    return SignInLink(
        person_id=person_id,
        email=email,
        roles=[one.role for one in roles],
        link=address_of(settings.site, token),
    )


def show(found: Sequence[PersonLine]) -> None:
    """Print people as a table."""
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "e-mail", "state", "roles"):
        table.add_column(heading, no_wrap=heading == "id")
    for one in found:
        roles = ", ".join(f"{held.role} {held.tenant}".strip() for held in one.memberships)
        table.add_row(str(one.id), one.email or f"({one.kind})", one.state, roles)
    Console().print(table)


async def _change(email: str, one: Membership, *, json: bool, give: bool) -> None:
    async with opened() as house:
        person_id, now = await _known(house, email), utc(SystemClock().millis())
        async with house.record.transaction(house.settings.cell, ACTOR) as tx:
            change = commands.grant if give else commands.revoke
            changed: RolesChanged = await change(tx, person_id, one, now)
        await house.people.sessions.doubt(changed.ended)
    if json:
        print(msgspec.json.encode(changed).decode())
    else:
        held = ", ".join(f"{role.role} {role.tenant}".strip() for role in changed.memberships) or "nothing"
        print(f"{email} is now {held}.")


async def _known(house: House, email: str) -> UUID:
    async with house.record.reading() as connection:
        found = await query.id_by_email(connection, house.people.sealing, email)
    if found is None:
        raise NotFoundError(f"Nobody signs in by {email!r}: 'entrepot people list' shows who does.")
    return found
