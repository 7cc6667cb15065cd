"""`entrepot migrate`: brings the system of record up to date, as every start does; in production it waits for a word first."""

import os
from typing import Annotated

import msgspec
from cyclopts import Parameter

from entrepot.app import make_room
from entrepot.commerce.approval.migrating import migrate_with_word
from entrepot.record.transaction import open_record
from entrepot.settings import load, require


async def migrate(*, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Apply the migrations that the system of record has not; a record in production takes somebody's word for them first.

    'entrepot approvals limit migration record 0' says that it is in production.

    Parameters
    ----------
    json
        Print JSON.
    """
    settings = load(os.environ)
    require(settings, "record")
    async with await open_record(settings.engines.owner, connections=1) as owner:
        applied = await migrate_with_word(owner, settings.cell, settings.engines.owner)
        await make_room(owner)
    if json:
        print(msgspec.json.encode({"applied": applied}).decode())
    else:
        print("\n".join(applied) if applied else "Nothing is missing.")
