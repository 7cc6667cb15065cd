"""What a caller is told when something is wrong: problem+json (RFC 9457), the same sentence that the command line says.

Every ``EntrepotError`` is answered as it is; what the framework refuses by itself is turned into the same form. Whatever is
left is a bug: the caller gets one sentence and a number to quote, the log gets the rest.
"""

import re
import traceback
from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import Struct

from entrepot.base.errors import BadInputError, EntrepotError, NotFoundError, SignInNeededError
from entrepot.base.ids import IdSource
from entrepot.base.limits import BODY_BYTES_MAX

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1
REFUSED = 400

_PLACE = re.compile(r"^(?P<what>.+?)(?: - at `(?:key in )?\$?\.?(?P<path>.*?)`)?$", re.DOTALL)
_LACK = re.compile(r"Object (?P<how>missing required|contains unknown) field `(?P<name>[^`]*)`")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_MISSING = re.compile(r"Missing required (?P<source>\w+) parameter '(?P<name>[^']*)'")
_VALUE_CHARS_MAX = 80


class Problem(Struct, frozen=True):
    """One refusal as it goes over the wire; ``facts`` are written beside the standard members."""

    slug: str
    status: int
    detail: str
    facts: dict[str, object] = {}

    def json(self) -> bytes:
        """Return the problem as JSON text."""
        members = {"type": f"/problems/{self.slug}", "title": title_of(self.slug), "status": self.status, "detail": self.detail}
        # A fact never takes the name of a standard member.
        return msgspec.json.encode({**self.facts, **members}, enc_hook=str)

    def headers(self) -> dict[str, str]:
        """Return the headers that go with it; what may pass by itself says when to try again."""
        headers = {"Cache-Control": "no-store"}
        if self.status in {429, 503}:
            headers["Retry-After"] = str(self.facts.get("retry_seconds", RETRY_AFTER_SECONDS))
        if self.status == SignInNeededError.status:
            headers["WWW-Authenticate"] = "Bearer"
        if self.status == TooLargeError.status:
            headers["Connection"] = "close"  # what is left of the body is not read, so nothing can follow it
        return headers


class TooLargeError(EntrepotError):
    """A body has more bytes than any request needs."""

    slug = "too-large"
    status = 413
    exit_code = 2


class TooSlowError(EntrepotError):
    """A request was not finished within its time; what it began was undone."""

    slug = "too-slow"
    status = 503
    exit_code = 5


class UnexpectedError(EntrepotError):
    """Something happened that nobody foresaw; the log has the details under the number that the sentence names."""

    slug = "unexpected"
    status = 500


class NotAllowedError(EntrepotError):
    """The address exists, but not with this method."""

    slug = "method-not-allowed"
    status = 405
    exit_code = 2


def too_large(size: int, most: int = BODY_BYTES_MAX) -> TooLargeError:
    """Return the refusal of a body that is larger than its request needs."""
    return TooLargeError(f"The body has {size} bytes or more, {most} at most are taken: send it in parts.", bytes_max=most)


def of(error: EntrepotError) -> Problem:
    """Return the problem that an error is."""
    return Problem(error.slug, error.status, str(error), dict(error.facts))


def title_of(slug: str) -> str:
    """Return the slug as a person reads it: ``stock-exhausted`` is "Stock exhausted"."""
    return slug.replace("-", " ").capitalize()


def kinds() -> dict[str, type[EntrepotError]]:
    """Return every kind of error that a caller can meet, by slug."""
    own = {kind.slug: kind for kind in _subclasses(EntrepotError) if "slug" in vars(kind) and kind is not EntrepotError}
    return dict(sorted(own.items()))


def invalid(message: str, sent: object) -> BadInputError:
    """Return msgspec's complaint about a body as a sentence with the field, the value and what is accepted."""
    found = _PLACE.match(message)
    assert found is not None  # the pattern takes any text
    return refused_field(found["path"] or "", found["what"], sent)


def refused_field(field: str, what: str, sent: object) -> BadInputError:
    """Return the sentence about one field: where it is, what was given, what is accepted."""
    if lack := _LACK.match(what):
        name = f"{field}.{lack['name']}".lstrip(".")[:_VALUE_CHARS_MAX]
        if lack["how"] == "missing required":
            return BadInputError(f"The field {name} is missing: give it.", field=name)
        return BadInputError(f"There is no field {name} here: leave it out, or see /v1/docs for what is taken.", field=name)
    wanted = _accepted(what)
    if not field:
        return BadInputError(f"The body cannot be read: {wanted}.")
    given = _at(sent, field)
    if given is None:
        return BadInputError(f"The field {field} cannot be read: {wanted}.", field=field)
    text = msgspec.json.encode(given, enc_hook=str).decode()
    shown = text if len(text) <= _VALUE_CHARS_MAX else text[:_VALUE_CHARS_MAX] + "..."
    return BadInputError(f"The field {field} is {shown}: {wanted}.", field=field, value=shown)


def from_framework(error: HTTPException, request: Request[Any, Any, Any], sent: object = None) -> EntrepotError:
    """Return what the framework refuses by itself in our own words."""
    path, method = request.url.path, request.method
    if isinstance(error, ValidationException):
        return _from_validation(error, sent, request)
    if error.status_code == NotFoundError.status:
        return NotFoundError(f"There is nothing at {path}: see /v1/docs for what there is.", path=path)
    if error.status_code == NotAllowedError.status:
        return NotAllowedError(f"{method} is not possible at {path}: see /v1/docs.", path=path, method=method)
    if error.status_code == TooLargeError.status:
        return TooLargeError("The body is too large.")
    if error.status_code < UnexpectedError.status:
        cause = error.__cause__
        return invalid(str(cause or error.detail), None)
    return unforeseen(error, route_of(request), IdSource())


def route_of(request: Request[Any, Any, Any]) -> str:
    """Return a request's route as it is written in the code: a path itself may hold what is secret (a cart's id)."""
    return str(request.scope.get("path_template") or "unknown")


def unforeseen(error: BaseException, route: str, ids: IdSource) -> UnexpectedError:
    """Log an error that nobody foresaw and return what the caller is told: one sentence and the number in the log."""
    number = str(ids.fresh())
    # As plain text: a renderer that shows local variables would write what the client sent into the log.
    log.error("api.unexpected", number=number, route=route, traceback="".join(traceback.format_exception(error)))
    return UnexpectedError(f"Something unexpected happened here: please report it with the number {number}.", number=number)


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer any exception of a route with its problem (an exception handler of litestar)."""
    if isinstance(error, EntrepotError):
        known = error
    elif isinstance(error, HTTPException):
        known = from_framework(error, request, request.scope["state"].get("sent"))
    else:
        known = unforeseen(error, route_of(request), IdSource())
    problem = of(known)
    return Response(problem.json(), status_code=problem.status, media_type=MEDIA_TYPE, headers=problem.headers())


def _from_validation(error: ValidationException, sent: object, request: Request[Any, Any, Any]) -> BadInputError:
    details: list[dict[str, Any]] = error.extra if isinstance(error.extra, list) else []
    if missing := _MISSING.match(error.detail):
        name = missing["name"]
        return BadInputError(f"The {missing['source']} parameter {name} is missing: give it.", field=name)
    if not details:
        return invalid(error.detail, sent)
    field, what, source = str(details[0].get("key", "")), str(details[0]["message"]), details[0].get("source", "body")
    if source != "body":
        source, field = getattr(source, "value", source), _asked_as(request, field)
        return BadInputError(f"The {source} parameter {field} cannot be read: {_accepted(what)}.", field=field)
    if what == "'data'":  # how the framework says that nothing was sent
        return BadInputError("The body is empty: send JSON.")
    return refused_field("" if field == "data" else field.removeprefix("data."), what, sent)


def _asked_as(request: Request[Any, Any, Any], name: str) -> str:
    """Return how a parameter is called by who asks: the code may call it otherwise."""
    hint = get_type_hints(request.route_handler.fn, include_extras=True).get(name)
    return next((one.name for one in getattr(hint, "__metadata__", ()) if getattr(one, "name", None)), name)


def _accepted(what: str) -> str:
    """Return what the framework says of a value as the end of our sentence."""
    wanted = what.rstrip(". ").replace("`", "").replace("Object ", "it ", 1)
    return wanted[0].lower() + wanted[1:] if wanted.startswith(("Expected", "Invalid")) else wanted


def _at(sent: object, path: str) -> object:
    for name, place in _STEP.findall(path):
        if name and isinstance(sent, dict):
            sent = sent.get(name)
        elif place and isinstance(sent, list) and int(place) < len(sent):
            sent = sent[int(place)]
        else:
            return None
    return sent


def _subclasses(kind: type[EntrepotError]) -> Iterator[type[EntrepotError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _subclasses(below)
