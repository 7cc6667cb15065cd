"""The commands on people: register, confirm, change what is known of somebody and what they are. Time comes in as ``now``.

Values that are personal come in open and are sealed here; passwords come in hashed. Who may ask is decided elsewhere.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base.errors import ConflictError, NotFoundError, TokenRefusedError
from entrepot.base.event import Token
from entrepot.base.principal import Membership
from entrepot.commerce.approval import commands as approvals
from entrepot.commerce.people import credential_store, residence, rules, session_store, store, tokens
from entrepot.commerce.people.door import EMAIL
from entrepot.commerce.people.events import (
    CONSENT_CHANGED,
    CREDENTIAL_CHANGED,
    PERSON_CHANGED,
    ConsentChanged,
    CredentialChanged,
    CredentialKind,
    PersonChanged,
)
from entrepot.commerce.people.rules import AddressDraft, ProfileDraft
from entrepot.commerce.people.sessions import tell_ended
from entrepot.commerce.people.store import StoredPerson
from entrepot.commerce.people.tokens import LINK, Proof
from entrepot.record.transaction import Fact, Transaction
from entrepot.sealing.blind import email_normal, phone_normal
from entrepot.sealing.sealing import Sealing

NAME, PHONE, ADDRESS = "identity.person.name", "identity.person.phone", "identity.address.address"


class RolesChanged(Struct, frozen=True, kw_only=True):
    """Somebody's roles after a command, and the sessions and keys to be doubted once it is committed."""

    memberships: list[Membership]
    ended: list[UUID]


async def register(tx: Transaction, sealing: Sealing, email: str, language: str, asked: Proof, now: datetime) -> None:
    """Begin an account and write to its address, or write there that it has one: the caller learns neither.

    There is no password yet: it is chosen by who opens the letter, so that nobody can prepare an account for another's address.
    ``asked`` is given to who asks: without it the letter's link is good for nothing.
    """
    rules.check_email(email)
    rules.check_language(language)
    blind = sealing.blind(EMAIL, email_normal(email))
    found = await store.person_by_email(tx.connection, blind)
    if found is None:
        person_id = tx.ids.fresh()
        sealed = await sealing.seal(person_id, {EMAIL: email.strip()})
        await store.add_person(tx.connection, tx.cell, person_id, "person", "unverified", language, now)
        if not await store.add_login(tx.connection, person_id, sealed[EMAIL], blind):
            raise ConflictError("Somebody registers with the same address at this moment: try again.")
        await _tell(tx, person_id, "registered")
        await store.write_letter(tx.connection, tx.ids.fresh(), person_id, "verify", now, asked_hash=asked.hash)
        return
    about = "verify" if found[1] == "unverified" else "known"
    await store.write_letter(tx.connection, tx.ids.fresh(), found[0], about, now, asked_hash=asked.hash)


async def ask_by_mail(tx: Transaction, sealing: Sealing, email: str, about: str, asked: Proof, now: datetime) -> None:
    """Write a letter (``reset``, ``sign_in``) to who signs in by this address, if anybody does: the caller learns nothing."""
    found = await store.person_by_email(tx.connection, sealing.blind(EMAIL, email_normal(email)))
    if found is not None and rules.may_be_let_in(found[1]):
        await store.write_letter(tx.connection, tx.ids.fresh(), found[0], about, now, asked_hash=asked.hash)


async def confirm(tx: Transaction, token: str, asked: str, now: datetime) -> UUID:
    """Use up a link that was mailed for ``verify``: its person is active from now on."""
    link = await _used(tx, token, "verify", asked, now)
    person = await locked(tx, link.person_id)
    rules.PERSON.check(person.id, person.state, "active")
    await store.set_state(tx.connection, person.id, "active", now)
    await _tell(tx, person.id, "verified")
    return person.id


async def check_password(tx: Transaction, sealing: Sealing, person_id: UUID, password: str) -> None:
    """Refuse a password that holds the address of its person (it was looked up in the list before it was hashed)."""
    sealed = await credential_store.login_sealed(tx.connection, person_id)
    opened = await sealing.unseal(person_id, {EMAIL: sealed}) if sealed else {}
    rules.check_password(password, frozenset(), rules.context_of(opened.get(EMAIL) or ""))


async def set_password(tx: Transaction, person_id: UUID, hash_: str, now: datetime) -> None:
    """Set somebody's password; links to choose another are over. The caller ends the sessions."""
    added = await credential_store.set_password(tx.connection, person_id, hash_, now)
    await credential_store.end_links(tx.connection, person_id, "reset", now)
    await tell_credential(tx, person_id, "password", None, now, added=added, letter="" if added else "password_changed")


async def reset(tx: Transaction, token: str, asked: str, hash_: str, now: datetime) -> UUID:
    """Use up a link that was mailed for ``reset``, and set the password."""
    link = await _used(tx, token, "reset", asked, now)
    await set_password(tx, link.person_id, hash_, now)
    return link.person_id


async def ask_new_email(tx: Transaction, sealing: Sealing, person_id: UUID, email: str, asked: Proof, now: datetime) -> None:
    """Write a letter to the address that somebody wants to use; it is used once they have opened it."""
    rules.check_email(email)
    sealed = await sealing.seal(person_id, {EMAIL: email.strip()})
    await store.write_letter(tx.connection, tx.ids.fresh(), person_id, "email", now, sealed[EMAIL], asked_hash=asked.hash)


async def change_email(tx: Transaction, sealing: Sealing, token: str, asked: str, now: datetime) -> UUID:
    """Use up a link that was mailed to a new address: it is what its person signs in as; the old one is told."""
    link = await _used(tx, token, "email", asked, now)
    person = await locked(tx, link.person_id)
    assert link.email_sealed is not None
    email = (await sealing.unseal(person.id, {EMAIL: link.email_sealed}))[EMAIL] or ""
    old = await credential_store.login_sealed(tx.connection, person.id)
    blind = sealing.blind(EMAIL, email_normal(email))
    if not await store.change_login(tx.connection, person.id, link.email_sealed, blind):
        raise TokenRefusedError("link")  # that the address is somebody's is told to nobody
    await store.write_letter(tx.connection, tx.ids.fresh(), person.id, "email_changed", now, old)
    await tell_credential(tx, person.id, "email", None, now, added=False)
    return person.id


async def save_profile(tx: Transaction, sealing: Sealing, person_id: UUID, draft: ProfileDraft, country: str = "") -> Token:
    """Save what somebody tells of themselves; ``country`` is their market's."""
    rules.check_profile(draft)
    person = await locked(tx, person_id)
    await residence.move(tx, person_id, person.region, residence.region_for(draft.region, country, person.region))
    sealed = await sealing.seal(person_id, {NAME: draft.name, PHONE: draft.phone})
    blind = sealing.blind(PHONE, phone_normal(draft.phone)) if draft.phone else None
    await store.set_profile(
        tx.connection, person_id, sealed[NAME], sealed[PHONE], blind, draft.language, draft.market, draft.currency
    )
    return await _tell(tx, person_id, "profile changed")


async def save_address(
    tx: Transaction, sealing: Sealing, person_id: UUID, address_id: UUID | None, draft: AddressDraft, now: datetime
) -> UUID:
    """Add an address, or change one; returns its id."""
    person = await locked(tx, person_id)
    await residence.move(tx, person_id, person.region, residence.region_for("", draft.country, person.region))
    rules.check_address(draft, 0 if address_id else await store.count_addresses(tx.connection, person_id))
    sealed = await sealing.seal(person_id, {ADDRESS: msgspec.json.encode(draft).decode()})
    id_ = address_id or tx.ids.fresh()
    if address_id is not None:
        await known_address(tx, person_id, address_id)
    kept = await store.put_address(tx.connection, id_, person_id, draft.country, sealed[ADDRESS], usual=draft.usual, now=now)
    assert kept
    return id_


async def known_address(tx: Transaction, person_id: UUID, address_id: UUID) -> None:
    """Refuse an address that is not this person's."""
    if not await store.has_address(tx.connection, person_id, address_id):
        raise NotFoundError(f"There is no address {address_id} of yours.", address_id=str(address_id))


async def remove_address(tx: Transaction, person_id: UUID, address_id: UUID) -> None:
    """Forget an address."""
    if not await store.remove_address(tx.connection, person_id, address_id):
        raise NotFoundError(f"There is no address {address_id} of yours.", address_id=str(address_id))


async def give_consent(
    tx: Transaction, person_id: UUID, purpose: str, text_version: str, how: str, now: datetime
) -> Token | None:
    """Note that somebody agrees to a purpose, as this version of its text says it; None: they did so already."""
    rules.check_consent(purpose, text_version, how)
    await locked(tx, person_id)
    given = await store.given_consent(tx.connection, person_id, purpose)
    if given == text_version:
        return None
    if given is not None:  # an answer to another text does not stand for this one
        await store.withdraw_consent(tx.connection, person_id, purpose, now, "replaced")
    await store.give_consent(tx.connection, tx.ids.fresh(), person_id, purpose, text_version, how, now)
    return await _tell_consent(tx, person_id, purpose, text_version, how, given=True)


async def withdraw_consent(tx: Transaction, person_id: UUID, purpose: str, how: str, now: datetime) -> Token:
    """Note that somebody agrees to a purpose no longer."""
    await locked(tx, person_id)
    version = await store.withdraw_consent(tx.connection, person_id, purpose, now, how)
    if version is None:
        raise NotFoundError(f"Nothing is agreed to for {purpose[:40]!r}.", purpose=purpose[:40])
    return await _tell_consent(tx, person_id, purpose, version, how, given=False)


async def add_person(
    tx: Transaction, sealing: Sealing, email: str, roles: Sequence[Membership], now: datetime, *, language: str = "en"
) -> UUID:
    """Return who signs in by this address, active and with these roles: added, or found (an administrator vouches for it)."""
    person_id = await add_vouched(tx, sealing, email, now, language=language)
    if person_id is None:
        found = await store.person_by_email(tx.connection, sealing.blind(EMAIL, email_normal(email)))
        assert found is not None
        person_id = found[0]
        await make_active(tx, person_id, now)
    for one in roles:
        await grant(tx, person_id, one, now)
    return person_id


async def add_vouched(tx: Transaction, sealing: Sealing, email: str, now: datetime, *, language: str = "en") -> UUID | None:
    """Add somebody whose address somebody else vouches for, active at once; None: the address signs somebody in already."""
    rules.check_email(email)
    person_id, blind = tx.ids.fresh(), sealing.blind(EMAIL, email_normal(email))
    if await store.person_by_email(tx.connection, blind) is not None:
        return None
    sealed = await sealing.seal(person_id, {EMAIL: email.strip()})
    await store.add_person(tx.connection, tx.cell, person_id, "person", "active", language, now)
    if not await store.add_login(tx.connection, person_id, sealed[EMAIL], blind):
        raise ConflictError("Somebody registers with the same address at this moment: try again.")
    await _tell(tx, person_id, "added")
    return person_id


async def add_service(tx: Transaction, roles: Sequence[Membership], now: datetime) -> UUID:
    """Add a service account: it has no e-mail address and comes in by API keys alone."""
    person_id = tx.ids.fresh()
    await store.add_person(tx.connection, tx.cell, person_id, "service", "active", "en", now)
    await _tell(tx, person_id, "added")
    for one in roles:
        await grant(tx, person_id, one, now)
    return person_id


async def make_active(tx: Transaction, person_id: UUID, now: datetime) -> None:
    """Let somebody in who was not verified or suspended; nothing changes for who is active."""
    person = await locked(tx, person_id)
    shut_out = rules.is_shut_out(person.id, person.state)
    if not shut_out:
        return
    await store.set_state(tx.connection, person.id, "active", now)
    await _tell(tx, person.id, "let in")


async def suspend(tx: Transaction, person_id: UUID, now: datetime) -> RolesChanged:
    """Let somebody in no longer: every session ends, every key is refused."""
    person = await locked(tx, person_id)
    rules.PERSON.check(person.id, person.state, "suspended")
    await store.set_state(tx.connection, person.id, "suspended", now)
    await _tell(tx, person.id, "suspended")
    return RolesChanged(memberships=person.memberships, ended=await _end_all(tx, person_id, "suspended", now))


async def forget_unverified(tx: Transaction, person_id: UUID, now: datetime) -> None:
    """Forget somebody who never confirmed their address; that they were there stays."""
    person = await locked(tx, person_id)
    rules.PERSON.check(person.id, person.state, "erased")
    await store.forget_unverified(tx.connection, [person_id])
    await credential_store.forget_links(tx.connection, [person_id])
    await store.set_state(tx.connection, person_id, "erased", now)
    await _tell(tx, person_id, "never confirmed")


async def grant(tx: Transaction, person_id: UUID, one: Membership, now: datetime) -> RolesChanged:
    """Give a role; some take two people. Every session ends: what somebody is counts from the next time they sign in."""
    person = await locked(tx, person_id)
    rules.check_membership(one.role, one.tenant, len(person.memberships))
    await approvals.need(tx, rules.granting(person_id, one))
    if not await store.grant_role(tx.connection, person_id, one, now, tx.actor):
        return RolesChanged(memberships=person.memberships, ended=[])
    await _tell(tx, person_id, f"granted {one.role}")
    ended = await _end_all(tx, person_id, "roles changed", now)
    return RolesChanged(memberships=sorted([*person.memberships, one]), ended=ended)


async def revoke(tx: Transaction, person_id: UUID, one: Membership, now: datetime) -> RolesChanged:
    """Take a role. Every session ends."""
    person = await locked(tx, person_id)
    if not await store.revoke_role(tx.connection, person_id, one):
        raise NotFoundError(f"The person {person_id} does not hold {one.role} {one.tenant}.".replace(" .", "."))
    await _tell(tx, person_id, f"revoked {one.role}")
    ended = await _end_all(tx, person_id, "roles changed", now)
    return RolesChanged(memberships=[held for held in person.memberships if held != one], ended=ended)


async def issue_link(tx: Transaction, person_id: UUID, purpose: str, now: datetime, expires_at: datetime) -> str:
    """Return the token of a link that is good once, for who is to hand it over by other means than mail."""
    proof = Proof(LINK, tx.ids.fresh(), tx.ids.secret())
    await credential_store.add_link(tx.connection, person_id, purpose, proof, now=now, expires_at=expires_at)
    return str(proof)


async def locked(tx: Transaction, person_id: UUID) -> StoredPerson:
    """Return a person, locked; who is not there is refused."""
    person = await store.person_for_update(tx.connection, person_id)
    if person is None:
        raise NotFoundError(f"There is no person {person_id}.", person_id=str(person_id))
    return person


async def tell_credential(
    tx: Transaction,
    person_id: UUID,
    credential: CredentialKind,
    credential_id: UUID | None,
    now: datetime,
    *,
    added: bool,
    removed: bool = False,
    letter: str = "",
) -> Token:
    """Tell that what somebody proves themselves with has changed, and write to them about it."""
    change = "removed" if removed else "added" if added else "changed"
    body = CredentialChanged(id=person_id, credential=credential, change=change, credential_id=credential_id)  # type: ignore[arg-type]  # one of its three words
    if letter:
        await store.write_letter(tx.connection, tx.ids.fresh(), person_id, letter, now)
    version = await store.next_version(tx.connection, person_id)
    return await tx.append([Fact(CREDENTIAL_CHANGED, f"person/{person_id}", version, body, subject=person_id)])


async def _end_all(tx: Transaction, person_id: UUID, why: str, now: datetime) -> list[UUID]:
    """End every session, and doubt every key."""
    ended = await session_store.end_sessions(tx.connection, person_id, now, why)
    ended += await session_store.good_keys(tx.connection, person_id, now)
    if ended:
        await tell_ended(tx, person_id, ended, why)
    return ended


async def _used(tx: Transaction, token: str, purpose: str, asked: str, now: datetime) -> credential_store.StoredLink:
    proof = tokens.read(token, LINK, what="link")
    link = await credential_store.link(tx.connection, proof.id, now)
    if link is None or link.purpose != purpose or not proof.matches(link.secret_hash):
        raise TokenRefusedError("link")
    if not tokens.was_asked_by(asked, link.asked_hash):
        raise TokenRefusedError("link")
    if not await credential_store.use_link(tx.connection, link.id, now):
        raise TokenRefusedError("link")
    return link


async def _tell(tx: Transaction, person_id: UUID, why: str) -> Token:
    person = await locked(tx, person_id)
    version = await store.next_version(tx.connection, person_id)
    changed = PersonChanged(
        id=person.id,
        kind=person.kind,
        state=person.state,
        language=person.language,
        market=person.market,
        currency=person.currency,
        region=person.region,
        memberships=person.memberships,
        why=why,
    )
    return await tx.append([Fact(PERSON_CHANGED, f"person/{person_id}", version, changed, subject=person_id)])


async def _tell_consent(tx: Transaction, person_id: UUID, purpose: str, text_version: str, how: str, *, given: bool) -> Token:
    version = await store.next_version(tx.connection, person_id)
    body = ConsentChanged(id=person_id, purpose=purpose, text_version=text_version, given=given, how=how)
    return await tx.append([Fact(CONSENT_CHANGED, f"person/{person_id}", version, body, subject=person_id)])
