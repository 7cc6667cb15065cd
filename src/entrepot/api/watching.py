"""Whether who asks may watch the house: known to a page without its being handed through every one of them.

Set by the guard for the request under way, read by whatever renders a page. It opens nothing: the stream has its permission.
"""

from contextvars import ContextVar
from typing import Final

PERMISSION: Final = "house.watch"

watches: Final[ContextVar[bool]] = ContextVar("watches", default=False)
