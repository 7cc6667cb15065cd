"""A key that a program of the house's own works by, for as long as it runs. Nobody else is given one by this way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from entrepot.base.principal import Membership
from entrepot.base.time import SystemClock, utc
from entrepot.commerce.people import commands, credentials
from entrepot.commerce.people.credentials import KeyDraft
from entrepot.commerce.people.sessions import Sessions
from entrepot.record.transaction import Record

INTEGRATION = "integration"


@asynccontextmanager
async def lent_key(record: Record, sessions: Sessions, cell: int, label: str, *, role: str = INTEGRATION) -> AsyncIterator[str]:
    """Give an API key of a service account with this role, which may all that the role may; both end with the block."""
    clock = SystemClock()
    async with record.transaction(cell, "system") as tx:
        now = utc(clock.millis())
        person_id = await commands.add_service(tx, [Membership(role)], now)
        issued = await credentials.issue_key(tx, person_id, KeyDraft(label=label, scopes=["*"], days=1), now)
    try:
        yield issued.key
    finally:
        async with record.transaction(cell, "system") as tx:
            changed = await commands.suspend(tx, person_id, utc(clock.millis()))
        await sessions.doubt(changed.ended)
