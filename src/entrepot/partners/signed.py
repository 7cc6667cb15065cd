"""How partners sign what they tell: the moment, and HMAC-SHA256 over ``<seconds>.<raw body>``, as ``t=<seconds>,v1=<hex>``."""

import hashlib
import hmac

from entrepot.base.errors import EntrepotError
from entrepot.base.limits import WEBHOOK_WINDOW_SECONDS


class WebhookRefusedError(EntrepotError):
    """A webhook whose signature is wrong or whose time is outside the window: forged, replayed, or late."""

    slug = "webhook-refused"
    status = 401
    exit_code = 4


def signature(secret: bytes, seconds: int, body: bytes) -> str:
    """Return the signature of raw bytes that are sent at a moment."""
    return f"t={seconds},v1={_mark(secret, str(seconds), body)}"


def check_signature(header: str, secret: bytes, body: bytes, now_millis: int, sender: str) -> None:
    """Refuse raw bytes that were not signed with the secret, or not within the window around now."""
    fields = dict(part.partition("=")[::2] for part in header.split(","))
    at, given = fields.get("t", ""), fields.get("v1", "")
    if not hmac.compare_digest(given.encode(), _mark(secret, at, body).encode()):
        raise WebhookRefusedError(f"The webhook's signature is wrong: it was not sent by the {sender}, or changed on its way.")
    if abs(now_millis / 1000 - int(at)) > WEBHOOK_WINDOW_SECONDS:
        raise WebhookRefusedError(
            f"The webhook was signed at {at}, outside of {WEBHOOK_WINDOW_SECONDS} s around now: it is late, or replayed.",
            signed_at=int(at),
        )


def _mark(secret: bytes, at: str, body: bytes) -> str:
    return hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()
