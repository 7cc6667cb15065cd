"""`entrepot roles`: who works in the system of record, and the statements that make these users on a server of one's own."""

import secrets
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from entrepot.local.roles import BACKUP, OWNER, PLATFORM, READER, TENANT, USERS, record_users

WORK = {
    OWNER: ("ENTREPOT_RECORD_OWNER_URL", "migrates and makes partitions; owns everything, sees no row of a tenant"),
    PLATFORM: ("ENTREPOT_RECORD_URL", "the application on the platform's own behalf"),
    TENANT: ("ENTREPOT_RECORD_TENANT_URL", "what sellers' staff and companies' buyers ask: their own rows"),
    READER: ("", "reads, without secrets, for people who look into it"),
    BACKUP: ("", "pg_dump: reads every row, writes none"),
}


def roles(
    *, sql: Annotated[bool, Parameter(negative="")] = False, json: Annotated[bool, Parameter(negative="")] = False
) -> None:
    """Show who works in the system of record; the embedded one makes them all by itself.

    Parameters
    ----------
    sql
        Print the statements for a server of your own, with new passwords: ``entrepot roles --sql | psql ...`` as a superuser.
    json
        Print JSON instead of a table.
    """
    if sql:
        passwords = {user: secrets.token_urlsafe(24) for user in USERS}
        print(record_users(passwords.__getitem__))
        for user, (variable, _) in WORK.items():
            if variable:
                print(f"-- {variable}=postgresql://{user}:{passwords[user]}@host:5432/database")
    elif json:
        print(
            msgspec.json.encode([{"role": role, "variable": one, "work": work} for role, (one, work) in WORK.items()]).decode()
        )
    else:
        table = Table("role", "given by", "what it does")
        for user, (variable, work) in WORK.items():
            table.add_row(user, variable, work)
        Console().print(table)
