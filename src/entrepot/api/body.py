"""Reading what a client sends: whole, within the limits, as JSON that says each thing once."""

import json
import math
import re
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from litestar import Request
from msgspec import Struct

from entrepot.api import problems
from entrepot.base.errors import BadInputError
from entrepot.base.limits import JSON_DEPTH_MAX

_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_EXCERPT_CHARS = 30
_NO_TEXT = re.compile("[\\x00\\ud800-\\udfff]")


class JsonRequest(Request[Any, Any, Any]):
    """A request whose JSON is read by our rules; what was sent is kept for the sentence about a field that is wrong.

    What is read of it is kept in the scope, since guard and route each make their own request of one.
    """

    async def body(self) -> bytes:
        """Return the body, read once."""
        state = self.scope["state"]
        if "body" not in state:
            state["body"] = await self._whole()
        body: bytes = state["body"]
        return body

    async def json(self) -> object:
        """Return the body's JSON as plain values, read once."""
        state = self.scope["state"]
        if "sent" not in state:
            state["sent"] = parse(await self.body())
        return state["sent"]

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes; after ``body()``, what that has read."""
        if "body" in self.scope["state"]:
            yield self.scope["state"]["body"]
            return
        async for part in super().stream():
            yield part

    async def _whole(self) -> bytes:
        parts = []
        while (message := await self.receive())["type"] == "http.request":
            parts.append(message["body"])
            if not message.get("more_body"):
                return b"".join(parts)
        raise BadInputError("The connection ended before the body was whole: send it again.")


def parse(body: bytes) -> object:
    """Return JSON as plain values; refuses what nests too deep, names a key twice, or is no JSON."""
    if not body.strip():
        raise BadInputError("The body is empty: send JSON.")
    if _depth_exceeds(body, JSON_DEPTH_MAX):
        raise BadInputError(f"The body nests deeper than {JSON_DEPTH_MAX} levels: flatten it.", depth_max=JSON_DEPTH_MAX)
    try:
        sent = json.loads(body.decode(), object_pairs_hook=_each_once, parse_constant=_no_number, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise BadInputError(f"The body is no UTF-8 text (byte {error.start}): send JSON in UTF-8.") from error
    except json.JSONDecodeError as error:
        around = error.doc[max(error.pos - _EXCERPT_CHARS, 0) : error.pos + _EXCERPT_CHARS]
        raise BadInputError(
            f"The body is no JSON ({error.msg}, line {error.lineno}, column {error.colno}, near {around!r}): mend it there."
        ) from error
    except ValueError as error:
        raise BadInputError("The body holds a number of more digits than can be read: give a shorter one.") from error
    if b"\\u" in body:  # only an escape can name what no text may hold
        _check_texts(sent, "")
    return sent


class Reader:
    """Reads one type of body without the framework."""

    def __init__(self, of: type[Struct]) -> None:
        self._of = of

    def read(self, body: bytes) -> Any:
        """Return the body as its struct, or say which field is wrong."""
        sent = parse(body)
        try:
            return msgspec.convert(sent, self._of, strict=False)
        except msgspec.ValidationError as error:
            raise problems.invalid(str(error), sent) from error


def _depth_exceeds(body: bytes, depth_max: int) -> bool:
    if body.count(b"[") + body.count(b"{") <= depth_max:
        return False
    brackets = _TEXT.sub(b"", body).translate(None, _NOT_BRACKETS)
    for _ in range(depth_max):  # each round takes the innermost pairs away
        shorter = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(shorter) == len(brackets):
            # What is left was never closed, which the parser says better, unless it would go too deep itself.
            return len(brackets) > depth_max
        brackets = shorter
    return bool(brackets)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    seen = dict(pairs)
    if len(seen) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise BadInputError(f"The body names {twice!r} twice in one object: say it once.", key=twice)
    return seen


def _no_number(name: str) -> object:
    raise BadInputError(f"The body holds {name}, which is no number in JSON: give a finite one.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadInputError(f"The body holds the number {text[:_EXCERPT_CHARS]}, which is too large: give a smaller one.")
    return number


def _check_texts(sent: object, place: str) -> None:
    """Refuse a text that PostgreSQL could not keep: with a NUL in it, or half of a surrogate pair."""
    if isinstance(sent, dict):
        for name, value in sent.items():
            _check_texts(name, place)
            _check_texts(value, f"{place}.{name}" if place else name)
    elif isinstance(sent, list):
        for number, value in enumerate(sent):
            _check_texts(value, f"{place}[{number}]")
    elif isinstance(sent, str) and (found := _NO_TEXT.search(sent)):
        field = ascii(place)[1:-1] or "body"
        raise BadInputError(f"The field {field} holds {found[0]!a}, which is no character: leave it out.", field=field)
