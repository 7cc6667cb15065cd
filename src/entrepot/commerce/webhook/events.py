"""What can have happened to a subscriber. Keys: ``webhook/<id>``. Its secret is never told."""

from typing import Literal
from uuid import UUID

from msgspec import Struct

ENDPOINT_CHANGED = "webhook.endpoint_changed.v1"

State = Literal["active", "paused", "disabled"]


class EndpointChanged(Struct, frozen=True, kw_only=True):
    """A subscriber as it is from now on; ``disabled`` is one who said that it is gone, or was silent for too long."""

    id: UUID
    url: str
    kinds: list[str]
    state: State
    why: str = ""
