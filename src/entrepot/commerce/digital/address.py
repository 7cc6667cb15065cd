"""The signed address of a download: which right it uses, until when, and that we said so. Pure.

It is short-lived, made anew for who asks, and no key: who fetches must be somebody who may read the order.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base.errors import ConflictError, EntrepotError
from entrepot.base.time import millis_of, utc
from entrepot.commerce.digital.rules import Entitlement

_BODY = struct.Struct(">16sIQ")
_MARK_BYTES = 32


class DownloadRefusedError(EntrepotError):
    """The address was not made by us, or was changed since."""

    slug = "download-refused"
    status = 403
    exit_code = 4

    def __init__(self) -> None:
        super().__init__("This is no address of a file as we give them, or it was changed since: ask for a new one.")


class DownloadExpiredError(ConflictError):
    """The address, or the right to the file, was valid until a moment that has passed."""

    slug = "download-expired"
    status = 410

    def __init__(self, until: datetime, *, for_ever: bool) -> None:
        advice = "it cannot be fetched any more" if for_ever else "ask for a new address"
        super().__init__(f"This address was valid until {until.isoformat()}: {advice}.", valid_until=until.isoformat())


class DownloadsUsedUpError(ConflictError):
    """The file was fetched as often as the order allows."""

    slug = "downloads-used-up"
    status = 410

    def __init__(self, sku: str, most: int) -> None:
        super().__init__(
            f"The file of {sku} was fetched {most} times, as often as it may be: ask the shop.", sku=sku, most=most
        )


class DownloadRevokedError(ConflictError):
    """The right to the file is over: its money was given back, or the order cancelled."""

    slug = "download-revoked"
    status = 410

    def __init__(self, sku: str) -> None:
        super().__init__(f"The file of {sku} cannot be fetched: what it was bought with was given back.", sku=sku)


class Grant(Struct, frozen=True):
    """What an address stands for."""

    order_id: UUID
    line: int
    until: datetime


def sign(secret: bytes, grant: Grant) -> str:
    """Return the token of an address."""
    body = _BODY.pack(grant.order_id.bytes, grant.line, millis_of(grant.until))
    return base64.urlsafe_b64encode(body + _mark(secret, body)).decode().rstrip("=")


def read(secret: bytes, token: str, now: datetime) -> Grant:
    """Return what a token stands for; one that we did not make, or whose time is over, is refused."""
    try:
        sent = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise DownloadRefusedError from error
    body, mark = sent[: _BODY.size], sent[_BODY.size :]
    if len(sent) != _BODY.size + _MARK_BYTES or not hmac.compare_digest(mark, _mark(secret, body)):
        raise DownloadRefusedError
    order, line, until = _BODY.unpack(body)
    grant = Grant(UUID(bytes=order), line, utc(until))
    if grant.until <= now:
        raise DownloadExpiredError(grant.until, for_ever=False)
    return grant


def check(one: Entitlement, now: datetime) -> None:
    """Refuse to fetch what is revoked, over, or used up."""
    if one.state != "handed_out" or not one.object:
        raise DownloadRevokedError(one.sku)
    if one.expires_at is None or one.expires_at <= now:
        raise DownloadExpiredError(one.expires_at or now, for_ever=True)
    if one.downloads >= one.downloads_most:
        raise DownloadsUsedUpError(one.sku, one.downloads_most)


def _mark(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).digest()
