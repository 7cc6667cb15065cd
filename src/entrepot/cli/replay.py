"""`entrepot replay NAME [KEY]`: asks the projector to try again what a projection could not take."""

import os

from entrepot.app import projection_named
from entrepot.base.errors import NotFoundError
from entrepot.log import quarantine
from entrepot.record.transaction import open_record
from entrepot.settings import load, require


async def replay(name: str, key: str | None = None) -> None:
    """Try quarantined events again, in order, once the cause is gone; a running projector does it at once, any other later.

    Parameters
    ----------
    name
        The projection: product_page, product_search, sales_facts, bought_together or live_stock.
    key
        The key whose events are tried again, such as product/ and an id; every quarantined key if not given.
    """
    projection_named(name)
    settings = load(os.environ)
    require(settings, "record")
    async with await open_record(settings.engines.record, connections=1) as record:
        events = await quarantine.replay(record, name, key)
        if not events and key is not None:
            keys = dict.fromkeys(one.key for one in await quarantine.parked(record, name))
            there = f"only {', '.join(keys)}" if keys else "nothing is"
            raise NotFoundError(f"{key!r} is not in quarantine of {name}: {there}.", projection=name, key=key)
    if events:
        print(f"{events:,} event{'s' if events > 1 else ''} of {name} will be tried again: 'entrepot project' does it.")
    else:
        print(f"Nothing is in quarantine of {name}.")
