"""Ends what has been kept long enough, rule by rule, by the terms of the data map; leaves alone what is held. Repeatable.

Each rule is some transactions of bounded size, and each that ends something leaves an entry in the audit, in the transaction of
what it ended. Guests whom nothing is left to name lose their key; accounts that nobody uses are given to the erasure, with its
days of grace and a letter.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from entrepot.audit.commands import Entry, note_in
from entrepot.base.errors import NotFoundError
from entrepot.base.ids import lowest_at
from entrepot.base.limits import ERASURE_GRACE_DAYS, RETENTION_ROWS_MAX
from entrepot.base.time import Clock, utc
from entrepot.commerce.people.store import write_letter
from entrepot.privacy.erasing import ask_to_forget
from entrepot.record.named import queries
from entrepot.record.transaction import Record, Transaction
from entrepot.sealing.datamap import PERSONAL
from entrepot.sealing.sealing import Sealing
from entrepot.sealing.terms import Term

SQL = queries(__package__, "retention.sql")

ACTOR = "retention"
ACCOUNTS = "accounts"
LETTER = "unused"


class Ended(Struct, frozen=True, kw_only=True):
    """What a rule has ended: rows by statement, of what ended ``before``; ``held`` were due too, and are kept for a reason."""

    rule: str
    before: datetime
    rows: Mapping[str, int]
    keys: int
    held: int = 0


class Hold(Struct, frozen=True, kw_only=True):
    """What is kept as evidence: somebody's, or an order's, for a case."""

    about_id: UUID
    reference: str
    since: datetime
    by_whom: str


class _Tried(Exception):  # noqa: N818  # no error: it undoes what was only tried
    """Undoes a transaction that was to show what it would do."""


def terms() -> dict[str, Term]:
    """Return the terms that a rule ends, by the rule's name, in the order of the data map."""
    return {one.retention.rule: one.retention for one in PERSONAL if one.retention.rule}


def statements(rule: str) -> Iterator[str]:
    """Return the names of a rule's statements."""
    return (name for name in SQL if name.startswith(f"{rule}_"))


class Retention:
    """The retention of one cell."""

    def __init__(self, record: Record, cell: int, sealing: Sealing, clock: Clock) -> None:
        self._record, self._cell, self._sealing, self._clock = record, cell, sealing, clock

    async def run_due(self) -> int:
        """End everything that is due; returns how many rows that were."""
        return sum(sum(one.rows.values()) for one in await self.run())

    async def run(self, *, dry: bool = False) -> list[Ended]:
        """End everything that is due, and say what; ``dry`` says what the first transactions would end, and undoes them."""
        now = utc(self._clock.millis())
        return [await self._rule(rule, term.before(now), dry=dry) for rule, term in terms().items()]

    async def hold(self, about_id: UUID, reference: str, actor: str, *, lift: bool = False) -> bool:
        """Keep somebody's data, or an order's, for a case, or no longer; says whether that is a change."""
        async with self._record.transaction(self._cell, actor) as tx:
            if lift:
                changed = await tx.connection.fetchval(SQL["lift_hold"], about_id, reference) is not None
            else:
                now = utc(self._clock.millis())
                changed = await tx.connection.fetchval(SQL["put_hold"], about_id, reference, now, actor) is not None
            did = "privacy.lift_hold" if lift else "privacy.put_hold"
            await note_in(tx, _entry(tx, did, str(about_id), reference, subject=about_id))
        if lift and not changed:
            raise NotFoundError(f"Nothing of {about_id} is held for {reference}: see 'entrepot privacy holds'.")
        return changed

    async def holds(self) -> list[Hold]:
        """Return everything that is held."""
        async with self._record.reading() as connection:
            return [Hold(**row) for row in await connection.fetch(SQL["holds"])]

    async def _rule(self, rule: str, before: datetime, *, dry: bool) -> Ended:
        if rule == ACCOUNTS:
            return await self._accounts(before, dry=dry)
        rows, keys = dict.fromkeys(statements(rule), 0), 0
        for name in rows:
            while True:
                ended, destroyed = await self._step(name, before, dry=dry)
                rows[name] += ended
                keys += destroyed
                if ended < RETENTION_ROWS_MAX or dry:
                    break
        held = await self._held(before) if rule == "orders" else 0
        return Ended(rule=rule, before=before, rows=rows, keys=keys, held=held)

    async def _step(self, name: str, before: datetime, *, dry: bool) -> tuple[int, int]:
        ended, destroyed = 0, 0
        try:
            async with self._record.transaction(self._cell, ACTOR) as tx:
                found = await tx.connection.fetch(SQL[name], *self._due(before), RETENTION_ROWS_MAX)
                ended = len(found)
                subjects = {row["subject"] for row in found if row["subject"] is not None}
                destroyed = await self._destroy(tx, subjects)
                if dry:
                    raise _Tried  # noqa: TRY301  # a rollback is what makes it dry
                if ended:
                    await note_in(tx, _entry(tx, f"retention.{name}", f"{ended}.rows", f"before {before:%Y-%m-%d}"))
        except _Tried:
            pass
        return ended, destroyed

    async def _destroy(self, tx: Transaction, subjects: set[UUID]) -> int:
        """Destroy the keys of guests whom nothing is left of; who has an account keeps theirs."""
        alone = [row["subject"] for row in await tx.connection.fetch(SQL["kept_by_nothing"], self._cell, subjects)]
        for subject in alone:
            await self._sealing.destroy(tx.connection, subject)
        return len(alone)

    async def _accounts(self, before: datetime, *, dry: bool) -> Ended:
        async with self._record.reading() as connection:
            due = await connection.fetch(SQL["accounts_unused"], *self._due(before), RETENTION_ROWS_MAX)
        now, grace = utc(self._clock.millis()), timedelta(days=ERASURE_GRACE_DAYS)
        for row in () if dry else due:
            async with self._record.transaction(self._cell, ACTOR) as tx:
                asked = await ask_to_forget(tx, self._sealing, str(row["subject"]), now, grace)
                await write_letter(tx.connection, tx.ids.fresh(), row["subject"], LETTER, now)
                entry = _entry(tx, "retention.accounts_unused", str(asked.id), f"before {before:%Y-%m-%d}", row["subject"])
                await note_in(tx, entry)
        return Ended(rule=ACCOUNTS, before=before, rows={"accounts_unused": len(due)}, keys=0)

    async def _held(self, before: datetime) -> int:
        async with self._record.reading() as connection:
            return int(await connection.fetchval(SQL["held"], *self._due(before)))

    def _due(self, before: datetime) -> tuple[int, datetime, UUID]:
        return self._cell, before, lowest_at(int(before.timestamp() * 1_000))


def _entry(tx: Transaction, action: str, about: str, why: str, subject: UUID | None = None) -> Entry:
    return Entry(
        id=tx.ids.fresh(),
        at=tx.clock.tick(),
        kind="command",
        actor=tx.actor,
        action=action,
        object=about,
        why=why,
        subject=subject,
    )
