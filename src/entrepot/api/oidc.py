"""Signing in with another provider of identities (OpenID Connect): there and back, bound to the browser that began.

Who is known by the provider's name for them is let in. Who is not, and whose address it vouches for, gets an account; an
address that has one is never taken over by a provider's word: its owner signs in as before and adds the provider.
"""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect
from msgspec import Struct

from entrepot.api.credentials import sure_of
from entrepot.api.parts import Parts
from entrepot.api.place import place_of
from entrepot.api.principal import cookie_name, device_cookie, device_of, principal_of, session_cookie
from entrepot.api.sessions import NO_STORE
from entrepot.base.errors import ConflictError, NotFoundError, SignInRefusedError, TokenRefusedError
from entrepot.base.limits import CEREMONY_SECONDS
from entrepot.base.time import utc
from entrepot.commerce.people import commands, credentials, rules
from entrepot.commerce.people.door import Entered
from entrepot.partners.identity.port import Identity, IdentityProvider

TAGS = ["Other providers"]
STATE = "entrepot_oidc"
KIND = "oidc"
HOME = "/"


class ProviderUnknownError(NotFoundError):
    """There is no provider of identities of this name."""

    slug = "provider-unknown"


class AddressTakenError(ConflictError):
    """The address that the provider vouches for has an account, whose owner has not added the provider."""

    slug = "address-taken"


class Providers(Struct, frozen=True, kw_only=True):
    """The names of other providers that one may sign in with."""

    items: list[str]


class SentTo(Struct, frozen=True, kw_only=True):
    """Where the browser is to go."""

    address: str


class _Begun(Struct, frozen=True):
    provider: str
    nonce: str
    verifier: str
    person_id: UUID | None = None
    anew: bool = False


@get("/v1/oidc", tags=TAGS, summary="Other providers to sign in with", opt={"permission": "account.join"})
async def providers(parts: NamedDependency[Parts]) -> Providers:
    """List the other providers of identities."""
    return Providers(items=sorted(parts.people.providers))


@post(
    "/v1/oidc/{provider:str}/authorizations",
    tags=TAGS,
    summary="Begin to sign in with a provider",
    status_code=201,
    opt={"permission": "account.join"},
)
async def begin(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], provider: FromPath[str], link: FromQuery[bool] = False
) -> Response[SentTo]:
    """Get where to send the browser. With ``link``, the provider is added to who has signed in here (takes a fresh proof)."""
    asked = _provider(parts, provider)
    person_id = await sure_of(request, parts, utc(parts.clock.millis())) if link else None
    address, state = await _sent(parts, asked, _Begun(provider, *_chance(parts), person_id))
    return Response(SentTo(address=address), status_code=201, headers=NO_STORE, cookies=[_state(parts, state)])


@get(
    "/v1/oidc/{provider:str}/callback",
    tags=TAGS,
    summary="Come back from a provider",
    status_code=303,
    opt={"permission": "account.join"},
)
async def callback(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    provider: FromPath[str],
    began: Annotated[str, QueryParameter(name="state", required=False)] = "",
    code: Annotated[str, QueryParameter(required=False)] = "",
) -> Redirect:
    """Let in whom the provider sends back; only the browser that began may end it.

    Who proved it there too long ago is sent back once, to prove it anew: not every provider heeds ``max_age``.
    """
    asked, people, now = _provider(parts, provider), parts.people, utc(parts.clock.millis())
    if not code or not began or request.cookies.get(cookie_name(people, STATE)) != began:
        raise SignInRefusedError
    try:
        ceremony = await people.ceremonies.end(KIND, UUID(began), _Begun)
    except ValueError as error:
        raise TokenRefusedError("challenge") from error
    if ceremony.provider != provider:
        raise SignInRefusedError
    found = await asked.identity(code, back=_back(parts, provider), nonce=ceremony.nonce, verifier=ceremony.verifier)
    if ceremony.person_id is not None:
        await _link(request, parts, ceremony.person_id, provider, found)
        return Redirect(HOME, status_code=303, headers=NO_STORE, cookies=[_state(parts, "", 0)])
    if not ceremony.anew and rules.proved_too_long_ago(found.proved_at, parts.clock.millis() / 1_000):
        address, state = await _sent(parts, asked, _Begun(provider, *_chance(parts), anew=True))
        return Redirect(address, status_code=303, headers=NO_STORE, cookies=[_state(parts, state)])
    let_in = await _let_in(request, parts, provider, found)
    cookies = [session_cookie(people, let_in.session, now), _state(parts, "", 0)]
    if let_in.device:
        cookies.append(device_cookie(people, let_in.device))
    return Redirect(HOME, status_code=303, headers=NO_STORE, cookies=cookies)


HANDLERS = [providers, begin, callback]


def _chance(parts: Parts) -> tuple[str, str]:
    """Return a nonce and a verifier."""
    return parts.record.ids.secret().hex(), parts.record.ids.secret().hex()


async def _sent(parts: Parts, asked: IdentityProvider, begun: _Begun) -> tuple[str, str]:
    """Begin; returns where the browser is to go, and what it is to bring back."""
    state = str(await parts.people.ceremonies.begin(KIND, begun))
    back = _back(parts, begun.provider)
    address = await asked.address(back=back, state=state, nonce=begun.nonce, verifier=begun.verifier, anew=begun.anew)
    return address, state


async def _let_in(request: Request[Any, Any, Any], parts: Parts, provider: str, found: Identity) -> Entered:
    people, place = parts.people, place_of(request.scope, parts.people.proxies)
    rules.check_proof_elsewhere(found.proved_at, parts.clock.millis() / 1_000)
    device, proved_at = device_of(request, people), utc(found.proved_at * 1_000)
    try:
        return await people.door.by_provider(provider, found.subject, proved_at, place, device)
    except SignInRefusedError:
        if not found.email:
            raise
    now, blind = utc(parts.clock.millis()), people.door.subject_blind(provider, found.subject)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        person_id = await commands.add_vouched(tx, people.sealing, found.email, now)
        if person_id is None:
            raise AddressTakenError("This address has an account: sign in as before, then add the provider.")
        await credentials.link_provider(tx, person_id, provider, blind, now)
    return await people.door.by_provider(provider, found.subject, proved_at, place, device)


async def _link(request: Request[Any, Any, Any], parts: Parts, person_id: UUID, provider: str, found: Identity) -> None:
    if principal_of(request).id != person_id:  # signed out meanwhile, or somebody else
        raise SignInRefusedError
    blind = parts.people.door.subject_blind(provider, found.subject)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        await credentials.link_provider(tx, person_id, provider, blind, utc(parts.clock.millis()))


def _provider(parts: Parts, name: str) -> IdentityProvider:
    found = parts.people.providers.get(name)
    if found is None:
        raise ProviderUnknownError(f"There is no provider {name[:40]!r}: GET /v1/oidc lists them.", provider=name[:40])
    return found


def _back(parts: Parts, provider: str) -> str:
    return f"{parts.people.site.origin}/v1/oidc/{provider}/callback"


def _state(parts: Parts, state: str, seconds: int = int(CEREMONY_SECONDS)) -> Cookie:
    secure = parts.people.site.origin.startswith("https:")
    name = cookie_name(parts.people, STATE)
    return Cookie(name, value=state, path="/", max_age=seconds, httponly=True, samesite="lax", secure=secure)
