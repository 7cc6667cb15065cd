"""What a command line leaves in the audit: one entry for each verb that shows or changes data, which is its events' cause.

Knows no verb. Arguments are not kept, but for the ids among them.
"""

import asyncio
import getpass
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import asyncpg
from cyclopts import CycloptsError

from entrepot.access.told import Told
from entrepot.audit.commands import Entry, note_in
from entrepot.audit.store import ensure_partitions
from entrepot.base.errors import EntrepotError
from entrepot.base.ids import IdSource
from entrepot.base.principal import SYSTEM
from entrepot.base.time import SystemClock, utc
from entrepot.record.cause import Cause, causing
from entrepot.record.transaction import Record, open_record
from entrepot.settings import Settings, load

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DONE, _INTERRUPTED, _UNEXPECTED = 200, 499, 500


@contextmanager
def noted(names: Sequence[str], arguments: Sequence[str]) -> Iterator[None]:
    """Note what is done in the block, ``names`` being its verbs; a block whose entry cannot be written has failed."""
    cause = Cause(IdSource().fresh())
    try:
        with causing(cause):
            yield
    except CycloptsError:
        raise  # nothing was done
    except (Exception, KeyboardInterrupt) as error:
        with suppress(EntrepotError, OSError):  # why the verb failed is told, and is why its entry cannot be written, too
            asyncio.run(_note(cause, names, arguments, *_outcome(error)))
        raise
    asyncio.run(_note(cause, names, arguments, _DONE, ""))


async def _note(cause: Cause, names: Sequence[str], arguments: Sequence[str], status: int, problem: str) -> None:
    settings = load(os.environ)
    if not settings.engines.record:
        return
    ids = _ID.findall(" ".join(arguments))
    async with await open_record(settings.engines.record, connections=1) as record:
        cause.tells_of(await Told(record, settings.cell).of(" ".join(ids)))
        entry = Entry(
            id=cause.id,
            at=record.clock.tick(),
            kind="command",
            actor=actor(),
            action=" ".join(["entrepot", *names]),
            object="/".join(ids),
            subject=cause.subject,
            others=cause.others,
            status=status,
            problem=problem,
        )
        await _write(record, settings, entry)


async def _write(record: Record, settings: Settings, entry: Entry) -> None:
    try:
        async with record.transaction(settings.cell) as tx:
            await note_in(tx, entry)
    except asyncpg.CheckViolationError:  # nobody has opened the house for days: there is no partition of today
        async with await open_record(settings.engines.owner, connections=1) as owner, owner.committing() as connection:
            await ensure_partitions(connection, utc(SystemClock().millis()))
        async with record.transaction(settings.cell) as tx:
            await note_in(tx, entry)


def actor() -> str:
    """Return who runs this: the house itself, by the hand of a user of this machine."""
    try:
        return f"{SYSTEM}/{getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name
        return f"{SYSTEM}/{os.getuid()}"


def _outcome(error: BaseException) -> tuple[int, str]:
    if isinstance(error, EntrepotError):
        return error.status, error.slug
    return (_INTERRUPTED, "interrupted") if isinstance(error, KeyboardInterrupt) else (_UNEXPECTED, "unexpected")
