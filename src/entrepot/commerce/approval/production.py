"""What is for trying the house out, or for measuring it, stays away from a record that says it is in production.

It says so by its limit on ``migration`` (see ``migrating``), which lies in the record: no environment gets round it.
"""

from entrepot.base.errors import ConflictError
from entrepot.commerce.approval import store
from entrepot.record.transaction import Record, open_record


class InProductionError(ConflictError):
    """What was asked for would bring what was made up into a record that is in production."""

    slug = "in-production"

    def __init__(self, what: str) -> None:
        super().__init__(f"This record is in production, where there is no {what}: set ENTREPOT_HOME to a folder of its own.")


async def refuse_in_production(record: Record, what: str) -> None:
    """Refuse what is for trying things out alone."""
    async with record.reading() as connection:
        if await store.migrations_are_held(connection):
            raise InProductionError(what)


async def refuse_at(url: str, what: str) -> None:
    """Refuse it before anything else is opened; a record that has no schema yet is nobody's production."""
    async with await open_record(url, connections=1) as record:
        await refuse_in_production(record, what)
