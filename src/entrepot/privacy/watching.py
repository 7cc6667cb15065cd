"""The search for card numbers as a job: once a day everything is looked through, and what is found is told, by its place.

The first search is a day after the first start: an installation that begins holds nothing yet.
"""

from datetime import datetime, timedelta

import structlog

from entrepot.base.errors import ConflictError
from entrepot.base.limits import CARD_SCAN_SECONDS
from entrepot.base.time import Clock, utc
from entrepot.jobs import store
from entrepot.privacy.scan.cards import CardNumbers
from entrepot.privacy.scanner import Scan, Scanner
from entrepot.record.transaction import Record

log = structlog.get_logger()

JOB = "card_scan"


class CardsKeptError(ConflictError):
    """Something that looks like a card number lies where none may be, or a place could not be looked at."""

    slug = "cards-kept"

    def __init__(self, found: Scan) -> None:
        super().__init__(
            f"What looks like a card number lies in {len(found.findings)} places: 'entrepot scan cards' names them.",
            places=found.findings,
        )


async def watch_cards(record: Record, scanner: Scanner, clock: Clock) -> int:
    """Search everything for card numbers where that is due; returns in how many places was looked."""
    async with record.committing() as connection:
        last = next((one.at for one in await store.runs(connection) if one.name == JOB), None)
        if last is None:
            await store.note_run(connection, JOB, 0, 0.0, None)
    if not is_due(last, utc(clock.millis())):
        return 0
    found = await scanner.look(CardNumbers())
    if found.findings:
        for one in found.findings:
            log.error("cards.found", place=one)
        raise CardsKeptError(found)
    return sum(one.places for one in found.sources)


def is_due(last: datetime | None, now: datetime) -> bool:
    """Say whether the last search was long enough ago; before the first there is one to wait for."""
    return last is not None and last + timedelta(seconds=CARD_SCAN_SECONDS) <= now
