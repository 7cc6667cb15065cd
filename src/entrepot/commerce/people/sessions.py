"""Who asks: sessions and API keys, from a token to a principal. The truth is in PostgreSQL; a drawer holds what is asked often.

A name in the drawer lives for a minute; then the truth is asked again, which is also how a session's last use is known. What
ends a session puts a doubt in its place, and while that lies there, nothing that was read before can be put back: so it is over
everywhere with the next request. The doubt is put there at once by who ended it, and again by a reaction to the event, which
outlasts a crash in between. Without the drawer every request asks the truth: slower, and as right.
"""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import EngineAwayError, TokenRefusedError
from entrepot.base.event import Event
from entrepot.base.principal import Membership, Principal
from entrepot.base.time import Clock, utc
from entrepot.commerce.people import session_store as store
from entrepot.commerce.people import tokens
from entrepot.commerce.people.drawer import Drawer
from entrepot.commerce.people.events import SESSIONS_ENDED, SessionsEnded
from entrepot.commerce.people.rules import lifetime
from entrepot.commerce.people.session_store import Held
from entrepot.commerce.people.store import next_version
from entrepot.commerce.people.tokens import KEY, SESSION, Proof
from entrepot.record.transaction import Fact, Record, Transaction
from entrepot.sealing.sealing import Sealing

log = structlog.get_logger()

PLACE = "identity.session.place"

_DOUBT = b"?"
_TRIES_MAX = 16


class Place(Struct, frozen=True, kw_only=True):
    """From where somebody asks, and by which program; ``network`` is the part of the address that one household shares."""

    address: str = ""
    network: str = ""
    agent: str = ""


class Begun(Struct, frozen=True, kw_only=True):
    """A session that has begun: its token is shown once."""

    token: str
    session_id: UUID
    person_id: UUID
    expires_at: datetime


class _Kept(Struct, frozen=True, array_like=True):
    """What lies in the drawer: the mark and the hash of the secret, and whom it stands for."""

    hash: bytes
    person_id: UUID
    methods: list[str]
    proved_at: datetime
    expires_at: datetime
    scopes: list[str]
    memberships: list[Membership]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


class Sessions:
    """``check`` is asked at each request; ``begin``, ``renew`` and ``end`` are part of the caller's transaction."""

    def __init__(self, record: Record, drawer: Drawer, sealing: Sealing, clock: Clock) -> None:
        self._record, self._drawer, self._sealing, self._clock = record, drawer, sealing, clock

    async def check(self, text: str) -> Principal:
        """Return who holds this token, or refuse it: unknown, expired, ended, or of somebody who may not come in."""
        proof = tokens.read(text, SESSION, KEY)
        kept, known = await self._remembered(proof)
        if (
            kept is not None
            and hmac.compare_digest(kept.hash, _marked(proof))
            and self._clock.millis() < kept.expires_at.timestamp() * 1_000
        ):
            return _principal(proof, kept)
        now = utc(self._clock.millis())
        async with self._record.committing() as connection:
            touch = store.touch_session if proof.mark == SESSION else store.touch_key
            held = await touch(connection, proof, now)
        if held is None:
            raise TokenRefusedError
        found = _kept(proof, held)
        if not known:
            await self._remember(proof, found, now)
        return _principal(proof, found)

    async def begin(
        self, tx: Transaction, person_id: UUID, methods: Sequence[str], place: Place, elsewhere: datetime | None = None
    ) -> Begun:
        """Begin a session of somebody who has proved who they are; beyond the most that one may have, the least used ends.

        ``elsewhere``: when they proved it to another provider, whose word is good for some hours.
        """
        now = utc(self._clock.millis())
        live = lifetime(await store.memberships(tx.connection, person_id))
        proved_at, ends = min(elsewhere or now, now), now + live.whole
        if elsewhere is not None:
            ends = min(ends, proved_at + timedelta(seconds=limits.PROVIDER_SECONDS))
        proof = Proof(SESSION, tx.ids.fresh(), tx.ids.secret())
        sealed = await self._sealing.seal(person_id, {PLACE: msgspec.json.encode(place).decode()})
        await store.add_session(
            tx.connection,
            proof,
            person_id,
            sorted(methods),
            place_sealed=sealed[PLACE],
            now=now,
            idle_seconds=int(live.idle.total_seconds()),
            expires_at=ends,
            proved_at=proved_at,
        )
        ended = await store.end_oldest(tx.connection, person_id, now, limits.SESSIONS_MAX)
        if ended:
            await tell_ended(tx, person_id, ended, "too many")
        return Begun(token=str(proof), session_id=proof.id, person_id=person_id, expires_at=ends)

    async def renew(self, tx: Transaction, who: Principal, methods: Sequence[str] = ()) -> Begun:
        """Give a session a new token, the old being refused from now on; ``methods`` are a fresh proof of who it is."""
        assert who.session is not None
        assert who.id is not None
        proof = Proof(SESSION, who.session, tx.ids.secret())
        now = utc(self._clock.millis())
        end = await store.renew_session(tx.connection, who.session, who.id, now, proof, methods)
        if end is None:
            raise TokenRefusedError
        await tell_ended(tx, who.id, [who.session], "renewed")
        return Begun(token=str(proof), session_id=who.session, person_id=who.id, expires_at=end)

    async def end(
        self, tx: Transaction, person_id: UUID, why: str, *, only: UUID | None = None, but: UUID | None = None
    ) -> list[UUID]:
        """End sessions of somebody (one, all but one, or all). ``doubt`` them when it is committed."""
        ended = await store.end_sessions(tx.connection, person_id, utc(self._clock.millis()), why, only=only, but=but)
        if ended:
            await tell_ended(tx, person_id, ended, why)
        return ended

    async def doubt(self, ids: Sequence[UUID]) -> None:
        """Let nobody remember these sessions and keys: the truth is asked. To be called after the commit that changed them."""
        for id_ in ids:
            try:
                await self._doubt(str(id_))
            except EngineAwayError as error:  # the reaction to the event does it as soon as the drawer is there again
                log.warning("sessions.not_doubted", why=str(error))

    async def forget(self, _tx: Transaction, events: Sequence[Event]) -> None:
        """React to sessions that have ended: whoever ended them may have died before they were doubted."""
        for event in events:
            for id_ in event.decode(SessionsEnded).credentials:
                await self._doubt(str(id_))

    async def _remembered(self, proof: Proof) -> tuple[_Kept | None, bool]:
        """Return what the drawer holds, and whether it holds anything, a doubt too."""
        try:
            found = await self._drawer.load(str(proof.id))
        except EngineAwayError:
            return None, True
        if found is None or found == _DOUBT:
            return None, found is not None
        try:
            return _decode(found), True
        except msgspec.DecodeError:  # of another version of ours
            return None, True

    async def _remember(self, proof: Proof, found: _Kept, now: datetime) -> None:
        seconds = min(limits.SESSION_KEPT_SECONDS, (found.expires_at - now).total_seconds())
        try:
            # Only where nothing lies: a doubt that was put there since stays.
            await self._drawer.put(str(proof.id), None, _encode(found), touched=None, seconds=max(seconds, 0.001))
        except EngineAwayError:
            return

    async def _doubt(self, name: str) -> None:
        for _ in range(_TRIES_MAX):
            was = await self._drawer.load(name)
            if await self._drawer.put(name, was, _DOUBT, touched=None, seconds=limits.SESSION_DOUBTED_SECONDS):
                return
        raise EngineAwayError("memory", f"a session was changed {_TRIES_MAX} times in a row")


async def tell_ended(tx: Transaction, person_id: UUID, ids: Sequence[UUID], why: str) -> None:
    """Tell that sessions or keys are over, or not what they were."""
    version = await next_version(tx.connection, person_id)
    body = SessionsEnded(id=person_id, credentials=list(ids), why=why)
    await tx.append([Fact(SESSIONS_ENDED, f"person/{person_id}", version, body, subject=person_id)])


def _marked(proof: Proof) -> bytes:
    """Return what is remembered of a proof: its mark too, since a key that calls itself a session would have no scopes."""
    return proof.mark.encode() + proof.hash


def _kept(proof: Proof, held: Held) -> _Kept:
    return _Kept(_marked(proof), held.person_id, held.methods, held.proved_at, held.expires_at, held.scopes, held.memberships)


def _principal(proof: Proof, kept: _Kept) -> Principal:
    is_key = proof.mark == KEY
    return Principal(
        kind="key" if is_key else "person",
        id=kept.person_id,
        key=proof.id if is_key else None,
        session=None if is_key else proof.id,
        memberships=frozenset(kept.memberships),
        scopes=frozenset(kept.scopes),
        methods=frozenset(kept.methods),
        proved_at=kept.proved_at,
        expires_at=kept.expires_at,
    )
