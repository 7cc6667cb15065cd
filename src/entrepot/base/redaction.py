"""What must not be told: secrets by the names of their fields, passwords in URLs. For logs, errors, whatever prints a URL."""

import re
from collections.abc import Mapping, MutableMapping

REDACTED = "[redacted]"

# Fields whose value is never told, by a part of their name.
_SECRET_NAME = re.compile(
    r"(^|_)(password|secret|token|seed|cookie|authorization|credential|private_key|api_key|cvc|pan)($|_)", re.IGNORECASE
)

# scheme://user:password@, redis://:password@ and sandbox://key@ : what stands before the @ but the user's name.
_IN_URL = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)(?P<user>[^\s/@:'\"]*)(?P<password>:[^\s/@'\"]*)?@", re.IGNORECASE)

# Schemes that have no password: all that stands before the @ is the secret.
_KEY_ALONE = frozenset({"sandbox://"})


def redact(text: str) -> str:
    """Return a text without the passwords of the URLs in it."""
    return _IN_URL.sub(_without, text)


def redact_fields(_logger: object, _method: str, event: MutableMapping[str, object]) -> Mapping[str, object]:
    """Return a log event without secrets: a processor of structlog."""
    for name, value in event.items():
        if _SECRET_NAME.search(name):
            event[name] = REDACTED
        elif isinstance(value, str):
            event[name] = redact(value)
        elif isinstance(value, BaseException | Mapping | list | tuple):
            event[name] = redact(str(value))
    return event


def _without(found: re.Match[str]) -> str:
    scheme, user = found["scheme"], found["user"]
    if scheme.lower() in _KEY_ALONE:
        return f"{scheme}{REDACTED}@"
    return f"{scheme}{user}:{REDACTED}@" if found["password"] else found[0]
