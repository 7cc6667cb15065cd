"""What is known of people: the queries, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.limits import MAILS_OF_A_KIND_PER_HOUR_MAX
from entrepot.base.principal import Membership
from entrepot.commerce.people.events import PersonKind, PersonState
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__)


class StoredPerson(Struct, frozen=True):
    """A person as a command finds them, locked."""

    id: UUID
    kind: PersonKind
    state: PersonState
    language: str
    market: str
    currency: str
    region: str
    version: int
    memberships: list[Membership]


class DueLetter(Struct, frozen=True):
    """A letter to be sent; ``email_sealed`` where it goes to another address than the one that signs in."""

    id: UUID
    person_id: UUID
    about: str
    email_sealed: bytes | None
    tries: int
    created_at: datetime
    login_sealed: bytes
    language: str
    asked_hash: bytes | None


async def add_person(
    connection: Connection, cell: int, id_: UUID, kind: PersonKind, state: PersonState, language: str, now: datetime
) -> None:
    """Add a person, or a service account."""
    await connection.execute(SQL["add_person"], id_, cell, kind, state, language, now)


async def person_for_update(connection: Connection, id_: UUID) -> StoredPerson | None:
    """Return a person, locked, or None."""
    row = await connection.fetchrow(SQL["person_for_update"], id_)
    if row is None:
        return None
    return StoredPerson(**{**row, "memberships": memberships(row["memberships"])})


def memberships(told: Sequence[str]) -> list[Membership]:
    """Return roles as the database tells them: the role, a space, the tenant."""
    return [Membership(role, tenant) for role, _, tenant in (one.partition(" ") for one in told)]


async def next_version(connection: Connection, id_: UUID) -> int:
    """Count a person's versions up."""
    version: int = await connection.fetchval(SQL["next_version"], id_)
    return version


async def set_state(connection: Connection, id_: UUID, state: PersonState, now: datetime) -> None:
    """Set a person's state."""
    await connection.execute(SQL["set_state"], id_, state, now)


async def set_profile(
    connection: Connection,
    id_: UUID,
    name_sealed: bytes,
    phone_sealed: bytes,
    phone_blind: bytes | None,
    language: str,
    market: str,
    currency: str,
) -> None:
    """Set what somebody tells of themselves."""
    await connection.execute(SQL["set_profile"], id_, name_sealed, phone_sealed, phone_blind, language, market, currency)


async def set_region(connection: Connection, id_: UUID, region: str) -> None:
    """Set the region whose law says where somebody's rows may lie."""
    await connection.execute(SQL["set_region"], id_, region)


async def residence(connection: Connection, cell: int) -> tuple[str, list[str]] | None:
    """Return in which region a cell is, and people of which it may hold; None: everybody."""
    row = await connection.fetchrow(SQL["residence"], cell)
    return (row["region"], row["takes"]) if row else None


async def set_residence(connection: Connection, cell: int, region: str, takes: Sequence[str]) -> None:
    """Say in which region a cell is; with none, it holds everybody."""
    await connection.execute(SQL["set_residence"], cell, region, takes)


async def count_elsewhere(connection: Connection, cell: int, takes: Sequence[str]) -> int:
    """Count the people of a cell who are of none of these regions."""
    count: int = await connection.fetchval(SQL["count_elsewhere"], cell, takes)
    return count


async def add_login(connection: Connection, id_: UUID, email_sealed: bytes, email_blind: bytes) -> bool:
    """Say what somebody signs in as; says whether the address was nobody's."""
    return await connection.fetchval(SQL["add_login"], id_, email_sealed, email_blind) is not None


async def change_login(connection: Connection, id_: UUID, email_sealed: bytes, email_blind: bytes) -> bool:
    """Change what somebody signs in as; says whether the address was nobody else's."""
    return await connection.fetchval(SQL["change_login"], id_, email_sealed, email_blind) is not None


async def person_by_email(connection: Connection, email_blind: bytes) -> tuple[UUID, PersonState] | None:
    """Return who signs in by an address, and in which state they are."""
    row = await connection.fetchrow(SQL["person_by_email"], email_blind)
    return (row["person_id"], row["state"]) if row else None


async def grant_role(connection: Connection, id_: UUID, one: Membership, now: datetime, by: str) -> bool:
    """Give a role; says whether it was not held."""
    return await connection.fetchval(SQL["grant_role"], id_, one.role, one.tenant, now, by) is not None


async def revoke_role(connection: Connection, id_: UUID, one: Membership) -> bool:
    """Take a role; says whether it was held."""
    return await connection.fetchval(SQL["revoke_role"], id_, one.role, one.tenant) is not None


async def given_consent(connection: Connection, id_: UUID, purpose: str) -> str | None:
    """Return the version of the text that somebody agrees to, or None."""
    version: str | None = await connection.fetchval(SQL["given_consent"], id_, purpose)
    return version


async def give_consent(
    connection: Connection, consent_id: UUID, id_: UUID, purpose: str, version: str, how: str, now: datetime
) -> bool:
    """Note a consent; says whether none was given."""
    return await connection.fetchval(SQL["give_consent"], consent_id, id_, purpose, version, how, now) is not None


async def withdraw_consent(connection: Connection, id_: UUID, purpose: str, now: datetime, how: str) -> str | None:
    """Note that a consent is withdrawn; returns the version of the text that it was given to, or None."""
    version: str | None = await connection.fetchval(SQL["withdraw_consent"], id_, purpose, now, how)
    return version


async def count_addresses(connection: Connection, id_: UUID) -> int:
    """Count somebody's addresses."""
    found: int = await connection.fetchval(SQL["count_addresses"], id_)
    return found


async def put_address(
    connection: Connection, address_id: UUID, id_: UUID, country: str, sealed: bytes, *, usual: bool, now: datetime
) -> bool:
    """Add an address or change it; says whether it is this person's."""
    if usual:
        await connection.execute(SQL["no_usual_address"], id_)
    return await connection.fetchval(SQL["put_address"], address_id, id_, country, sealed, usual, now) is not None


async def has_address(connection: Connection, id_: UUID, address_id: UUID) -> bool:
    """Say whether an address is somebody's."""
    return await connection.fetchval(SQL["has_address"], id_, address_id) is not None


async def remove_address(connection: Connection, id_: UUID, address_id: UUID) -> bool:
    """Forget an address; says whether it was there."""
    return await connection.fetchval(SQL["remove_address"], id_, address_id) is not None


async def write_letter(
    connection: Connection,
    letter_id: UUID,
    id_: UUID,
    about: str,
    now: datetime,
    email_sealed: bytes | None = None,
    *,
    asked_hash: bytes | None = None,
) -> None:
    """Write a letter down to be sent, unless so many about the same were written of late; its link is good for who asked."""
    most = MAILS_OF_A_KIND_PER_HOUR_MAX
    await connection.execute(SQL["write_letter"], letter_id, id_, about, email_sealed, now, most, asked_hash)


async def due_letters(connection: Connection, now: datetime, limit: int) -> list[DueLetter]:
    """Return letters that are due."""
    return [DueLetter(*row) for row in await connection.fetch(SQL["due_letters"], now, limit)]


async def letter_sent(connection: Connection, letter_id: UUID, now: datetime) -> None:
    """Note that a letter was sent, or given up."""
    await connection.execute(SQL["letter_sent"], letter_id, now)


async def letter_later(connection: Connection, letter_id: UUID, next_at: datetime) -> None:
    """Note that a letter could not be sent, and when it is tried again."""
    await connection.execute(SQL["letter_later"], letter_id, next_at)


async def sweep_unverified(connection: Connection, before: datetime) -> list[UUID]:
    """Return people who never confirmed their address."""
    return [row["id"] for row in await connection.fetch(SQL["sweep_unverified"], before)]


async def forget_unverified(connection: Connection, ids: Sequence[UUID]) -> None:
    """Forget the addresses of these people and what was to be sent there."""
    await connection.execute(SQL["forget_login"], ids)
    await connection.execute(SQL["forget_letters"], ids)


async def sweep_letters(connection: Connection, before: datetime) -> None:
    """Forget letters that were sent long ago."""
    await connection.execute(SQL["sweep_letters"], before)
