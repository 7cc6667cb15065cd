"""What somebody who is in changes about how they prove who they are: codes, passkeys, API keys, other providers.

The caller has made sure that they proved it a moment ago (``step_up``).
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError, NotFoundError, TokenRefusedError
from entrepot.commerce.people import commands, passkeys, rules, second_factor, session_store
from entrepot.commerce.people import credential_store as store
from entrepot.commerce.people.ceremonies import Ceremonies
from entrepot.commerce.people.credential_store import StoredPasskey
from entrepot.commerce.people.door import EMAIL, Ceremony, seed_name
from entrepot.commerce.people.passkeys import Site
from entrepot.commerce.people.sessions import tell_ended
from entrepot.commerce.people.tokens import KEY, Proof
from entrepot.record.transaction import Connection, Transaction
from entrepot.sealing.sealing import Sealing

_ADD_PASSKEY = "add-passkey"
_ADDED, _REMOVED = "credential_added", "credential_removed"


class TotpBegun(Struct, frozen=True, kw_only=True):
    """A seed for an authenticator, and the address that it reads as a picture; good once a code of it has come back."""

    seed: str
    address: str


class RecoveryCodes(Struct, frozen=True, kw_only=True):
    """Codes for who has lost the authenticator: each is good once, and they are shown once."""

    codes: list[str]


class KeyDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An API key to be: a label to know it by, what it may do (``*``: all that its owner may), for how many days."""

    label: str
    scopes: list[str]
    days: int = 90


class KeyIssued(Struct, frozen=True, kw_only=True):
    """An API key: shown this once."""

    id: UUID
    key: str
    label: str
    scopes: list[str]
    expires_at: datetime


async def email_of(connection: Connection, sealing: Sealing, person_id: UUID) -> str:
    """Return the address that somebody signs in as; empty where there is none."""
    sealed = await store.login_sealed(connection, person_id)
    return (await sealing.unseal(person_id, {EMAIL: sealed}))[EMAIL] or "" if sealed else ""


async def begin_totp(tx: Transaction, sealing: Sealing, person_id: UUID) -> TotpBegun:
    """Make a seed, which counts once a code of it is given."""
    seed = second_factor.new_seed(tx.ids.secret())
    if not await store.begin_totp(tx.connection, person_id, sealing.seal_secret(seed_name(person_id), seed)):
        raise ConflictError("Codes are asked for already: remove them first.")
    address = second_factor.seed_address(seed, await email_of(tx.connection, sealing, person_id))
    return TotpBegun(seed=seed, address=address)


async def confirm_totp(tx: Transaction, sealing: Sealing, person_id: UUID, code: str, now: datetime) -> RecoveryCodes:
    """Ask for codes of this authenticator from now on; returns recovery codes."""
    sealed = await store.unconfirmed_totp(tx.connection, person_id)
    if sealed is None:
        raise NotFoundError("No authenticator waits to be confirmed: begin with a new seed.")
    seed = sealing.unseal_secret(seed_name(person_id), sealed)
    step = second_factor.accepted_step(seed, code, now.timestamp(), 0)
    if step is None:
        raise BadInputError("The code is not the authenticator's: type the one that it shows now.", field="code")
    await store.confirm_totp(tx.connection, person_id, now, step)
    await commands.tell_credential(tx, person_id, "totp", None, now, added=True, letter=_ADDED)
    return await new_recovery_codes(tx, person_id, now)


async def remove_totp(tx: Transaction, person_id: UUID, now: datetime) -> None:
    """Ask for codes no longer; recovery codes are over too."""
    if not await store.remove_totp(tx.connection, person_id):
        raise NotFoundError("No codes are asked for: there is nothing to remove.")
    await store.replace_recovery_codes(tx.connection, person_id, [])
    await commands.tell_credential(tx, person_id, "totp", None, now, added=False, removed=True, letter=_REMOVED)


async def new_recovery_codes(tx: Transaction, person_id: UUID, now: datetime) -> RecoveryCodes:
    """Make recovery codes in place of those that there were."""
    codes = [second_factor.recovery_code(tx.ids.secret()) for _ in range(limits.RECOVERY_CODES)]
    hashes = [second_factor.recovery_hash(code) for code in codes]
    await store.replace_recovery_codes(tx.connection, person_id, hashes)
    await commands.tell_credential(tx, person_id, "recovery_codes", None, now, added=True)
    return RecoveryCodes(codes=codes)


async def begin_passkey(
    tx: Transaction, sealing: Sealing, ceremonies: Ceremonies, site: Site, person_id: UUID
) -> tuple[UUID, dict[str, Any]]:
    """Return what a browser asks its authenticator for, and the id that ends it."""
    known = await store.credentials_of(tx.connection, person_id)
    if len(known) >= limits.PASSKEYS_MAX:
        raise ConflictError(f"There are {len(known)} passkeys, which is the most: remove one first.")
    challenge = tx.ids.secret()
    id_ = await ceremonies.begin(_ADD_PASSKEY, Ceremony(challenge, person_id))
    email = await email_of(tx.connection, sealing, person_id)
    return id_, passkeys.registration(site, person_id, email, challenge, known)


async def add_passkey(
    tx: Transaction,
    ceremonies: Ceremonies,
    site: Site,
    person_id: UUID,
    ceremony_id: UUID,
    credential: dict[str, Any],
    now: datetime,
) -> UUID:
    """Keep the passkey that an authenticator has made; returns its id."""
    ceremony = await ceremonies.end(_ADD_PASSKEY, ceremony_id, Ceremony)
    if ceremony.person_id != person_id:
        raise TokenRefusedError("challenge")
    made = passkeys.registered(site, ceremony.challenge, credential)
    kept = StoredPasskey(tx.ids.fresh(), person_id, made.credential_id, made.public_key, made.sign_count)
    if not await store.add_passkey(tx.connection, kept, backed_up=made.backed_up, now=now):
        raise ConflictError("This passkey is there already.")
    await commands.tell_credential(tx, person_id, "passkey", kept.id, now, added=True, letter=_ADDED)
    return kept.id


async def remove_passkey(tx: Transaction, person_id: UUID, passkey_id: UUID, now: datetime) -> None:
    """Forget a passkey."""
    if not await store.remove_passkey(tx.connection, person_id, passkey_id):
        raise NotFoundError(f"There is no passkey {passkey_id} of yours.", passkey_id=str(passkey_id))
    await commands.tell_credential(tx, person_id, "passkey", passkey_id, now, added=False, removed=True, letter=_REMOVED)


async def issue_key(tx: Transaction, person_id: UUID, draft: KeyDraft, now: datetime) -> KeyIssued:
    """Make an API key; its text is returned, and kept nowhere."""
    await commands.locked(tx, person_id)
    there = len(await session_store.good_keys(tx.connection, person_id, now))
    rules.check_key(draft.label, draft.scopes, draft.days, there)
    proof = Proof(KEY, tx.ids.unguessable(), tx.ids.secret())
    ends = now + timedelta(days=draft.days)
    await session_store.add_key(tx.connection, proof, person_id, draft.label, draft.scopes, now=now, expires_at=ends)
    await commands.tell_credential(tx, person_id, "api_key", proof.id, now, added=True)
    return KeyIssued(id=proof.id, key=str(proof), label=draft.label, scopes=draft.scopes, expires_at=ends)


async def end_key(tx: Transaction, person_id: UUID, key_id: UUID, now: datetime) -> None:
    """Refuse an API key from now on; it is to be doubted once this is committed."""
    if not await session_store.end_key(tx.connection, person_id, key_id, now):
        raise NotFoundError(f"There is no API key {key_id} of yours.", key_id=str(key_id))
    await commands.tell_credential(tx, person_id, "api_key", key_id, now, added=False, removed=True)
    await tell_ended(tx, person_id, [key_id], "revoked")


async def link_provider(tx: Transaction, person_id: UUID, provider: str, subject_blind: bytes, now: datetime) -> None:
    """Let somebody in from now on whom another provider knows by this name."""
    if not await store.link_external(tx.connection, provider, subject_blind, person_id, now):
        raise ConflictError(f"This identity of {provider} signs somebody in already.", provider=provider)
    await commands.tell_credential(tx, person_id, "external_login", None, now, added=True, letter=_ADDED)


async def unlink_provider(tx: Transaction, person_id: UUID, provider: str, now: datetime) -> None:
    """Take no word of another provider any more."""
    if not await store.unlink_external(tx.connection, person_id, provider):
        raise NotFoundError(f"Nothing of {provider[:40]!r} signs you in.", provider=provider[:40])
    await commands.tell_credential(tx, person_id, "external_login", None, now, added=False, removed=True, letter=_REMOVED)
