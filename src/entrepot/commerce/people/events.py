"""What can have happened to people. Keys: ``person/<id>``, one count of versions. Nothing personal, nothing secret is told."""

from typing import Literal
from uuid import UUID

from msgspec import Struct

from entrepot.base.principal import Membership

PERSON_CHANGED = "people.person_changed.v1"
CREDENTIAL_CHANGED = "people.credential_changed.v1"
CONSENT_CHANGED = "people.consent_changed.v1"
SESSIONS_ENDED = "people.sessions_ended.v1"
PERSON_ERASED = "people.person_erased.v1"
ERASURE_CERTIFIED = "people.erasure_certified.v1"
RESTRICTION_CHANGED = "people.restriction_changed.v1"

PersonKind = Literal["person", "service"]
PersonState = Literal["unverified", "active", "suspended", "erased"]
CredentialKind = Literal["email", "password", "totp", "recovery_codes", "passkey", "api_key", "external_login"]


class PersonChanged(Struct, frozen=True, kw_only=True):
    """A person as they are from now on, and what they are to whom; ``why`` is what was done."""

    id: UUID
    kind: PersonKind
    state: PersonState
    language: str
    market: str
    currency: str
    memberships: list[Membership]
    why: str
    region: str = ""


class CredentialChanged(Struct, frozen=True, kw_only=True):
    """What somebody can prove who they are with has changed; ``credential_id`` names one of several."""

    id: UUID
    credential: CredentialKind
    change: Literal["added", "changed", "removed"]
    credential_id: UUID | None = None


class ConsentChanged(Struct, frozen=True, kw_only=True):
    """Somebody agreed to a purpose, as a version of its text says it, or withdrew; ``how`` is where they were asked."""

    id: UUID
    purpose: str
    text_version: str
    given: bool
    how: str


class SessionsEnded(Struct, frozen=True, kw_only=True):
    """Sessions that are over, and keys that are over or whose owner's roles have changed: nobody may remember them."""

    id: UUID
    credentials: list[UUID]
    why: str


class PersonErased(Struct, frozen=True, kw_only=True):
    """A person was forgotten and their keys destroyed: whoever holds anything about these subjects forgets it too."""

    id: UUID
    subjects: list[UUID]
    erasure_id: UUID


class ErasureCertified(Struct, frozen=True, kw_only=True):
    """Every place was searched for what was known of somebody; in ``found`` of them it was. ``digest`` is the document's."""

    id: UUID
    erasure_id: UUID
    digest: str
    found: int


class RestrictionChanged(Struct, frozen=True, kw_only=True):
    """What is known of somebody may be kept, and used for nothing but what they order; or may be used again."""

    id: UUID
    restricted: bool
