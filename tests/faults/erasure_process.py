"""The erasure in a process of its own, standing still where the test will kill it: arguments are settings, erasure and step."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from entrepot.app import behaviour_table, opened
from entrepot.base.time import FixedClock, SystemClock
from entrepot.privacy.certificate import Certifier
from entrepot.privacy.copies import Copies
from entrepot.privacy.erasing import Erasing
from entrepot.privacy.scanner import Scanner
from entrepot.privacy.store import Erasure
from entrepot.record.transaction import Connection, Transaction
from entrepot.sealing.signing import SigningKey
from entrepot.settings import Settings

# In the transaction that forgets; when copies are cleared and nobody has noted it; in the transaction that certifies.
STEPS = ("forgetting", "clearing", "certifying")
# The erasure is due for this process alone: the job of a house that runs beside it leaves it alone.
LATER_MILLIS = 2 * 86_400_000


async def _stop(step: str) -> None:
    if sys.argv[3] == step:
        print(step, flush=True)  # noqa: T201  # the test waits for this line
        await asyncio.Event().wait()


class StoppingErasing(Erasing):
    """Stands still before its transaction commits."""

    async def _forget(self, tx: Transaction, one: Erasure, now: datetime) -> list[UUID]:
        done = await super()._forget(tx, one, now)
        await _stop("forgetting")
        return done


class StoppingCopies(Copies):
    """Stands still when all is cleared."""

    async def clear(self, one: Erasure, known: Sequence[str]) -> dict[str, int]:
        """Clear everything, say so, and stand still."""
        removed = await super().clear(one, known)
        await _stop("clearing")
        return removed


class StoppingCertifier(Certifier):
    """Stands still in the transaction that keeps the certificate."""

    async def _key(self, connection: Connection) -> SigningKey:
        await _stop("certifying")
        return await super()._key(connection)


async def main(told: Path, erasure: UUID) -> None:
    """Take one erasure as far as it goes, until killed."""
    settings = msgspec.json.decode(told.read_bytes(), type=Settings, dec_hook=lambda kind, value: kind(value))
    async with opened(settings) as app:
        record, cell, sealing, clock = app.record, settings.cell, app.sealing, FixedClock(SystemClock().millis() + LATER_MILLIS)
        copies = StoppingCopies(
            record,
            app.live,
            app.subscriptions,
            app.drawer,
            sealing,
            settings.home / "mail",
            app.stores.columns,
            behaviour_table(app),
        )
        certifier = StoppingCertifier(record, cell, sealing, clock, Scanner(settings))
        await StoppingErasing(record, cell, sealing, app.people.sessions, clock, copies, certifier).finish(erasure)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), UUID(sys.argv[2])))
