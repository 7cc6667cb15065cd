"""What is asked about people, from the truth; reads only. What is personal is opened here, for who may see it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from entrepot.base.errors import TokenRefusedError
from entrepot.base.principal import Membership
from entrepot.commerce.people import credential_store, tokens
from entrepot.commerce.people.commands import ADDRESS, NAME, PHONE
from entrepot.commerce.people.credential_store import link as stored_link
from entrepot.commerce.people.door import EMAIL
from entrepot.commerce.people.events import PersonKind, PersonState
from entrepot.commerce.people.rules import AddressDraft
from entrepot.commerce.people.session_store import sessions as stored_sessions
from entrepot.commerce.people.sessions import PLACE, Place
from entrepot.commerce.people.store import memberships
from entrepot.record.named import queries
from entrepot.record.transaction import Connection
from entrepot.sealing.blind import email_normal
from entrepot.sealing.sealing import Sealing

SQL = queries(__package__, "query.sql")


class Profile(Struct, frozen=True, kw_only=True):
    """Somebody as they see themselves; ``signs_in_by`` are the ways in that they have beside a link by mail."""

    id: UUID
    kind: PersonKind
    state: PersonState
    email: str
    name: str
    phone: str
    language: str
    market: str
    currency: str
    region: str
    memberships: list[Membership]
    signs_in_by: list[str]
    recovery_codes_left: int
    created_at: datetime
    verified_at: datetime | None


class PersonLine(Struct, frozen=True, kw_only=True):
    """Somebody in a list."""

    id: UUID
    kind: PersonKind
    state: PersonState
    email: str
    memberships: list[Membership]
    created_at: datetime


class KeptAddress(Struct, frozen=True, kw_only=True):
    """An address and its id."""

    id: UUID
    address: AddressDraft


class Consent(Struct, frozen=True):
    """An answer that somebody gave: to which text, when and where, and until when."""

    purpose: str
    text_version: str
    how: str
    given_at: datetime
    withdrawn_at: datetime | None
    withdrawn_how: str


class Passkey(Struct, frozen=True):
    """A passkey; one that is backed up is on all devices of its owner."""

    id: UUID
    backed_up: bool
    created_at: datetime
    used_at: datetime | None


class Key(Struct, frozen=True):
    """An API key, as far as it is shown again."""

    id: UUID
    label: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class LiveSession(Struct, frozen=True, kw_only=True):
    """A session of somebody: from where, by which program, proved how."""

    id: UUID
    current: bool
    methods: list[str]
    address: str
    agent: str
    began_at: datetime
    seen_at: datetime
    expires_at: datetime


async def profile(connection: Connection, sealing: Sealing, person_id: UUID) -> Profile | None:
    """Return what is known of somebody, or None."""
    row = await connection.fetchrow(SQL["profile"], person_id)
    if row is None:
        return None
    sealed = {EMAIL: row["email_sealed"], NAME: row["name_sealed"], PHONE: row["phone_sealed"]}
    opened = await sealing.unseal(person_id, {field: value for field, value in sealed.items() if value})
    ways = {"password": row["has_password"], "totp": row["has_totp"]}
    return Profile(
        id=person_id,
        kind=row["kind"],
        state=row["state"],
        email=opened.get(EMAIL) or "",
        name=opened.get(NAME) or "",
        phone=opened.get(PHONE) or "",
        language=row["language"],
        market=row["market"],
        currency=row["currency"],
        region=row["region"],
        memberships=memberships(row["memberships"]),
        signs_in_by=[*(way for way, there in ways.items() if there), *row["providers"]],
        recovery_codes_left=row["recovery_codes"],
        created_at=row["created_at"],
        verified_at=row["verified_at"],
    )


async def people(connection: Connection, sealing: Sealing, after: UUID, role: str, limit: int) -> Sequence[PersonLine]:
    """Return people by id, from the first after ``after`` on; with a role, those who hold it."""
    rows = await connection.fetch(SQL["people"], after, role, limit)
    sealed = [(row["id"], {EMAIL: row["email_sealed"]} if row["email_sealed"] else {}) for row in rows]
    opened = await sealing.unseal_many(sealed)
    return [
        PersonLine(
            id=row["id"],
            kind=row["kind"],
            state=row["state"],
            email=own.get(EMAIL) or "",
            memberships=memberships(row["memberships"]),
            created_at=row["created_at"],
        )
        for row, own in zip(rows, opened, strict=True)
    ]


async def id_by_email(connection: Connection, sealing: Sealing, email: str) -> UUID | None:
    """Return who signs in by an address, or None."""
    found: UUID | None = await connection.fetchval(SQL["id_by_email"], sealing.blind(EMAIL, email_normal(email)))
    return found


async def has_second_factor(connection: Connection, person_id: UUID) -> bool:
    """Say whether somebody has a code or a passkey to prove themselves by."""
    return await credential_store.has_second_factor(connection, person_id)


async def link_purpose(connection: Connection, token: str, now: datetime) -> str:
    """Return what a link is for, which is not used up by asking; one that is not good is refused."""
    proof = tokens.read(token, tokens.LINK, what="link")
    found = await stored_link(connection, proof.id, now)
    if found is None or not proof.matches(found.secret_hash):
        raise TokenRefusedError("link")
    return found.purpose


async def addresses(connection: Connection, sealing: Sealing, person_id: UUID) -> list[KeptAddress]:
    """Return somebody's addresses, the usual one first."""
    rows = await connection.fetch(SQL["addresses"], person_id)
    opened = await sealing.unseal_many([(person_id, {ADDRESS: row["address_sealed"]}) for row in rows])
    return [
        KeptAddress(id=row["id"], address=structs.replace(msgspec.json.decode(text, type=AddressDraft), usual=row["usual"]))
        for row, own in zip(rows, opened, strict=True)
        if (text := own[ADDRESS])
    ]


async def consents(connection: Connection, person_id: UUID) -> list[Consent]:
    """Return what somebody agreed to, the last first."""
    return [Consent(*row) for row in await connection.fetch(SQL["consents"], person_id)]


async def passkeys(connection: Connection, person_id: UUID) -> list[Passkey]:
    """Return somebody's passkeys."""
    return [Passkey(*row) for row in await connection.fetch(SQL["passkeys"], person_id)]


async def keys(connection: Connection, person_id: UUID, now: datetime) -> list[Key]:
    """Return somebody's API keys that are good."""
    return [Key(*row) for row in await connection.fetch(SQL["keys"], person_id, now)]


async def sessions(
    connection: Connection, sealing: Sealing, person_id: UUID, now: datetime, current: UUID | None
) -> list[LiveSession]:
    """Return the sessions of somebody that are good, the last used first."""
    rows = await stored_sessions(connection, person_id, now)
    opened = await sealing.unseal_many([(person_id, {PLACE: row.place_sealed} if row.place_sealed else {}) for row in rows])
    found = []
    for row, own in zip(rows, opened, strict=True):
        place = msgspec.json.decode(own.get(PLACE) or "{}", type=Place)
        found.append(
            LiveSession(
                id=row.id,
                current=row.id == current,
                methods=row.methods,
                address=place.address,
                agent=place.agent,
                began_at=row.began_at,
                seen_at=row.seen_at,
                expires_at=row.expires_at,
            )
        )
    return found
