"""Reading what a client sends: whole, within the limits, as JSON that says each thing once."""

import json
import re
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


class JsonRequest(Request[Any, Any, Any]):
    """A request whose JSON is read by our rules; what was sent is kept for the sentence about a field that is wrong."""

    async def json(self) -> object:
        """Return the body's JSON as plain values."""
        if "sent" not in self.scope["state"]:
            self.scope["state"]["sent"] = parse(await self.body())
        return self.scope["state"]["sent"]


def parse(body: bytes) -> object:
    """Return JSON as plain values; refuses what nests too deep, names a key twice, or is no JSON."""
    if _depth_exceeds(body, JSON_DEPTH_MAX):
        raise BadInputError(f"The body nests deeper than {JSON_DEPTH_MAX} levels: flatten it.", depth_max=JSON_DEPTH_MAX)
    try:
        return json.loads(body.decode(), object_pairs_hook=_each_once, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise BadInputError(f"The body is no UTF-8 text (byte {error.start}): send JSON in UTF-8.") from error
    except json.JSONDecodeError as error:
        around = error.doc[max(error.pos - _EXCERPT_CHARS, 0) : error.pos + _EXCERPT_CHARS]
        raise BadInputError(
            f"The body is no JSON ({error.msg}, line {error.lineno}, column {error.colno}, near {around!r}): mend it there."
        ) from error
    except ValueError as error:
        raise BadInputError(f"The body holds a number that cannot be read: {error}") from error


class Reader:
    """Reads one type of body fast; only a body that does not fit is looked at with care."""

    def __init__(self, of: type[Struct]) -> None:
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(of, strict=False)

    def read(self, body: bytes) -> Any:
        """Return the body as its struct, or say which field is wrong."""
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError as error:
            raise problems.invalid(str(error), parse(body)) from error
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            parse(body)
            raise BadInputError(f"The body cannot be read: {error}.") from error


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
