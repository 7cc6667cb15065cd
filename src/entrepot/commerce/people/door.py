"""The door: lets people in by password and code, by passkey, by a link that was mailed, by another provider's word.

Whatever is not right is refused by one sentence, after the same work. Says nothing of what anybody may do inside.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import EntrepotError, SignInNeededError, SignInRefusedError, TokenRefusedError
from entrepot.base.principal import Principal
from entrepot.base.time import Clock, utc
from entrepot.commerce.people import credential_store as store
from entrepot.commerce.people import passkeys, second_factor, tokens, tries
from entrepot.commerce.people.ceremonies import Ceremonies
from entrepot.commerce.people.credential_store import DoorRow
from entrepot.commerce.people.passkeys import Site
from entrepot.commerce.people.passwords import Passwords
from entrepot.commerce.people.sessions import Begun, Place, Sessions
from entrepot.commerce.people.store import write_letter
from entrepot.commerce.people.tokens import DEVICE, LINK, Proof
from entrepot.record.transaction import Record, Transaction
from entrepot.sealing.blind import email_normal
from entrepot.sealing.sealing import Sealing

EMAIL = "identity.login.email"
PASSKEY = "passkey"


class PasswordSignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody types: a code of the authenticator, or a recovery code, only if the account asks for one."""

    email: str
    password: str
    code: str = ""


class Ceremony(Struct, frozen=True):
    """A challenge that a passkey is to sign."""

    challenge: bytes
    person_id: UUID | None = None


class Entered(Struct, frozen=True, kw_only=True):
    """Somebody who was let in; ``device`` is a proof that this browser keeps, None when it has one."""

    session: Begun
    device: str | None = None


class _Second(Struct, frozen=True):
    """A second factor that is right and still to be used up."""

    method: str
    step: int | None = None
    recovery: bytes | None = None


class Door:
    """Every way in ends in ``_enter``, which begins the session."""

    def __init__(
        self,
        record: Record,
        cell: int,
        sealing: Sealing,
        sessions: Sessions,
        passwords: Passwords,
        ceremonies: Ceremonies,
        clock: Clock,
    ) -> None:
        self._record, self._cell, self._sealing, self._clock = record, cell, sealing, clock
        self._sessions, self._passwords, self._ceremonies = sessions, passwords, ceremonies

    async def by_password(self, given: PasswordSignIn, place: Place, device: str = "") -> Entered:
        """Let somebody in by password and, if they have one, second factor."""
        blind = self._sealing.blind(EMAIL, email_normal(given.email))
        async with self._record.committing() as connection:
            row = await store.door(connection, blind)
        own = await self._own_device(device, row.person_id if row else None)
        counted = tries.buckets(blind, place.network, own.id if own else None, known=own is not None)
        await tries.count(self._record, counted, self._now())
        second = await self._proved(row, given.password, given.code)
        assert row is not None  # else it was refused
        methods = ["password", second.method]
        entered = await self._enter(row.person_id, methods, place, second=second, device=own)
        await tries.take_back(self._record, counted)
        return entered

    async def begin_passkey(self, site: Site) -> tuple[UUID, dict[str, Any]]:
        """Return a challenge for whichever passkey a browser has for this site."""
        challenge = self._record.ids.secret()
        id_ = await self._ceremonies.begin(PASSKEY, Ceremony(challenge))
        return id_, passkeys.authentication(site, challenge)

    async def by_passkey(
        self, site: Site, ceremony_id: UUID, credential: dict[str, Any], place: Place, device: str = ""
    ) -> Entered:
        """Let somebody in by a passkey that has signed the challenge."""
        person_id = await self._signed(site, ceremony_id, credential)
        return await self._enter(person_id, ["passkey"], place, device=await self._own_device(device, person_id))

    async def by_link(self, token: str, place: Place, *, asked: str = "", code: str = "", device: str = "") -> Entered:
        """Let who asked for it in by a link that is good once; who has a second factor gives its code too."""
        proof = tokens.read(token, LINK, what="link")
        async with self._record.committing() as connection:
            found = await store.link(connection, proof.id, self._now())
            row = await store.door_of(connection, found.person_id) if found else None
        if found is None or row is None or found.purpose != "sign_in" or not proof.matches(found.secret_hash):
            raise TokenRefusedError("link")
        if not tokens.was_asked_by(asked, found.asked_hash):
            raise TokenRefusedError("link")
        counted = tries.buckets(proof.id.bytes, place.network, None, known=False)
        await tries.count(self._record, counted, self._now())
        second = await self._second(row, code)
        if second is None:
            raise SignInRefusedError
        own = await self._own_device(device, row.person_id)
        methods = ["link", second.method]
        entered = await self._enter(row.person_id, methods, place, second=second, device=own, link_id=found.id)
        await tries.take_back(self._record, counted)
        return entered

    async def by_provider(self, provider: str, subject: str, proved_at: datetime, place: Place, device: str = "") -> Entered:
        """Let somebody in whom another provider of identities knows by this name, and who proved it there at this moment."""
        async with self._record.committing() as connection:
            found = await store.external_person(connection, provider, self.subject_blind(provider, subject))
        if found is None or not found[1]:
            raise SignInRefusedError
        own = await self._own_device(device, found[0])
        return await self._enter(found[0], ["provider"], place, device=own, elsewhere=proved_at)

    def subject_blind(self, provider: str, subject: str) -> bytes:
        """Return what is kept of the name that a provider has for somebody."""
        return self._sealing.blind("identity.external_login.subject", f"{provider}\x1f{subject}")

    async def step_up(self, who: Principal, password: str, code: str, place: Place) -> Begun:
        """Take a fresh proof by password (and code) from somebody who is in; their session gets a new token."""
        session_id, person_id = _in_session(who)
        async with self._record.committing() as connection:
            row = await store.door_of(connection, person_id)
        counted = tries.buckets(person_id.bytes, place.network, session_id, known=True)
        await tries.count(self._record, counted, self._now())
        second = await self._proved(row, password, code)
        async with self._record.transaction(self._cell, str(who)) as tx:
            await self._use_up(tx, person_id, second)
            begun = await self._sessions.renew(tx, who, [method for method in ("password", second.method) if method])
        await self._sessions.doubt([session_id])
        await tries.take_back(self._record, counted)
        return begun

    async def step_up_passkey(self, who: Principal, site: Site, ceremony_id: UUID, credential: dict[str, Any]) -> Begun:
        """Take a fresh proof by passkey from somebody who is in."""
        session_id, person_id = _in_session(who)
        if await self._signed(site, ceremony_id, credential) != person_id:
            raise SignInRefusedError
        async with self._record.transaction(self._cell, str(who)) as tx:
            begun = await self._sessions.renew(tx, who, ["passkey"])
        await self._sessions.doubt([session_id])
        return begun

    async def _proved(self, row: DoorRow | None, password: str, code: str) -> _Second:
        """Return the second factor when all is right; the password is hashed whatever is known by then."""
        right = await self._passwords.matches(password, row.hash if row else None)
        second = await self._second(row, code) if row else None
        if row is None or second is None or not (right and row.open):
            raise SignInRefusedError
        if row.hash is not None and self._passwords.outdated(row.hash):
            renewed = await self._passwords.hash(password)
            async with self._record.committing() as connection:
                await store.rehash_password(connection, row.person_id, row.hash, renewed)
        return second

    async def _second(self, row: DoorRow, code: str) -> _Second | None:
        if row.seed_sealed is None:
            return _Second("")
        seed = self._sealing.unseal_secret(seed_name(row.person_id), row.seed_sealed)
        step = second_factor.accepted_step(seed, code, self._clock.millis() / 1_000, row.step or 0)
        if step is not None:
            return _Second("totp", step=step)
        hash_ = second_factor.recovery_hash(code)
        async with self._record.committing() as connection:
            good = await store.is_recovery_code(connection, row.person_id, hash_)
        return _Second("recovery_code", recovery=hash_) if good else None

    async def _signed(self, site: Site, ceremony_id: UUID, credential: dict[str, Any]) -> UUID:
        """Return whose passkey has signed the challenge."""
        ceremony = await self._ceremonies.end(PASSKEY, ceremony_id, Ceremony)
        async with self._record.committing() as connection:
            kept = await store.passkey(connection, passkeys.credential_id_of(credential))
        if kept is None:
            raise SignInRefusedError
        count = passkeys.authenticated(site, ceremony.challenge, credential, kept)
        async with self._record.committing() as connection:
            await store.use_passkey(connection, kept.id, count, self._now())
        return kept.person_id

    async def _enter(
        self,
        person_id: UUID,
        methods: Sequence[str],
        place: Place,
        *,
        second: _Second | None = None,
        device: Proof | None = None,
        link_id: UUID | None = None,
        elsewhere: datetime | None = None,
    ) -> Entered:
        async with self._record.transaction(self._cell, f"person/{person_id}") as tx:
            now = self._now()
            row = await store.door_of(tx.connection, person_id)
            if row is None or not row.open:
                raise SignInRefusedError
            if link_id is not None and not await store.use_link(tx.connection, link_id, now):
                raise TokenRefusedError("link")
            if second is not None:
                await self._use_up(tx, person_id, second)
            begun = await self._sessions.begin(tx, person_id, [method for method in methods if method], place, elsewhere)
            fresh = None if device else await self._welcome(tx, person_id, now)
            if device is not None:
                await store.device_seen(tx.connection, device.id, now)
        return Entered(session=begun, device=str(fresh) if fresh else None)

    async def _use_up(self, tx: Transaction, person_id: UUID, second: _Second) -> None:
        """Use up a code: of two who send the same at once, one is let in."""
        if second.step is not None and not await store.use_step(tx.connection, person_id, second.step):
            raise SignInRefusedError
        if second.recovery is not None:
            if not await store.use_recovery_code(tx.connection, person_id, second.recovery, self._now()):
                raise SignInRefusedError
            await write_letter(tx.connection, tx.ids.fresh(), person_id, "recovery_code_used", self._now())

    async def _welcome(self, tx: Transaction, person_id: UUID, now: datetime) -> Proof:
        """Remember a device that was not known, and tell its owner, unless it is their first."""
        if await store.count_devices(tx.connection, person_id):
            await write_letter(tx.connection, tx.ids.fresh(), person_id, "new_device", now)
        proof = Proof(DEVICE, tx.ids.fresh(), tx.ids.secret())
        await store.add_device(tx.connection, proof, person_id, now)
        return proof

    async def _own_device(self, text: str, person_id: UUID | None) -> Proof | None:
        """Return a device that has signed this person in before; anything else is a stranger's."""
        try:
            proof = tokens.read(text, DEVICE)
        except EntrepotError:
            return None
        async with self._record.committing() as connection:
            owner = await store.device_owner(connection, proof)
        return proof if owner is not None and owner == person_id else None

    def _now(self) -> datetime:
        return utc(self._clock.millis())


def seed_name(person_id: UUID) -> str:
    """Return what a TOTP seed is sealed as: it opens for its person alone."""
    return f"identity.totp.seed/{person_id}"


def _in_session(who: Principal) -> tuple[UUID, UUID]:
    if who.session is None or who.id is None:
        raise SignInNeededError
    return who.session, who.id
