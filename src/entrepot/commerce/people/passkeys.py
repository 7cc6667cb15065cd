"""Passkeys (WebAuthn): what a browser is asked for, and whether what its authenticator signed is right. Keeps nothing."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import SignInRefusedError
from entrepot.base.late import Late
from entrepot.commerce.people.credential_store import StoredPasskey

if TYPE_CHECKING:
    import webauthn
    from webauthn import helpers
    from webauthn.helpers import structs
else:
    webauthn, helpers, structs = Late("webauthn"), Late("webauthn.helpers"), Late("webauthn.helpers.structs")

NAME = "Entrepôt"
_MILLIS = int(limits.CEREMONY_SECONDS * 1_000)


class Site(Struct, frozen=True):
    """The address that people have open, such as ``https://shop.example``: a passkey is good there and nowhere else."""

    origin: str

    @property
    def id(self) -> str:
        """The name that passkeys are bound to."""
        return urlsplit(self.origin).hostname or ""


class NewPasskey(Struct, frozen=True):
    """What an authenticator has made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backed_up: bool


def registration(site: Site, person_id: UUID, email: str, challenge: bytes, known: Sequence[bytes]) -> dict[str, Any]:
    """Return what a browser asks its authenticator for: a passkey that verifies its user, and is not there yet."""
    options = webauthn.generate_registration_options(
        rp_id=site.id,
        rp_name=NAME,
        user_name=email,
        user_id=person_id.bytes,
        challenge=challenge,
        timeout=_MILLIS,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED, user_verification=structs.UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    asked: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return asked


def registered(site: Site, challenge: bytes, credential: dict[str, Any]) -> NewPasskey:
    """Return the passkey that an authenticator has made, or refuse what does not prove it."""
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except Exception as error:  # whatever is malformed in what a stranger sent, each layer below says in its own way
        raise SignInRefusedError from error
    return NewPasskey(made.credential_id, made.credential_public_key, made.sign_count, made.credential_backed_up)


def authentication(site: Site, challenge: bytes) -> dict[str, Any]:
    """Return what a browser asks its authenticator for: any passkey of this site, by whoever holds it."""
    options = webauthn.generate_authentication_options(
        rp_id=site.id, challenge=challenge, timeout=_MILLIS, user_verification=structs.UserVerificationRequirement.REQUIRED
    )
    asked: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return asked


def credential_id_of(credential: dict[str, Any]) -> bytes:
    """Return which passkey was used, as the browser says it."""
    try:
        return helpers.base64url_to_bytes(str(credential["id"]))
    except (KeyError, ValueError) as error:
        raise SignInRefusedError from error


def authenticated(site: Site, challenge: bytes, credential: dict[str, Any], kept: StoredPasskey) -> int:
    """Return how often the passkey says that it was used, or refuse what is not signed by it.

    A count that does not grow tells of a copy; passkeys that are synchronised count nothing, and say 0 for ever.
    """
    try:
        proved = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=kept.public_key,
            credential_current_sign_count=kept.sign_count,
            require_user_verification=True,
        )
    except Exception as error:  # as above
        raise SignInRefusedError from error
    return proved.new_sign_count
