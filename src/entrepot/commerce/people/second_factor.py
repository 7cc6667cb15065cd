"""The second factor: codes of an authenticator (TOTP, RFC 6238), and recovery codes for who has lost it. Pure."""

import base64
import hashlib
import hmac

import pyotp

from entrepot.base import limits

ISSUER = "Entrepôt"

_SEED_BYTES = 20
_CODE_BYTES = 15  # 120 bits: enough that one round of SHA-256 keeps it (ASVS 5.0, 6.5.2)
_GROUP = 4


def new_seed(chance: bytes) -> str:
    """Return a seed as an authenticator takes it, from chance."""
    return base64.b32encode(chance[:_SEED_BYTES]).decode()


def seed_address(seed: str, email: str) -> str:
    """Return the address that an authenticator reads as a picture: it holds the seed."""
    return pyotp.TOTP(seed, interval=limits.TOTP_STEP_SECONDS).provisioning_uri(name=email, issuer_name=ISSUER)


def code_at(seed: str, step: int) -> str:
    """Return the code of a step."""
    return pyotp.TOTP(seed, interval=limits.TOTP_STEP_SECONDS).generate_otp(step)


def accepted_step(seed: str, code: str, now_seconds: float, last: int) -> int | None:
    """Return the step that a code is of, if it is the one of now, and later than the last that was used.

    None aside: a code would else be good for longer than its 30 seconds (ASVS 5.0, 6.5.5).
    """
    step = int(now_seconds) // limits.TOTP_STEP_SECONDS
    right = hmac.compare_digest(code_at(seed, step).encode(), "".join(code.split()).encode())
    return step if right and step > last else None


def recovery_code(chance: bytes) -> str:
    """Return a recovery code as it is shown, in groups of four."""
    text = base64.b32encode(chance[:_CODE_BYTES]).decode().lower()
    return "-".join(text[place : place + _GROUP] for place in range(0, len(text), _GROUP))


def recovery_hash(code: str) -> bytes:
    """Return what is kept of a recovery code, however it was typed."""
    return hashlib.sha256("".join(sign for sign in code.lower() if sign.isalnum()).encode()).digest()
