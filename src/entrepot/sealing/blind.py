"""What makes an e-mail address or a phone number normal, so that one is found however it was written. Pure."""

import unicodedata


def email_normal(email: str) -> str:
    """Return an address as it is looked up: no space around it, no difference of case or of Unicode form."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def phone_normal(phone: str) -> str:
    """Return a number as it is looked up: digits alone, after a plus when it begins with one or with 00."""
    text = unicodedata.normalize("NFKC", phone).strip()
    digits = "".join(sign for sign in text if sign.isdecimal())
    if text.startswith("+"):
        return f"+{digits}"
    return f"+{digits[2:]}" if digits.startswith("00") else digits
