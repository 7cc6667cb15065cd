"""How somebody who has signed in proves who they are: password, authenticator, passkeys, recovery codes, API keys.

Whatever lets anybody in takes a proof that is minutes old (``step-up``); an API key changes nothing here. Whose rights wait for
a second factor may set up their first, and change nothing else before they have proved themselves by the one that they have.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from entrepot.access.errors import SecondFactorNeededError
from entrepot.api.parts import Parts
from entrepot.api.people import Done
from entrepot.api.principal import freshly_proved, signed_in
from entrepot.api.sessions import NO_STORE, PasskeyAsked
from entrepot.base.time import utc
from entrepot.commerce.people import commands, credentials, query, rules
from entrepot.commerce.people.credentials import KeyDraft, KeyIssued, RecoveryCodes, TotpBegun
from entrepot.commerce.people.passwords import breached
from entrepot.commerce.people.query import Key, Passkey

TAGS = ["Your credentials"]


class Password(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new password."""

    password: str


class Code(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the authenticator shows now."""

    code: str


class PasskeyMade(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the browser's authenticator has made (WebAuthn's JSON form), and the challenge that it was asked by."""

    challenge_id: UUID
    credential: dict[str, Any]


class PasskeyKept(Struct, frozen=True, kw_only=True):
    """The id that a passkey is known by."""

    id: UUID


class Passkeys(Struct, frozen=True, kw_only=True):
    """Your passkeys."""

    items: list[Passkey]


class Keys(Struct, frozen=True, kw_only=True):
    """Your API keys that are good."""

    items: list[Key]


@put("/v1/me/password", tags=TAGS, summary="Choose another password", opt={"permission": "account.own"})
async def set_password(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[Password]
) -> Response[Done]:
    """Choose a password. Every other session ends."""
    (who, now), people = await _fresh(request, parts), parts.people
    rules.check_password(data.password, breached(), rules.context_of(""))
    hash_ = await people.passwords.hash(data.password)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        await commands.check_password(tx, people.sealing, who, data.password)
        await commands.set_password(tx, who, hash_, now)
        ended = await people.sessions.end(tx, who, "password changed", but=signed_in(request).session)
    await people.sessions.doubt(ended)
    return Response(Done(), headers=NO_STORE)


@post("/v1/me/totp", tags=TAGS, summary="Begin to use an authenticator", status_code=201, opt={"permission": "account.own"})
async def begin_totp(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[TotpBegun]:
    """Get a seed for an authenticator; codes are asked for once one of them is confirmed."""
    person_id, _ = await _fresh(request, parts)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        begun = await credentials.begin_totp(tx, parts.people.sealing, person_id)
    return Response(begun, status_code=201, headers=NO_STORE)


@put("/v1/me/totp", tags=TAGS, summary="Confirm the authenticator", opt={"permission": "account.own"})
async def confirm_totp(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[Code]
) -> Response[RecoveryCodes]:
    """Ask for codes of this authenticator from now on. The answer holds recovery codes, once."""
    person_id, now = await _fresh(request, parts)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        codes = await credentials.confirm_totp(tx, parts.people.sealing, person_id, data.code, now)
    return Response(codes, headers=NO_STORE)


@delete("/v1/me/totp", tags=TAGS, summary="Use the authenticator no longer", status_code=200, opt={"permission": "account.own"})
async def remove_totp(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Done]:
    """Ask for codes no longer."""
    person_id, now = await _fresh(request, parts)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        await credentials.remove_totp(tx, person_id, now)
    return Response(Done(), headers=NO_STORE)


@post("/v1/me/recovery-codes", tags=TAGS, summary="Get new recovery codes", status_code=201, opt={"permission": "account.own"})
async def recovery_codes(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[RecoveryCodes]:
    """Get recovery codes in place of those that you have."""
    person_id, now = await _fresh(request, parts)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        codes = await credentials.new_recovery_codes(tx, person_id, now)
    return Response(codes, status_code=201, headers=NO_STORE)


@get("/v1/me/passkeys", tags=TAGS, summary="Your passkeys", opt={"permission": "account.own"})
async def passkeys(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Passkeys]:
    """List your passkeys."""
    person_id = _id(request)
    async with parts.record.reading() as connection:
        return Response(Passkeys(items=await query.passkeys(connection, person_id)), headers=NO_STORE)


@post(
    "/v1/me/passkey-challenges", tags=TAGS, summary="Begin to add a passkey", status_code=201, opt={"permission": "account.own"}
)
async def begin_passkey(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[PasskeyAsked]:
    """Get what the browser is to ask its authenticator for."""
    (person_id, _), people = await _fresh(request, parts), parts.people
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        begun = await credentials.begin_passkey(tx, people.sealing, people.ceremonies, people.site, person_id)
    return Response(PasskeyAsked(challenge_id=begun[0], options=begun[1]), status_code=201, headers=NO_STORE)


@post("/v1/me/passkeys", tags=TAGS, summary="Add a passkey", status_code=201, opt={"permission": "account.own"})
async def add_passkey(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[PasskeyMade]
) -> Response[PasskeyKept]:
    """Keep the passkey that the authenticator has made."""
    (person_id, now), people = await _fresh(request, parts), parts.people
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        made = await credentials.add_passkey(
            tx, people.ceremonies, people.site, person_id, data.challenge_id, data.credential, now
        )
    return Response(PasskeyKept(id=made), status_code=201, headers=NO_STORE)


@delete(
    "/v1/me/passkeys/{passkey_id:uuid}",
    tags=TAGS,
    summary="Forget a passkey",
    status_code=200,
    opt={"permission": "account.own"},
)
async def remove_passkey(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], passkey_id: FromPath[UUID]
) -> Response[Done]:
    """Forget a passkey of yours."""
    person_id, now = await _fresh(request, parts)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        await credentials.remove_passkey(tx, person_id, passkey_id, now)
    return Response(Done(), headers=NO_STORE)


@get("/v1/me/api-keys", tags=TAGS, summary="Your API keys", opt={"permission": "account.own"})
async def keys(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Keys]:
    """List your API keys: what they begin with, what they may do, when they were last used."""
    person_id = _id(request)
    async with parts.record.reading() as connection:
        items = await query.keys(connection, person_id, utc(parts.clock.millis()))
    return Response(Keys(items=items), headers=NO_STORE)


@post("/v1/me/api-keys", tags=TAGS, summary="Make an API key", status_code=201, opt={"permission": "account.own"})
async def issue_key(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[KeyDraft]
) -> Response[KeyIssued]:
    """Make an API key; it is shown this once. A key acts in its owner's roles: where those wait, no key gets round it."""
    person_id, now = await _fresh(request, parts)
    if signed_in(request).withheld:
        raise SecondFactorNeededError
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        issued = await credentials.issue_key(tx, person_id, data, now)
    return Response(issued, status_code=201, headers=NO_STORE)


@delete(
    "/v1/me/api-keys/{key_id:uuid}", tags=TAGS, summary="Revoke an API key", status_code=200, opt={"permission": "account.own"}
)
async def end_key(request: Request[Any, Any, Any], parts: NamedDependency[Parts], key_id: FromPath[UUID]) -> Response[Done]:
    """Refuse an API key of yours from now on; a key may end itself."""
    person_id, now = _id(request), utc(parts.clock.millis())
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        await credentials.end_key(tx, person_id, key_id, now)
    await parts.people.sessions.doubt([key_id])
    return Response(Done(), headers=NO_STORE)


@delete(
    "/v1/me/providers/{provider:str}",
    tags=TAGS,
    summary="Take no other provider's word",
    status_code=200,
    opt={"permission": "account.own"},
)
async def unlink(request: Request[Any, Any, Any], parts: NamedDependency[Parts], provider: FromPath[str]) -> Response[Done]:
    """Sign in by this provider of identities no longer."""
    person_id, now = await _fresh(request, parts)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        await credentials.unlink_provider(tx, person_id, provider, now)
    return Response(Done(), headers=NO_STORE)


async def sure_of(request: Request[Any, Any, Any], parts: Parts, now: datetime) -> UUID:
    """Return who may change how they come in: they proved who they are a moment ago, by their second factor where it counts."""
    who = freshly_proved(request, now)
    assert who.id is not None
    if who.withheld:
        async with parts.record.committing() as connection:
            if await query.has_second_factor(connection, who.id):
                raise SecondFactorNeededError
    return who.id


HANDLERS = [
    set_password,
    begin_totp,
    confirm_totp,
    remove_totp,
    recovery_codes,
    passkeys,
    begin_passkey,
    add_passkey,
    remove_passkey,
    keys,
    issue_key,
    end_key,
    unlink,
]


def _id(request: Request[Any, Any, Any]) -> UUID:
    who = signed_in(request)
    assert who.id is not None
    return who.id


async def _fresh(request: Request[Any, Any, Any], parts: Parts) -> tuple[UUID, datetime]:
    """Return whose credentials are changed, and now; who did not prove it a moment ago is refused."""
    now = utc(parts.clock.millis())
    return await sure_of(request, parts, now), now
