"""`entrepot replay NAME [KEY]`: asks to try again what a projection or a reaction could not take."""

from entrepot.app import projection_named
from entrepot.base.errors import NotFoundError
from entrepot.cli.opening import opened_record
from entrepot.jobs.store import cursors
from entrepot.log import quarantine
from entrepot.record.transaction import Record

REACTION = "reaction/"


async def replay(name: str, key: str | None = None) -> None:
    """Try quarantined events again, in order, once the cause is gone; a running projector does it at once, any other later.

    Parameters
    ----------
    name
        The projection: product_page, product_search, sales_facts, bought_together or live_stock; or reaction/ and its name.
    key
        The key whose events are tried again, such as product/ and an id; every quarantined key if not given.
    """
    if not name.startswith(REACTION):
        projection_named(name)
    async with opened_record() as (settings, record):
        if name.startswith(REACTION):
            await _reaction_named(record, settings.cell, name)
        events = await quarantine.replay(record, name, key)
        if not events and key is not None:
            keys = dict.fromkeys(one.key for one in await quarantine.parked(record, name))
            there = f"only {', '.join(keys)}" if keys else "nothing is"
            raise NotFoundError(f"{key!r} is not in quarantine of {name}: {there}.", projection=name, key=key)
    if events:
        print(f"{events:,} event{'s' if events > 1 else ''} of {name} will be tried again: 'entrepot project' does it.")
    else:
        print(f"Nothing is in quarantine of {name}.")


async def _reaction_named(record: Record, cell: int, name: str) -> None:
    async with record.committing() as connection:
        there = [f"{REACTION}{one.name}" for one in await cursors(connection, cell)]
    if name not in there:
        raise NotFoundError(f"There is no {name!r}: {', '.join(there) or 'no reaction has read anything yet'}.", name=name)
