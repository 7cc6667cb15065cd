"""Pure decisions about webhooks: who may subscribe to what, what an answer means, when to try again."""

import ipaddress
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError
from entrepot.base.machine import Machine

ENDPOINT = Machine(
    "webhook endpoint", {"active": ("paused", "disabled"), "paused": ("active", "disabled"), "disabled": ("active",)}
)

_OK, _REDIRECTED, _GONE, _TOO_MANY, _UNAVAILABLE = 200, 300, 410, 429, 503

_IPV6_SITES = ipaddress.IPv6Network("2000::/3")

Verdict = Literal["delivered", "refused", "away", "gone"]


class EndpointDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subscriber to be: where it listens, and to which kinds (``ordering.*`` means all of ordering)."""

    url: str
    kinds: list[str]


def check_endpoint(draft: EndpointDraft, known: Collection[str]) -> None:
    """Refuse an address that nobody could be reached at, and kinds that nothing is called."""
    if len(draft.url) > limits.URL_CHARS_MAX:
        raise BadInputError(f"The address has {len(draft.url)} characters: {limits.URL_CHARS_MAX} at most.", field="url")
    try:
        parts = urlsplit(draft.url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.password:
        raise BadInputError(
            f"{draft.url!r} is no address to send to: give https://host/path, without user or password.", field="url"
        )
    if not 1 <= len(draft.kinds) <= limits.WEBHOOK_KINDS_MAX:
        raise BadInputError(f"{len(draft.kinds)} kinds were given: 1 to {limits.WEBHOOK_KINDS_MAX}.", field="kinds")
    for pattern in draft.kinds:
        if not expand([pattern], known):
            raise BadInputError(f"No kind of event is called {pattern!r}: GET /v1/event-kinds lists them.", field="kinds")


def expand(patterns: Sequence[str], known: Collection[str]) -> frozenset[str]:
    """Return the kinds that patterns such as ``ordering.*`` mean."""
    return frozenset(kind for kind in known for pattern in patterns if fnmatchcase(kind, pattern))


def reachable(address: str, *, private: bool) -> bool:
    """Say whether an address may be sent to: the house's own network is not for strangers to reach through us.

    Of IPv6 that is what is handed out to sites of the internet, but for networks that only carry an address of IPv4 (6to4,
    Teredo), which may be one of ours; translations of IPv4 (64:ff9b::/96) lie outside of it.
    """
    if private:
        return True
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return found.is_global and found in _IPV6_SITES and found.sixtofour is None and found.teredo is None
    return found.is_global and not found.is_multicast


def judge(status: int | None) -> Verdict:
    """Return what an answer means: refused is about this event, away about the subscriber (None: there was no answer)."""
    if status is None or status in {_TOO_MANY, _UNAVAILABLE}:
        return "away"
    if status == _GONE:
        return "gone"
    return "delivered" if _OK <= status < _REDIRECTED else "refused"


def next_try(now: datetime, tries: int, first: datetime) -> datetime | None:
    """Return when to try again, each time twice as late, or None when it has been tried for three days."""
    if now - first >= timedelta(seconds=limits.WEBHOOK_TRY_SECONDS_MAX):
        return None
    wait = min(limits.WEBHOOK_BACKOFF_SECONDS_MIN * 2 ** min(tries - 1, 20), limits.WEBHOOK_BACKOFF_SECONDS_MAX)
    return now + timedelta(seconds=wait)
