"""The contract between the log and a stream: what is relayed, and what a stream of messages must be able to do.

A batch of messages and the position it reaches become visible together or not at all; the position is kept with the data
and nowhere else. So a crash between any two steps neither loses nor doubles: who comes next asks the stream how far it is.
Who reads it gets the same: messages, and a position up to which none of a cell's are missing.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from entrepot.base.event import Position


class Topic(Struct, frozen=True):
    """A topic's name; ``newest_only``: of each key only the newest message need be kept."""

    name: str
    newest_only: bool = False


class Message(Struct, frozen=True, gc=False):
    """One message: those of one topic and key keep their order."""

    topic: str
    key: bytes
    value: bytes


class StreamTakenError(Exception):
    """Another relay of the same cell has opened the stream: this one may write no more, and what it was writing never was."""


class NotInStreamError(Exception):
    """The stream does not have all that follows a position; the message says what it lacks, as a part of a sentence."""


class Relayed(Struct, frozen=True):
    """What came since it was asked last: all messages of the topics up to ``position``, each topic and key in its order."""

    messages: Sequence[Message]
    position: Position


class Stream(Protocol):
    """Topics of messages, written by one relay a cell.

    Failures: ``EngineAwayError`` when the broker does not answer (open it again, which says how far it came);
    ``StreamTakenError``; ``BadInputError`` says what to mend: a topic with too few partitions, a password.
    """

    async def open(self, cell: int, topics: Collection[Topic]) -> Position:
        """Make the topics that are missing, shut out every other relay of this cell, and return how far it came."""
        ...

    async def publish(self, messages: Sequence[Message], position: Position) -> None:
        """Write the messages and the position reached, in order, all or none."""
        ...

    async def close(self) -> None:
        """Give the connection back; what was not published whole is as if it had never been."""
        ...


class StreamSource(Protocol):
    """The stream as one reader follows it; only what was published whole is seen. It keeps no place for its readers.

    Failures: ``EngineAwayError`` (begin again at the position reached), ``BadInputError`` says what to mend.
    """

    async def start(self, cell: int, topics: Collection[str], after: Position) -> None:
        """Stand behind a position of a cell; ``NotInStreamError`` where not all that follows is there (yet, or any more)."""
        ...

    async def more(self, seconds: float) -> Relayed:
        """Return what has come, other cells' messages among it; wait so long at most where nothing has."""
        ...

    async def newest(self, topic: str) -> Mapping[bytes, bytes]:
        """Return the newest message of each key of a topic that keeps only those."""
        ...

    async def close(self) -> None:
        """Give the connection back."""
        ...
