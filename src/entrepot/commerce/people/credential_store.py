"""What people prove who they are with: the queries, typed; nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.commerce.people.tokens import Proof
from entrepot.record.named import queries
from entrepot.record.transaction import Connection

SQL = queries(__package__, "credentials.sql")


class DoorRow(Struct, frozen=True):
    """What is needed to let somebody in by password."""

    person_id: UUID
    open: bool
    hash: str | None
    seed_sealed: bytes | None
    step: int | None


class StoredPasskey(Struct, frozen=True):
    """A passkey as it was kept."""

    id: UUID
    person_id: UUID
    credential_id: bytes
    public_key: bytes
    sign_count: int


class StoredLink(Struct, frozen=True):
    """A link that is good once; ``asked_hash`` is of what was given to who asked for it (none: nobody, it is handed over)."""

    id: UUID
    person_id: UUID
    purpose: str
    secret_hash: bytes
    email_sealed: bytes | None
    asked_hash: bytes | None


class Tried(Struct, frozen=True):
    """How often was tried in a window, this try included, and when it ends."""

    bucket: bytes
    tries: int
    ends_at: datetime


async def door(connection: Connection, email_blind: bytes) -> DoorRow | None:
    """Return what is needed to let somebody in by their address."""
    row = await connection.fetchrow(SQL["door"], email_blind)
    return DoorRow(*row) if row else None


async def door_of(connection: Connection, person_id: UUID) -> DoorRow | None:
    """Return the same for somebody who is known by their id."""
    row = await connection.fetchrow(SQL["door_of"], person_id)
    return DoorRow(*row) if row else None


async def login_sealed(connection: Connection, person_id: UUID) -> bytes | None:
    """Return the address that somebody signs in as, sealed; None for a service account."""
    sealed: bytes | None = await connection.fetchval(SQL["login_sealed"], person_id)
    return sealed


async def set_password(connection: Connection, person_id: UUID, hash_: str, now: datetime) -> bool:
    """Set somebody's password; says whether it is their first."""
    return bool(await connection.fetchval(SQL["set_password"], person_id, hash_, now))


async def rehash_password(connection: Connection, person_id: UUID, was: str, hash_: str) -> None:
    """Keep the same password under a new cost, unless it was changed meanwhile."""
    await connection.execute(SQL["rehash_password"], person_id, was, hash_)


async def begin_totp(connection: Connection, person_id: UUID, seed_sealed: bytes) -> bool:
    """Keep a seed that is to be confirmed; says no when there is one that is."""
    return await connection.fetchval(SQL["begin_totp"], person_id, seed_sealed) is not None


async def unconfirmed_totp(connection: Connection, person_id: UUID) -> bytes | None:
    """Return a seed that is to be confirmed, or None."""
    seed: bytes | None = await connection.fetchval(SQL["unconfirmed_totp"], person_id)
    return seed


async def confirm_totp(connection: Connection, person_id: UUID, now: datetime, step: int) -> None:
    """Make a seed the one that codes are asked of."""
    await connection.execute(SQL["confirm_totp"], person_id, now, step)


async def use_step(connection: Connection, person_id: UUID, step: int) -> bool:
    """Use up the code of a step; says whether neither it nor a later one was used."""
    return await connection.fetchval(SQL["use_step"], person_id, step) is not None


async def remove_totp(connection: Connection, person_id: UUID) -> bool:
    """Forget somebody's seed; says whether there was one."""
    return await connection.fetchval(SQL["remove_totp"], person_id) is not None


async def replace_recovery_codes(connection: Connection, person_id: UUID, hashes: Sequence[bytes]) -> None:
    """Keep these recovery codes in place of those that were."""
    await connection.execute(SQL["remove_recovery_codes"], person_id)
    await connection.execute(SQL["add_recovery_codes"], person_id, hashes)


async def is_recovery_code(connection: Connection, person_id: UUID, hash_: bytes) -> bool:
    """Say whether a recovery code is somebody's and is not used."""
    return await connection.fetchval(SQL["recovery_code"], person_id, hash_) is not None


async def use_recovery_code(connection: Connection, person_id: UUID, hash_: bytes, now: datetime) -> bool:
    """Use up a recovery code; says whether it was not used."""
    return await connection.fetchval(SQL["use_recovery_code"], person_id, hash_, now) is not None


async def add_passkey(connection: Connection, kept: StoredPasskey, *, backed_up: bool, now: datetime) -> bool:
    """Keep a passkey; says whether its credential was nobody's."""
    given = (kept.id, kept.person_id, kept.credential_id, kept.public_key, kept.sign_count, backed_up, now)
    return await connection.fetchval(SQL["add_passkey"], *given) is not None


async def passkey(connection: Connection, credential_id: bytes) -> StoredPasskey | None:
    """Return the passkey of a credential, of somebody who may come in."""
    row = await connection.fetchrow(SQL["passkey"], credential_id)
    return StoredPasskey(*row) if row else None


async def credentials_of(connection: Connection, person_id: UUID) -> list[bytes]:
    """Return the credentials of somebody's passkeys."""
    return [row["credential_id"] for row in await connection.fetch(SQL["credentials_of"], person_id)]


async def use_passkey(connection: Connection, passkey_id: UUID, sign_count: int, now: datetime) -> None:
    """Note that a passkey was used."""
    await connection.execute(SQL["use_passkey"], passkey_id, sign_count, now)


async def remove_passkey(connection: Connection, person_id: UUID, passkey_id: UUID) -> bool:
    """Forget a passkey; says whether it was there."""
    return await connection.fetchval(SQL["remove_passkey"], person_id, passkey_id) is not None


async def has_second_factor(connection: Connection, person_id: UUID) -> bool:
    """Say whether somebody can prove who they are by more than a password, a letter or another's word."""
    found: bool = await connection.fetchval(SQL["has_second_factor"], person_id)
    return found


async def link_external(connection: Connection, provider: str, subject_blind: bytes, person_id: UUID, now: datetime) -> bool:
    """Note who somebody is to another provider; says whether that was nobody."""
    return await connection.fetchval(SQL["link_external"], provider, subject_blind, person_id, now) is not None


async def external_person(connection: Connection, provider: str, subject_blind: bytes) -> tuple[UUID, bool] | None:
    """Return who is known to a provider by this name, and whether they may come in."""
    row = await connection.fetchrow(SQL["external_person"], provider, subject_blind)
    return (row["id"], row["open"]) if row else None


async def unlink_external(connection: Connection, person_id: UUID, provider: str) -> bool:
    """Forget who somebody is to a provider; says whether it was known."""
    return await connection.fetchval(SQL["unlink_external"], person_id, provider) is not None


async def add_link(
    connection: Connection,
    person_id: UUID,
    purpose: str,
    proof: Proof,
    *,
    now: datetime,
    expires_at: datetime,
    email_sealed: bytes | None = None,
    asked_hash: bytes | None = None,
) -> None:
    """Keep a link that is good once; those for the same purpose are over."""
    await connection.execute(
        SQL["add_link"], proof.id, person_id, purpose, proof.hash, email_sealed, now, expires_at, asked_hash
    )


async def link(connection: Connection, link_id: UUID, now: datetime) -> StoredLink | None:
    """Return a link that is good."""
    row = await connection.fetchrow(SQL["link"], link_id, now)
    return StoredLink(*row) if row else None


async def use_link(connection: Connection, link_id: UUID, now: datetime) -> bool:
    """Use a link up; says whether it was good."""
    return await connection.fetchval(SQL["use_link"], link_id, now) is not None


async def end_links(connection: Connection, person_id: UUID, purpose: str, now: datetime) -> None:
    """End the links of somebody for a purpose."""
    await connection.execute(SQL["end_links"], person_id, purpose, now)


async def device_owner(connection: Connection, proof: Proof) -> UUID | None:
    """Return whose device this is, or None when its secret is not what was kept."""
    row = await connection.fetchrow(SQL["device"], proof.id)
    return row["person_id"] if row and proof.matches(row["secret_hash"]) else None


async def add_device(connection: Connection, proof: Proof, person_id: UUID, now: datetime) -> None:
    """Keep a device that has signed somebody in."""
    await connection.execute(SQL["add_device"], proof.id, person_id, proof.hash, now)


async def device_seen(connection: Connection, device_id: UUID, now: datetime) -> None:
    """Note that a device has signed somebody in again."""
    await connection.execute(SQL["device_seen"], device_id, now)


async def count_devices(connection: Connection, person_id: UUID) -> int:
    """Count the devices that somebody has signed in with."""
    found: int = await connection.fetchval(SQL["count_devices"], person_id)
    return found


async def note_tries(connection: Connection, buckets: Sequence[bytes], now: datetime, ends_at: datetime) -> dict[bytes, Tried]:
    """Count a try in each bucket and return how many there were."""
    rows = await connection.fetch(SQL["try"], buckets, now, ends_at)
    return {row["bucket"]: Tried(*row) for row in rows}


async def untry(connection: Connection, buckets: Sequence[bytes], whole: Sequence[bool]) -> None:
    """Take back what a try that succeeded has counted: of each bucket all, or one."""
    await connection.execute(SQL["untry"], buckets, whole)


async def sweep(connection: Connection, now: datetime, ended_before: datetime, devices_before: datetime) -> None:
    """Forget what is over: tries at once, links and sessions after a while, devices that nobody came back with."""
    await connection.execute(SQL["sweep_attempts"], now)
    await connection.execute(SQL["sweep_links"], ended_before)
    await connection.execute(SQL["sweep_sessions"], ended_before)
    await connection.execute(SQL["sweep_devices"], devices_before)


async def forget_links(connection: Connection, person_ids: Sequence[UUID]) -> None:
    """Forget every link of these people."""
    await connection.execute(SQL["forget_links"], person_ids)
