"""Coming in and going out: sessions by password and code, by passkey, by link; listed, renewed, ended."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Struct

from entrepot.api.parts import Parts
from entrepot.api.place import place_of
from entrepot.api.principal import asked_by, device_cookie, device_of, no_session, session_cookie, signed_in
from entrepot.base.errors import NotFoundError, SignInNeededError
from entrepot.base.principal import Principal
from entrepot.base.time import utc
from entrepot.commerce.people import query
from entrepot.commerce.people.door import Entered, PasswordSignIn
from entrepot.commerce.people.query import LiveSession
from entrepot.commerce.people.sessions import Begun

NO_STORE = {"Cache-Control": "no-store"}
TAGS = ["Sessions"]


class SignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody types; the code only if the account asks for one. ``device`` is what an earlier sign-in answered.

    ``as_cookie``: the session is kept in a cookie that no script can read, and not shown.
    """

    email: str
    password: str
    code: str = ""
    device: str = ""
    as_cookie: bool = False


class LinkSignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link that is good once, what was answered when it was asked for, and the code if the account asks for one."""

    token: str
    asked: str = ""
    code: str = ""
    device: str = ""
    as_cookie: bool = False


class PasskeyAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the browser's authenticator has signed (WebAuthn's JSON form), and the challenge that it was asked by."""

    challenge_id: UUID
    credential: dict[str, Any]
    device: str = ""
    as_cookie: bool = False


class StepUp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fresh proof: the password and, if the account asks for one, the code."""

    password: str
    code: str = ""


class PasskeyAsked(Struct, frozen=True, kw_only=True):
    """What the browser is to ask its authenticator for (``navigator.credentials``), and the id to answer under."""

    challenge_id: UUID
    options: dict[str, Any]


class SessionAnswer(Struct, frozen=True, kw_only=True):
    """A session: ``token`` goes into ``Authorization: Bearer``, unless it is kept as a cookie. Shown once, like ``device``."""

    session_id: UUID
    person_id: UUID
    expires_at: datetime
    token: str | None = None
    device: str | None = None


class LiveSessions(Struct, frozen=True, kw_only=True):
    """The sessions of who asks, the last used first."""

    items: list[LiveSession]


class Ended(Struct, frozen=True, kw_only=True):
    """How many sessions have ended."""

    ended: int


class WhoAsks(Struct, frozen=True, kw_only=True):
    """Who asks, as the platform sees it; ``actor`` is what events carry."""

    actor: str
    kind: str
    person_id: UUID | None
    roles: list[str]
    sellers: list[str]
    companies: list[str]
    scopes: list[str]
    methods: list[str]
    proved_at: datetime | None
    expires_at: datetime | None


@post("/v1/sessions", tags=TAGS, summary="Sign in", status_code=201, opt={"permission": "account.join"})
async def sign_in(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[SignIn]
) -> Response[SessionAnswer]:
    """Sign in by password and, if the account asks for one, code or recovery code. Which of them is wrong is never told."""
    people = parts.people
    given = PasswordSignIn(email=data.email, password=data.password, code=data.code)
    device = data.device or device_of(request, people)
    let_in = await people.door.by_password(given, place_of(request.scope, people.proxies), device)
    return entered(parts, let_in, utc(parts.clock.millis()), as_cookie=data.as_cookie)


@post("/v1/sessions/links", tags=TAGS, summary="Sign in by a link", status_code=201, opt={"permission": "account.join"})
async def by_link(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[LinkSignIn]
) -> Response[SessionAnswer]:
    """Sign in by a link that was mailed, or handed over by an administrator."""
    people = parts.people
    device = data.device or device_of(request, people)
    asked, place = asked_by(request, people, data.asked), place_of(request.scope, people.proxies)
    let_in = await people.door.by_link(data.token, place, asked=asked, code=data.code, device=device)
    return entered(parts, let_in, utc(parts.clock.millis()), as_cookie=data.as_cookie)


@post(
    "/v1/sessions/passkey-challenges",
    tags=TAGS,
    summary="Ask for a passkey",
    status_code=201,
    opt={"permission": "account.join"},
)
async def ask_passkey(parts: NamedDependency[Parts]) -> Response[PasskeyAsked]:
    """Begin to sign in, or to step up, by passkey."""
    id_, options = await parts.people.door.begin_passkey(parts.people.site)
    return Response(PasskeyAsked(challenge_id=id_, options=options), status_code=201, headers=NO_STORE)


@post("/v1/sessions/passkeys", tags=TAGS, summary="Sign in by passkey", status_code=201, opt={"permission": "account.join"})
async def by_passkey(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[PasskeyAnswer]
) -> Response[SessionAnswer]:
    """Sign in by what a passkey has signed."""
    people = parts.people
    place, device = place_of(request.scope, people.proxies), data.device or device_of(request, people)
    let_in = await people.door.by_passkey(people.site, data.challenge_id, data.credential, place, device)
    return entered(parts, let_in, utc(parts.clock.millis()), as_cookie=data.as_cookie)


@get("/v1/sessions", tags=TAGS, summary="Where you are signed in", opt={"permission": "account.own"})
async def sessions(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[LiveSessions]:
    """List the sessions of who asks."""
    who = signed_in(request)
    assert who.id is not None
    async with parts.record.reading() as connection:
        now = utc(parts.clock.millis())
        items = await query.sessions(connection, parts.people.sealing, who.id, now, who.session)
    return Response(LiveSessions(items=items), headers=NO_STORE)


@get("/v1/sessions/current", tags=TAGS, summary="Who you are here", opt={"permission": "account.own"})
async def current(request: Request[Any, Any, Any]) -> Response[WhoAsks]:
    """Say who asks, with which roles and scopes."""
    who = signed_in(request)
    told = WhoAsks(
        actor=str(who),
        kind=who.kind,
        person_id=who.id,
        roles=sorted(who.roles),
        sellers=sorted(who.sellers),
        companies=sorted(who.companies),
        scopes=sorted(who.scopes),
        methods=sorted(who.methods),
        proved_at=who.proved_at,
        expires_at=who.expires_at,
    )
    return Response(told, headers=NO_STORE)


@post(
    "/v1/sessions/current/renewal",
    tags=TAGS,
    summary="Change the session's token",
    status_code=200,
    opt={"permission": "account.own"},
)
async def renew(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[SessionAnswer]:
    """Get a new token for this session; the old one is refused from now on."""
    who = _in_session(request)
    async with parts.record.transaction(parts.cell, str(who)) as tx:
        begun = await parts.people.sessions.renew(tx, who)
    await parts.people.sessions.doubt([begun.session_id])
    return renewed(request, parts, begun)


@post(
    "/v1/sessions/current/step-up",
    tags=TAGS,
    summary="Prove once more who you are",
    status_code=200,
    opt={"permission": "account.own"},
)
async def step_up(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[StepUp]
) -> Response[SessionAnswer]:
    """Prove by password and code who you are, for what takes a fresh proof. The session gets a new token."""
    who, people = _in_session(request), parts.people
    begun = await people.door.step_up(who, data.password, data.code, place_of(request.scope, people.proxies))
    return renewed(request, parts, begun)


@post(
    "/v1/sessions/current/passkey-step-up",
    tags=TAGS,
    summary="Prove once more by passkey",
    status_code=200,
    opt={"permission": "account.own"},
)
async def passkey_step_up(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[PasskeyAnswer]
) -> Response[SessionAnswer]:
    """Prove by passkey who you are. The session gets a new token."""
    who, people = _in_session(request), parts.people
    begun = await people.door.step_up_passkey(who, people.site, data.challenge_id, data.credential)
    return renewed(request, parts, begun)


@delete("/v1/sessions", tags=TAGS, summary="Sign out everywhere", status_code=200, opt={"permission": "account.own"})
async def end_all(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], but_this: FromQuery[bool] = False
) -> Response[Ended]:
    """End every session of who asks, or all but this one."""
    who = signed_in(request)
    assert who.id is not None
    async with parts.record.transaction(parts.cell, str(who)) as tx:
        ended = await parts.people.sessions.end(tx, who.id, "signed out", but=who.session if but_this else None)
    await parts.people.sessions.doubt(ended)
    cookies = [] if but_this else [no_session(parts.people)]
    return Response(Ended(ended=len(ended)), cookies=cookies, headers=NO_STORE)


@delete("/v1/sessions/{session_id:uuid}", tags=TAGS, summary="Sign out", status_code=200, opt={"permission": "account.own"})
async def end(request: Request[Any, Any, Any], parts: NamedDependency[Parts], session_id: FromPath[UUID]) -> Response[Ended]:
    """End one of your sessions, perhaps on another device."""
    who = signed_in(request)
    assert who.id is not None
    async with parts.record.transaction(parts.cell, str(who)) as tx:
        ended = await parts.people.sessions.end(tx, who.id, "signed out", only=session_id)
        if not ended:
            raise NotFoundError(f"There is no session {session_id} of yours.", session_id=str(session_id))
    await parts.people.sessions.doubt(ended)
    cookies = [no_session(parts.people)] if session_id == who.session else []
    return Response(Ended(ended=len(ended)), cookies=cookies, headers=NO_STORE)


HANDLERS = [sign_in, by_link, ask_passkey, by_passkey, sessions, current, renew, step_up, passkey_step_up, end_all, end]


def entered(parts: Parts, let_in: Entered, now: datetime, *, as_cookie: bool) -> Response[SessionAnswer]:
    """Return the answer to whoever was let in: the session as a cookie, or shown once."""
    begun = let_in.session
    cookies = [session_cookie(parts.people, begun, now)] if as_cookie else []
    if as_cookie and let_in.device:
        cookies.append(device_cookie(parts.people, let_in.device))
    shown = SessionAnswer(
        session_id=begun.session_id,
        person_id=begun.person_id,
        expires_at=begun.expires_at,
        token=None if as_cookie else begun.token,
        device=None if as_cookie else let_in.device,
    )
    return Response(shown, status_code=201, headers=NO_STORE, cookies=cookies)


def renewed(request: Request[Any, Any, Any], parts: Parts, begun: Begun) -> Response[SessionAnswer]:
    """Return a session's new token the way the old one came."""
    as_cookie = "authorization" not in request.headers
    answer = entered(parts, Entered(session=begun), utc(parts.clock.millis()), as_cookie=as_cookie)
    return Response(answer.content, status_code=200, headers=NO_STORE, cookies=answer.cookies)


def _in_session(request: Request[Any, Any, Any]) -> Principal:
    who = signed_in(request)
    if who.session is None:
        raise SignInNeededError
    return who
