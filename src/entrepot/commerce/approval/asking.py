"""Asking for somebody else's word where a deed needs it: what was begun is undone, and the deed waits to be done again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from entrepot.commerce.approval import commands
from entrepot.commerce.approval.rules import ApprovalNeededError
from entrepot.record.transaction import Record


@asynccontextmanager
async def asking(record: Record, cell: int, actor: str, by: UUID | None) -> AsyncIterator[None]:
    """Ask in a transaction of its own where the block needs a word, and raise again with what it waits as.

    ``record`` is the platform's: whoever is held may be a tenant's, and approvals are not. ``by`` is None for the house.
    """
    try:
        yield
    except ApprovalNeededError as needed:
        async with record.transaction(cell, actor) as tx:
            one = await commands.ask(tx, needed.deed, by)
        raise ApprovalNeededError(needed.deed, one.id, one.state) from needed
