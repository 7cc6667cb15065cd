"""Pure decisions about people: what they may type, how long sessions live, who may try again, which roles there are."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from babel import Locale, UnknownLocaleError
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError, SignInRefusedError
from entrepot.base.machine import Machine
from entrepot.base.money import currency
from entrepot.base.principal import COMPANY, SELLER, Membership
from entrepot.commerce.approval.rules import Deed

PERSON = Machine(
    "person",
    {
        "unverified": ("active", "erased"),
        "active": ("suspended", "erased"),
        "suspended": ("active", "erased"),
        "erased": (),
    },
)

# Every role, and for what kind of tenant it is held; what each may do is told in access.
ROLES: Mapping[str, str] = {
    "admin": "",
    "support": "",
    "finance": "",
    "catalogue": "",
    "operations": "",
    "privacy": "",
    "auditor": "",
    "integration": "",
    "seller_admin": SELLER,
    "seller_staff": SELLER,
    "company_admin": COMPANY,
    "buyer": COMPANY,
    "approver": COMPANY,
}

_EMAIL = re.compile(r"[!-?A-~]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SCOPE = re.compile(r"\*|[a-z][a-z_.]{0,38}(?::[a-z_*]{1,20})?")
_TENANT = re.compile(r"(?:seller|company)/[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_SHOWN = 40
_LINES_MAX = 4


class ProfileDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody tells of themselves, and how they like it; ``region``: whose law says where what is theirs may lie."""

    name: str = ""
    phone: str = ""
    language: str = "en"
    market: str = ""
    currency: str = ""
    region: str = ""


class AddressDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where somebody receives things; ``usual`` is the one that is offered first."""

    name: str
    lines: list[str]
    city: str
    country: str
    postcode: str = ""
    region: str = ""
    phone: str = ""
    usual: bool = False


class Lifetime(Struct, frozen=True):
    """How long a session lives without being used, and in all."""

    idle: timedelta
    whole: timedelta


def may_be_let_in(state: str) -> bool:
    """Say whether somebody in this state may sign in."""
    return state == "active"


def is_shut_out(person_id: object, state: str) -> bool:
    """Say whether somebody must be made active to be let in; who cannot be is refused."""
    if not may_be_let_in(state):
        PERSON.check(person_id, state, "active")
        return True
    return False


def check_email(email: str) -> None:
    """Refuse what no letter could be sent to; international domains are written in their ASCII form."""
    if len(email) > limits.EMAIL_CHARS_MAX or not _EMAIL.fullmatch(email):
        raise BadInputError(
            "The field email is no address that a letter could be sent to: write name@example.com.", field="email"
        )


def check_password(password: str, listed: frozenset[str], about: Iterable[str] = ()) -> None:
    """Refuse a password that is too short or long, known from breaches, or made of what is known of the person.

    Nothing is asked of its kinds of characters: length is what counts (ASVS 5.0, 6.2).
    """
    if len(password) < limits.PASSWORD_CHARS_MIN:
        raise BadInputError(f"The password is too short: {limits.PASSWORD_CHARS_MIN} characters or more.", field="password")
    if len(password) > limits.PASSWORD_CHARS_MAX:
        raise BadInputError(f"The password is too long: {limits.PASSWORD_CHARS_MAX} characters at most.", field="password")
    plain = password.casefold()
    if plain in listed or plain.strip("0123456789!?.,-_ ") in listed or len(set(plain)) <= len("abc"):
        raise BadInputError("This password is known from breaches, or as easily guessed: choose another.", field="password")
    if any(word and word.casefold() in plain for word in about):
        raise BadInputError("The password holds your address or our name: choose another.", field="password")


def context_of(email: str) -> list[str]:
    """Return what no password of this person may hold."""
    local = email.partition("@")[0]
    return ["entrepot", email, local if len(local) >= len("abcde") else ""]


def check_profile(draft: ProfileDraft) -> None:
    """Refuse a profile whose parts cannot be meant."""
    _text("name", draft.name, limits.PERSON_NAME_CHARS_MAX)
    _text("phone", draft.phone, limits.PHONE_CHARS_MAX)
    check_language(draft.language)
    if draft.currency:
        currency(draft.currency)
    if draft.market and not _WORD.fullmatch(draft.market):
        raise BadInputError(f"{draft.market!r} is no name of a market: small letters, digits and _.", field="market")


def check_language(language: str) -> None:
    """Refuse what no locale is called."""
    try:
        Locale.parse(language, sep="-" if "-" in language else "_")
    except (UnknownLocaleError, ValueError) as error:
        raise BadInputError(f"{language[:_SHOWN]!r} is no language: give en, de or pt-BR.", field="language") from error


def check_address(draft: AddressDraft, there: int) -> None:
    """Refuse an address that nothing could be brought to."""
    if there >= limits.ADDRESSES_MAX:
        raise ConflictError(f"There are {there} addresses, which is the most: remove one first.")
    if not 1 <= len(draft.lines) <= _LINES_MAX:
        raise BadInputError(f"{len(draft.lines)} lines were given: 1 to {_LINES_MAX}.", field="lines")
    if not _COUNTRY.fullmatch(draft.country):
        raise BadInputError(f"{draft.country[:9]!r} is no country: two capital letters, as in GB.", field="country")
    needed = {"name": draft.name, "city": draft.city, **{f"lines[{place}]": line for place, line in enumerate(draft.lines)}}
    for field, value in needed.items():
        if not value.strip():
            raise BadInputError(f"The field {field} is empty: fill it in.", field=field)
    for field, value in {**needed, "postcode": draft.postcode, "region": draft.region, "phone": draft.phone}.items():
        _text(field, value, limits.ADDRESS_LINE_CHARS_MAX)


def check_consent(purpose: str, text_version: str, how: str) -> None:
    """Refuse a consent that does not say for what, to which text, and where it was asked."""
    for field, value, form in (("purpose", purpose, _WORD), ("text_version", text_version, _VERSION), ("how", how, _WORD)):
        if not form.fullmatch(value):
            raise BadInputError(f"{value[:_SHOWN]!r} cannot be meant here: a short word, as in newsletter.", field=field)


def check_key(label: str, scopes: Iterable[str], days: int, there: int) -> None:
    """Refuse an API key without a usable label, end or scopes, and one too many."""
    if there >= limits.API_KEYS_MAX:
        raise ConflictError(f"There are {there} API keys, which is the most: revoke one first.")
    if not _LABEL.fullmatch(label):
        raise BadInputError(f"{label[:_SHOWN]!r} is no label: small letters, digits and hyphens.", field="label")
    if not 1 <= days <= limits.API_KEY_DAYS_MAX:
        raise BadInputError(f"{days} days: 1 to {limits.API_KEY_DAYS_MAX}.", field="days")
    given = list(scopes)
    if not 1 <= len(given) <= limits.SCOPES_MAX or any(not _SCOPE.fullmatch(scope) for scope in given):
        raise BadInputError("The scopes are 1 to 50 words such as orders:read, or * for all that you may.", field="scopes")


def granting(person_id: UUID, one: Membership) -> Deed:
    """Return what giving a role is, for who must have somebody else's word for it."""
    what = f"To give {one.role} {one.tenant}".rstrip() + f" to {person_id}"
    return Deed(kind="role", about=f"person/{person_id}", scope=one.role, amount=1, what=what)


def check_membership(role: str, tenant: str, there: int) -> None:
    """Refuse a role that there is not, or one held for the wrong kind of tenant."""
    if there >= limits.MEMBERSHIPS_MAX:
        raise ConflictError(f"The person holds {there} roles, which is the most: revoke one first.")
    if role not in ROLES:
        raise BadInputError(f"There is no role {role[:_SHOWN]!r}: {', '.join(ROLES)}.", field="role")
    wanted = ROLES[role]
    if tenant and not _TENANT.fullmatch(tenant):
        raise BadInputError(f"{tenant[:_SHOWN]!r} is no tenant: seller/<code> or company/<id>.", field="tenant")
    if tenant.partition("/")[0] != wanted:
        where = f"for a {wanted}: give {wanted}/..." if wanted else "for the whole platform: give no tenant"
        raise BadInputError(f"The role {role} is held {where}.", field="tenant")


def lifetime(memberships: Iterable[Membership]) -> Lifetime:
    """Return how long a session lives: shorter for who acts for others than for themselves."""
    idle, whole = limits.SESSION_IDLE_SECONDS, limits.SESSION_SECONDS
    if any(True for _ in memberships):
        idle, whole = limits.STAFF_IDLE_SECONDS, limits.STAFF_SECONDS
    return Lifetime(timedelta(seconds=idle), timedelta(seconds=whole))


def check_proof_elsewhere(proved_at: float, now_seconds: float) -> None:
    """Refuse the word of another provider of identities about a proof that is too old, or yet to come."""
    if proved_too_long_ago(proved_at, now_seconds) or proved_at > now_seconds + limits.PROVIDER_LEEWAY_SECONDS:
        raise SignInRefusedError


def proved_too_long_ago(proved_at: float, now_seconds: float) -> bool:
    """Say whether what another provider of identities vouches for was proved to it too long ago."""
    return proved_at < now_seconds - limits.PROVIDER_SECONDS - limits.PROVIDER_LEEWAY_SECONDS


def _text(field: str, value: str, most: int) -> None:
    if len(value) > most or not value.isprintable():
        raise BadInputError(f"The field {field} is not usable: {most} printable characters at most.", field=field)
