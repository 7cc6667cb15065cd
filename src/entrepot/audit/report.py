"""What a verification found, in words that name the row. Decides nothing."""

from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from entrepot.audit.rules import Source

What: TypeAlias = Literal[
    "altered", "deleted", "inserted", "reordered", "cut off", "link altered", "link missing", "root altered", "root missing"
]


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that is not as it was written; ``place`` is the link's, ``id`` the row's."""

    what: What
    sentence: str
    source: Source | None = None
    id: UUID | None = None
    place: int | None = None
    root: int | None = None


class Unexplained(Struct, frozen=True, kw_only=True):
    """A request whose events are in the log and that left no entry: cut before it was answered, or removed at once."""

    request: UUID
    kinds: list[str]


class Report(Struct, frozen=True, kw_only=True):
    """What was looked at, and what was found. ``unpublished`` links are not yet vouched for from outside."""

    cell: int
    links: int
    entries: int
    events: int
    roots: int
    unpublished: int
    findings: list[Finding]
    unexplained: list[Unexplained]
    seconds: float

    @property
    def whole(self) -> bool:
        """Whether nothing was changed."""
        return not self.findings
