"""Changing the schema of a record that says it is in production: somebody else reads what is to be applied, and says yes.

A record says so by a limit on ``migration``. It lies in the record, so no environment that forgot it gets round it.
"""

import asyncio
from pathlib import Path

from entrepot.base.errors import ConflictError
from entrepot.commerce.approval import commands, rules, store
from entrepot.commerce.approval.rules import ApprovalNeededError, Deed
from entrepot.record.migrate import FOLDER, migrate, missing
from entrepot.record.transaction import Record


async def migrate_with_word(record: Record, cell: int, url: str, folder: Path = FOLDER) -> list[str]:
    """Apply what is missing and return its names; where that takes somebody's word, it waits for it and nothing is touched.

    The word is used when all is applied: a migration that fails half-way goes on with the same one.
    """
    deed = await _held(record, url, folder)
    if deed is not None:
        await _check_word(record, cell, deed)
    applied = await asyncio.to_thread(migrate, url, folder)
    if deed is not None:
        async with record.transaction(cell) as tx:
            await commands.use(tx, deed)
    return applied


async def _held(record: Record, url: str, folder: Path) -> Deed | None:
    async with record.reading() as connection:
        if not await store.migrations_are_held(connection):
            return None
    wanted = await asyncio.to_thread(missing, url, folder)
    return rules.migrating(wanted) if wanted else None


async def _check_word(record: Record, cell: int, deed: Deed) -> None:
    async with record.transaction(cell) as tx:
        state = await commands.word(tx, deed)
        last = await store.last_of(tx.connection, cell, deed)
    assert last is not None  # it waits at least
    if state == "refused":
        raise ConflictError(f"{deed.what} was refused: {last.why} Nothing was changed.", approval_id=str(last.id))
    if state != "approved":
        raise ApprovalNeededError(deed, last.id, last.state)
