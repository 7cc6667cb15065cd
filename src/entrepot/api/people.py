"""Becoming somebody here, and coming back without a password. Answers never tell whether an address has an account."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from entrepot.api.parts import Parts
from entrepot.api.place import place_of
from entrepot.api.principal import asked_by, asked_cookie
from entrepot.api.sessions import NO_STORE, SessionAnswer, entered
from entrepot.base.ids import IdSource
from entrepot.base.limits import MAILED_SECONDS
from entrepot.base.time import utc
from entrepot.commerce.people import commands, rules, tries
from entrepot.commerce.people.door import EMAIL, Entered
from entrepot.commerce.people.passwords import breached
from entrepot.commerce.people.tokens import ASKED, Proof
from entrepot.sealing.blind import email_normal

TAGS = ["People"]


class Registration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wants an account: the address that a letter goes to, and the language."""

    email: str
    language: str = "en"


class Mailed(Struct, frozen=True, kw_only=True):
    """What is told whoever asked: what there is to know is in the mail, if the address is anybody's.

    ``asked`` proves who asked: the letter's link is good with it alone. A browser keeps it as a cookie.
    """

    told: str = "by mail"
    asked: str


class Verification(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link from the letter, and the password that is wanted (none: sign in by links or passkeys)."""

    token: str
    asked: str = ""
    password: str = ""
    as_cookie: bool = False


class Address(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An e-mail address."""

    email: str


class NewPassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link from the letter, and the new password."""

    token: str
    asked: str = ""
    password: str


class LinkOnly(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link from the letter, and what was answered when it was asked for."""

    token: str
    asked: str = ""


class Done(Struct, frozen=True, kw_only=True):
    """It is done."""

    done: bool = True


@post("/v1/people", tags=TAGS, summary="Register", status_code=202, opt={"permission": "account.join"})
async def register(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[Registration]
) -> Response[Mailed]:
    """Ask for an account. A letter goes to the address; the password is chosen by who opens it."""
    rules.check_email(data.email)
    rules.check_language(data.language)
    now = await _count(request, parts, data.email)
    async with _as_long_as_ever(), parts.record.transaction(parts.cell, parts.actor) as tx:
        asked = asking(tx.ids)
        await commands.register(tx, parts.people.sealing, data.email, data.language, asked, now)
    return mailed(parts, asked)


@post("/v1/people/verifications", tags=TAGS, summary="Confirm an address", status_code=201, opt={"permission": "account.join"})
async def verify(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[Verification]
) -> Response[SessionAnswer]:
    """Confirm an address by the link that was mailed, choose a password, and be signed in."""
    people, now = parts.people, utc(parts.clock.millis())
    hash_ = ""
    if data.password:
        rules.check_password(data.password, breached(), rules.context_of(""))
        hash_ = await people.passwords.hash(data.password)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        person_id = await commands.confirm(tx, data.token, asked_by(request, people, data.asked), now)
        if hash_:
            await commands.check_password(tx, people.sealing, person_id, data.password)
            await commands.set_password(tx, person_id, hash_, now)
        begun = await people.sessions.begin(tx, person_id, ["link"], place_of(request.scope, people.proxies))
    return entered(parts, Entered(session=begun), now, as_cookie=data.as_cookie)


@post("/v1/people/resets", tags=TAGS, summary="Ask for a new password", status_code=202, opt={"permission": "account.join"})
async def ask_reset(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[Address]
) -> Response[Mailed]:
    """Ask for a link to choose a new password; it is mailed to the address, if somebody signs in by it."""
    return await _mail(request, parts, data.email, "reset")


@post(
    "/v1/people/sign-in-links",
    tags=TAGS,
    summary="Ask for a link to sign in",
    status_code=202,
    opt={"permission": "account.join"},
)
async def ask_link(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[Address]) -> Response[Mailed]:
    """Ask for a link that signs in once; it is mailed to the address, if somebody signs in by it."""
    return await _mail(request, parts, data.email, "sign_in")


@post("/v1/people/passwords", tags=TAGS, summary="Choose a new password", status_code=200, opt={"permission": "account.join"})
async def reset(request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[NewPassword]) -> Response[Done]:
    """Choose a new password by the link that was mailed. Every session ends; a second factor is asked for as before."""
    people, now = parts.people, utc(parts.clock.millis())
    rules.check_password(data.password, breached(), rules.context_of(""))
    hash_ = await people.passwords.hash(data.password)
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        person_id = await commands.reset(tx, data.token, asked_by(request, people, data.asked), hash_, now)
        await commands.check_password(tx, people.sealing, person_id, data.password)
        ended = await people.sessions.end(tx, person_id, "password reset")
    await people.sessions.doubt(ended)
    return Response(Done(), headers=NO_STORE)


@post("/v1/people/emails", tags=TAGS, summary="Confirm a new address", status_code=200, opt={"permission": "account.join"})
async def change_email(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[LinkOnly]
) -> Response[Done]:
    """Confirm, by the link that was mailed to it, the address that somebody wants to sign in as. Every session ends."""
    people, now = parts.people, utc(parts.clock.millis())
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        person_id = await commands.change_email(tx, people.sealing, data.token, asked_by(request, people, data.asked), now)
        ended = await people.sessions.end(tx, person_id, "address changed")
    await people.sessions.doubt(ended)
    return Response(Done(), headers=NO_STORE)


def asking(ids: IdSource) -> Proof:
    """Return what is given to who asks for a letter, whether there is anybody to write to or not."""
    return Proof(ASKED, ids.fresh(), ids.secret())


def mailed(parts: Parts, asked: Proof) -> Response[Mailed]:
    """Return what is told whoever asked for a letter."""
    cookies = [asked_cookie(parts.people, str(asked))]
    return Response(Mailed(asked=str(asked)), status_code=202, headers=NO_STORE, cookies=cookies)


HANDLERS = [register, verify, ask_reset, ask_link, reset, change_email]


async def _mail(request: Request[Any, Any, Any], parts: Parts, email: str, about: str) -> Response[Mailed]:
    rules.check_email(email)
    now = await _count(request, parts, email)
    async with _as_long_as_ever(), parts.record.transaction(parts.cell, parts.actor) as tx:
        asked = asking(tx.ids)
        await commands.ask_by_mail(tx, parts.people.sealing, email, about, asked, now)
    return mailed(parts, asked)


@asynccontextmanager
async def _as_long_as_ever() -> AsyncIterator[None]:
    """Let the block take the same time whatever it found: to begin an account is more work than to find one there."""
    began = time.monotonic()
    yield
    await asyncio.sleep(began + MAILED_SECONDS - time.monotonic())


async def _count(request: Request[Any, Any, Any], parts: Parts, email: str) -> Any:
    """Count a letter asked for from this network, so that nobody has the whole town written to; returns now."""
    now, place = utc(parts.clock.millis()), place_of(request.scope, parts.people.proxies)
    blind = parts.people.sealing.blind(EMAIL, email_normal(email))
    await tries.count(parts.record, tries.buckets(blind, place.network, None, known=False, what=b"letter"), now)
    return now
