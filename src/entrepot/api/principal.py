"""Who asks: read once per request at the edge, from a bearer token or a cookie, and kept in the request's scope.

``principal_of`` is how everybody behind the edge knows it. A bearer token that is not good is refused, whatever is asked; a
cookie that is not good is nobody's, since a browser sends it everywhere. What changes something, without a bearer token, must
not come from another site's page, whoever asks: a cookie would act in somebody's name, and signing in would begin a session of
another's in their browser. Idempotency keys are their caller's own from here on: by another caller, a key is another key.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.types import HTTPScope

from entrepot.access import policies
from entrepot.api.place import from_foreign_page
from entrepot.base.errors import KEY_OWNER_ENDS, EntrepotError, SignInNeededError, StepUpNeededError, TokenRefusedError
from entrepot.base.limits import ASKED_SECONDS, DEVICE_SECONDS, STEP_UP_SECONDS
from entrepot.base.principal import ANONYMOUS, Principal
from entrepot.commerce.people.people import People
from entrepot.commerce.people.sessions import Begun

SESSION, DEVICE, ASKED = "entrepot_session", "entrepot_device", "entrepot_asked"
KEY = b"idempotency-key"

_STATE = "principal"
_OWNER_DIGITS = 24  # 96 bits: no two of any number of people share them
_BEARER = b"bearer "
_READS = {"GET", "HEAD", "OPTIONS"}

Connection = ASGIConnection[Any, Any, Any, Any]


class ForeignRequestError(EntrepotError):
    """Another site's page asked for a change, in the name of whoever looks at it."""

    slug = "foreign-request"
    status = 403


class Identify:
    """Puts the principal into a request's scope."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._cookie = cookie_name(people, SESSION).encode() + b"="

    async def __call__(self, scope: HTTPScope) -> None:
        """Find out who asks; without a token it is nobody, at no cost."""
        who = await self._who(scope)
        if self._people.second_factor:
            who = policies.withhold(who)
        if who is not ANONYMOUS:
            scope.setdefault("state", {})[_STATE] = who
        if scope["method"] not in _READS:
            scope["headers"] = [(name, bound(who, value) if name == KEY else value) for name, value in scope["headers"]]

    async def _who(self, scope: HTTPScope) -> Principal:
        bearer, cookie = self._tokens(scope)
        if bearer is not None:
            return await self._people.sessions.check(bearer)
        if scope["method"] not in _READS and from_foreign_page(scope, self._people.site.origin):
            raise ForeignRequestError("Another site's page sent this: nothing was done. Open the page here, and send it again.")
        if not cookie:
            return ANONYMOUS
        try:
            return await self._people.sessions.check(cookie)
        except TokenRefusedError:
            return ANONYMOUS

    def _tokens(self, scope: HTTPScope) -> tuple[str | None, str]:
        bearer, cookie = None, ""
        for name, value in scope["headers"]:
            if name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
                bearer = value[len(_BEARER) :].strip().decode("latin-1")
            elif name == b"cookie" and self._cookie in value:
                found = [part.strip() for part in value.split(b";")]
                cookie = next((p[len(self._cookie) :].decode("latin-1") for p in found if p.startswith(self._cookie)), "")
        return bearer, cookie


def bound(who: Principal, key: bytes) -> bytes:
    """Return an idempotency key as its caller's own, whichever session or API key they come by; nobody's are nobody's."""
    owner = hashlib.sha256(who.id.bytes).hexdigest()[:_OWNER_DIGITS] if who.id else ""
    return owner.encode() + KEY_OWNER_ENDS.encode() + key if key else key


def principal_of(request: Connection) -> Principal:
    """Return who asks."""
    who: Principal = request.scope["state"].get(_STATE, ANONYMOUS)
    return who


def who_asks(scope: HTTPScope) -> Principal:
    """Return who asks, where there is no request yet."""
    who: Principal = scope.get("state", {}).get(_STATE, ANONYMOUS)
    return who


def signed_in(request: Connection) -> Principal:
    """Return who asks, or say that they must sign in."""
    who = principal_of(request)
    if who.id is None:
        raise SignInNeededError
    return who


def freshly_proved(request: Connection, now: datetime) -> Principal:
    """Return who asks if they proved who they are a moment ago; a key never did."""
    who = signed_in(request)
    if who.session is None or who.proved_at is None or now - who.proved_at > timedelta(seconds=STEP_UP_SECONDS):
        raise StepUpNeededError
    return who


def cookie_name(people: People, name: str) -> str:
    """Return what a cookie is called: over HTTPS a browser makes sure that no neighbouring host has set it."""
    return f"__Host-{name}" if people.site.origin.startswith("https:") else name


def session_cookie(people: People, begun: Begun, now: datetime) -> Cookie:
    """Return the cookie that keeps somebody signed in."""
    return _cookie(people, SESSION, begun.token, int((begun.expires_at - now).total_seconds()))


def device_cookie(people: People, token: str) -> Cookie:
    """Return the cookie by which a browser proves that it has signed this person in before."""
    return _cookie(people, DEVICE, token, int(DEVICE_SECONDS))


def no_session(people: People) -> Cookie:
    """Return the cookie that takes the session's away."""
    return _cookie(people, SESSION, "", 0)


def device_of(request: Connection, people: People) -> str:
    """Return the proof that a browser keeps of having signed somebody in before; empty where it has none."""
    return request.cookies.get(cookie_name(people, DEVICE), "")


def asked_cookie(people: People, token: str) -> Cookie:
    """Return the cookie by which a browser proves that it asked for a letter."""
    return _cookie(people, ASKED, token, int(ASKED_SECONDS))


def asked_by(request: Connection, people: People, given: str) -> str:
    """Return the proof of having asked for a letter: what was given, or what this browser keeps; empty where there is none."""
    return given or request.cookies.get(cookie_name(people, ASKED), "")


def _cookie(people: People, name: str, value: str, seconds: int) -> Cookie:
    # Lax, not strict: who follows a link from a letter, or comes back from another provider, has signed in all the same.
    secure = people.site.origin.startswith("https:")
    called = cookie_name(people, name)
    return Cookie(called, value=value, path="/", max_age=seconds, httponly=True, samesite="lax", secure=secure)
