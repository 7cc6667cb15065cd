"""What somebody who has signed in says of themselves: profile, addresses, consent. Nobody else's is reached from here."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from entrepot.api.credentials import sure_of
from entrepot.api.parts import Parts
from entrepot.api.people import Address, Mailed, asking, mailed
from entrepot.api.principal import signed_in
from entrepot.api.sessions import NO_STORE
from entrepot.base.errors import TokenRefusedError
from entrepot.base.time import utc
from entrepot.commerce.people import commands, query
from entrepot.commerce.people.query import Consent, KeptAddress, Profile
from entrepot.commerce.people.rules import AddressDraft, ProfileDraft

TAGS = ["You"]


class Addresses(Struct, frozen=True, kw_only=True):
    """Your addresses, the usual one first."""

    items: list[KeptAddress]


class AddressKept(Struct, frozen=True, kw_only=True):
    """The id that an address is known by."""

    id: UUID


class ConsentGiven(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What you agree to: the version of the text that you were shown, and where."""

    text_version: str
    how: str = "api"


class Consents(Struct, frozen=True, kw_only=True):
    """What you agreed to, the last first; one without an end counts."""

    items: list[Consent]


@get("/v1/me", tags=TAGS, summary="What is known of you", opt={"permission": "account.own"})
async def profile(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Profile]:
    """Read your profile, what you are to whom, and how you sign in."""
    return Response(await _profile(parts, _id(request)), headers=NO_STORE)


@put("/v1/me", tags=TAGS, summary="Say who you are", opt={"permission": "account.own"})
async def save_profile(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[ProfileDraft]
) -> Response[Profile]:
    """Save your name, phone, language, market, currency and region: whose law says where what is known of you may lie."""
    person_id = _id(request)
    market = await parts.quoting.market(parts.record, parts.cell, data.market) if data.market else None
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        await commands.save_profile(tx, parts.people.sealing, person_id, data, market.country if market else "")
    return Response(await _profile(parts, person_id), headers=NO_STORE)


@post("/v1/me/email", tags=TAGS, summary="Change your e-mail address", status_code=202, opt={"permission": "account.own"})
async def new_email(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[Address]
) -> Response[Mailed]:
    """Ask to sign in by another address; a letter goes there, and the old address is told. Takes a fresh proof."""
    now = utc(parts.clock.millis())
    person_id = await sure_of(request, parts, now)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        asked = asking(tx.ids)
        await commands.ask_new_email(tx, parts.people.sealing, person_id, data.email, asked, now)
    return mailed(parts, asked)


@get("/v1/me/addresses", tags=TAGS, summary="Your addresses", opt={"permission": "account.own"})
async def addresses(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Addresses]:
    """List your addresses."""
    async with parts.record.reading() as connection:
        items = await query.addresses(connection, parts.people.sealing, _id(request))
    return Response(Addresses(items=items), headers=NO_STORE)


@post("/v1/me/addresses", tags=TAGS, summary="Add an address", status_code=201, opt={"permission": "account.own"})
async def add_address(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[AddressDraft]
) -> Response[AddressKept]:
    """Add an address."""
    return Response(AddressKept(id=await _save(request, parts, None, data)), status_code=201, headers=NO_STORE)


@put("/v1/me/addresses/{address_id:uuid}", tags=TAGS, summary="Change an address", opt={"permission": "account.own"})
async def change_address(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    address_id: FromPath[UUID],
    data: JSONBody[AddressDraft],
) -> Response[AddressKept]:
    """Change an address of yours."""
    return Response(AddressKept(id=await _save(request, parts, address_id, data)), headers=NO_STORE)


@delete("/v1/me/addresses/{address_id:uuid}", tags=TAGS, summary="Forget an address", opt={"permission": "account.own"})
async def remove_address(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], address_id: FromPath[UUID]
) -> Response[None]:
    """Forget an address of yours."""
    person_id = _id(request)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        await commands.remove_address(tx, person_id, address_id)
    return Response(None, status_code=204, headers=NO_STORE)


@get("/v1/me/consents", tags=TAGS, summary="What you agreed to", opt={"permission": "account.own"})
async def consents(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Consents]:
    """List every answer that you gave, with the text's version, when and where."""
    async with parts.record.reading() as connection:
        items = await query.consents(connection, _id(request))
    return Response(Consents(items=items), headers=NO_STORE)


@put("/v1/me/consents/{purpose:str}", tags=TAGS, summary="Agree to something", opt={"permission": "account.own"})
async def give_consent(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], purpose: FromPath[str], data: JSONBody[ConsentGiven]
) -> Response[Consents]:
    """Agree to a purpose, as the version of its text that you were shown says it."""
    person_id, now = _id(request), utc(parts.clock.millis())
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        await commands.give_consent(tx, person_id, purpose, data.text_version, data.how, now)
        items = await query.consents(tx.connection, person_id)
    return Response(Consents(items=items), headers=NO_STORE)


@delete(
    "/v1/me/consents/{purpose:str}", tags=TAGS, summary="Agree no longer", status_code=200, opt={"permission": "account.own"}
)
async def withdraw_consent(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], purpose: FromPath[str]
) -> Response[Consents]:
    """Withdraw what you agreed to, as easily as it was given."""
    person_id, now = _id(request), utc(parts.clock.millis())
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        await commands.withdraw_consent(tx, person_id, purpose, "api", now)
        items = await query.consents(tx.connection, person_id)
    return Response(Consents(items=items), headers=NO_STORE)


HANDLERS = [
    profile,
    save_profile,
    new_email,
    addresses,
    add_address,
    change_address,
    remove_address,
    consents,
    give_consent,
    withdraw_consent,
]


def _id(request: Request[Any, Any, Any]) -> UUID:
    who = signed_in(request)
    assert who.id is not None
    return who.id


async def _profile(parts: Parts, person_id: UUID) -> Profile:
    async with parts.record.reading() as connection:
        found = await query.profile(connection, parts.people.sealing, person_id)
    if found is None:
        raise TokenRefusedError
    return found


async def _save(request: Request[Any, Any, Any], parts: Parts, address_id: UUID | None, data: AddressDraft) -> UUID:
    person_id, now = _id(request), utc(parts.clock.millis())
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        return await commands.save_address(tx, parts.people.sealing, person_id, address_id, data, now)
