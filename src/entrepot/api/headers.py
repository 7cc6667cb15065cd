"""The headers of our own: the key that makes a command safe to repeat, and the positions that make a read fresh."""

from typing import Annotated, TypeAlias

from litestar.params import HeaderParameter

from entrepot.base.errors import BadInputError
from entrepot.base.event import Token
from entrepot.base.limits import IDEMPOTENCY_DAYS

POSITION = "Entrepot-Position"
KEY = "Idempotency-Key"
AT_LEAST = "Entrepot-At-Least"

_KEY_SAYS = (
    "Makes the request safe to repeat: the same key gets the stored answer, with another body it is refused; "
    "another caller's keys are apart from yours. "
    f"Remembered for {IDEMPOTENCY_DAYS} days."
)
_AT_LEAST_SAYS = (
    "An Entrepot-Position: the answer is at least that fresh. Products, categories and stock are "
    "answered from the truth when it takes too long, and so are lists that a read replica serves at once; "
    "whatever else says 503 not-there-yet."
)

OptionalKey: TypeAlias = Annotated[str | None, HeaderParameter(name=KEY, required=False, description=_KEY_SAYS)]
# Not required by the framework: ``required`` says it better.
RequiredKey: TypeAlias = Annotated[str, HeaderParameter(name=KEY, required=False, description=_KEY_SAYS)]
AtLeast: TypeAlias = Annotated[str | None, HeaderParameter(name=AT_LEAST, required=False, description=_AT_LEAST_SAYS)]


def moved(position: str | None) -> dict[str, str]:
    """Return the header that says how far the log is with this write in it; nothing changed, nothing to say."""
    return {} if position is None else {POSITION: position}


def text(token: Token | None) -> str | None:
    """Return a position as a client holds it."""
    return None if token is None else str(token)


def required(key: str) -> str:
    """Return the key, or say that this command cannot do without one."""
    if not key:
        raise BadInputError(f"The header {KEY} is missing: send a new unique value with each new request.", header=KEY)
    return key
