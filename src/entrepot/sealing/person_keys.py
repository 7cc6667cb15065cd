"""The opened keys of the subjects that this process deals with: bounded, asked for in batches, forgotten when destroyed.

It has one connection of its own, for asking and for hearing what was destroyed. Keys are remembered only while that connection
listens: when it is lost, all are forgotten and asked for again. A key is committed before anything is sealed under it, whatever
becomes of the caller's transaction: one that seals nothing does no harm, a value without its key would be lost.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from entrepot.base import engine_limits, limits
from entrepot.base.ending import ended
from entrepot.base.errors import EngineAwayError
from entrepot.partners.keys.port import KeyProvider, KeysRefusedError
from entrepot.record.pool import UNREACHABLE
from entrepot.sealing import store
from entrepot.sealing.envelope import SubjectKey, fresh_key, unwrap, wrap
from entrepot.sealing.ring import Ring, open_ring
from entrepot.sealing.store import PersonRow

_LOST = (*UNREACHABLE, asyncpg.PostgresError)


class _Asked:
    """A subject whose key is asked for, and whether it is to be made when there is none."""

    __slots__ = ("answer", "make")

    def __init__(self) -> None:
        self.answer: asyncio.Future[SubjectKey | None] = asyncio.get_running_loop().create_future()
        self.make = False


class PersonKeys:
    """``held`` answers from memory; ``of`` asks the database, together with everybody who asks in the same moment."""

    def __init__(self, url: str, provider: KeyProvider) -> None:
        self._url = url
        self._provider = provider
        self._opened: Ring | None = None
        self._ring_changed = False
        self._keys: OrderedDict[UUID, SubjectKey] = OrderedDict()
        self._destroyed: set[UUID] = set()  # heard of while the database was being asked
        self._asked: dict[UUID, _Asked] = {}
        self._due = asyncio.Event()
        self._connection: asyncpg.Connection | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def ring(self) -> Ring:
        """The ring as it was opened."""
        assert self._opened is not None, "opened first"
        return self._opened

    async def open(self) -> None:
        """Open the ring and begin to listen; a key-encryption key that does not fit is refused here."""
        try:
            await self._listening()
        except _LOST as error:
            raise EngineAwayError("record", str(error) or type(error).__name__) from error
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Forget every key."""
        if self._task is not None:
            await ended(self._task)
        self._lose()

    def held(self, subject: UUID) -> SubjectKey | None:
        """Return a key that is in memory."""
        key = self._keys.get(subject)
        if key is not None:
            self._keys.move_to_end(subject)
        return key

    async def of(self, subjects: Collection[UUID], *, make: bool) -> dict[UUID, SubjectKey | None]:
        """Return the keys of these subjects, if asked for made where there is none; None for a forgotten or unknown one."""
        found: dict[UUID, SubjectKey | None] = {}
        waiting: dict[UUID, _Asked] = {}
        for subject in subjects:
            held = self.held(subject)
            if held is not None:
                found[subject] = held
                continue
            asked = waiting[subject] = self._asked.setdefault(subject, _Asked())
            asked.make = asked.make or make
        if waiting:
            self._due.set()
            for subject, asked in waiting.items():
                found[subject] = await asyncio.shield(asked.answer)
        return found

    async def _run(self) -> None:
        """Ask for what is due; when nothing is, make sure now and then that the connection still hears."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limits.KEYS_HEARTBEAT_SECONDS):
                    await self._due.wait()
            self._due.clear()
            asked, self._asked = self._asked, {}
            try:
                await self._answer(asked)
            except Exception as error:  # noqa: BLE001  # whoever asked is told; the next who asks tries again
                self._lose()
                told = EngineAwayError("record", str(error) or type(error).__name__) if isinstance(error, _LOST) else error
                for one in asked.values():
                    if not one.answer.done():
                        one.answer.set_exception(told)
                        one.answer.exception()  # nobody may be waiting any more
            if asked:  # what is asked meanwhile is asked together: making keys is a commit, however many they are
                await asyncio.sleep(limits.KEYS_APART_SECONDS)

    async def _answer(self, asked: dict[UUID, _Asked]) -> None:
        connection = await self._listening()
        if not asked:
            await connection.execute("SELECT 1", timeout=engine_limits.PING_SECONDS_MAX)
            return
        self._destroyed.clear()
        rows = {
            row.subject: row for row in await store.person_keys(connection, [s for s, one in asked.items() if not one.make])
        }
        rows |= await self._made(connection, [subject for subject, one in asked.items() if one.make])
        if any(row.ring_key_id not in self.ring.keys for row in rows.values() if row.wrapped):
            await self._open_ring(connection)
        for subject, one in asked.items():
            key = self._key(rows.get(subject))
            if not one.answer.done():
                one.answer.set_result(key)

    async def _made(self, connection: asyncpg.Connection, subjects: Sequence[UUID]) -> dict[UUID, PersonRow]:
        """Return the keys of these subjects, made where there is none, under the ring key that is active by then."""
        rows: dict[UUID, PersonRow] = {}
        for _ in range(limits.KEYS_TRIES_MAX):
            missing = [subject for subject in subjects if subject not in rows]
            if not missing:
                break
            if self._ring_changed or rows:
                await self._open_ring(connection)
            ring = self.ring
            wrapped = [wrap(ring.keys[ring.active], subject, fresh_key()) for subject in missing]
            made = await store.make_person_keys(connection, missing, wrapped, ring.active)
            rows |= {row.subject: row for row in made}
            self._ring_changed = self._ring_changed or not made
        return rows

    def _key(self, row: PersonRow | None) -> SubjectKey | None:
        if row is None or row.wrapped is None or row.subject in self._destroyed:
            return None
        if row.ring_key_id not in self.ring.keys:
            raise KeysRefusedError(f"The ring key {row.ring_key_id} is not held any more: what it closed was restored alone.")
        key = SubjectKey(row.subject, unwrap(self.ring.keys[row.ring_key_id], row.subject, row.wrapped))
        self._keys[row.subject] = key
        if len(self._keys) > limits.KEYS_HELD_MAX:
            self._keys.popitem(last=False)
        return key

    async def _listening(self) -> asyncpg.Connection:
        """Return the connection, opened anew if it was lost."""
        if self._connection is None or self._connection.is_closed():
            self._lose()
            connection = await asyncpg.connect(
                self._url, timeout=limits.CONNECT_SECONDS_MAX, command_timeout=limits.STATEMENT_SECONDS_MAX
            )
            self._connection = connection
            connection.add_termination_listener(lambda _: self._keys.clear())
            await connection.add_listener(store.CHANNEL, self._heard)
            await self._open_ring(connection)
        return self._connection

    async def _open_ring(self, connection: asyncpg.Connection) -> None:
        self._ring_changed = False
        self._opened = await open_ring(connection, self._provider)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        if payload == store.RING_CHANGED:
            self._ring_changed = True
            return
        subject = UUID(str(payload))
        self._keys.pop(subject, None)
        self._destroyed.add(subject)

    def _lose(self) -> None:
        """Forget every key, and end the connection: what was destroyed meanwhile was not heard."""
        self._keys.clear()
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
