"""What a columns engine can do beyond ``Store``: answer questions in its own SQL, with bound parameters.

A shape is ``shape.sql``: one ``CREATE TABLE {table}`` with the columns ``id String, version UInt64, is_deleted UInt8`` and
those of the body, by name. A body gives every one of its columns a value of the column's own Python type: ``int``, ``float``,
``bool``, ``str``, ``date``, ``datetime`` with a zone, a UUID's canonical text, or None where the column is Nullable. What does
not fit is refused, never bent.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from entrepot.base.projection import Store, Target


class ColumnStore(Store, Protocol):
    """A store whose readers ask in SQL."""

    async def query(self, target: Target, sql: str, parameters: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
        """Return the rows of a SELECT over ``{table}``; ``{name:Type}`` takes a parameter, and nothing is ever formatted in.

        The SELECT says FINAL where it must see each id once. A target that was never made is an ``EngineAwayError``.
        """
        ...

    async def purge(self, target: Target) -> None:
        """Leave nothing on disk of what was deleted or replaced."""
        ...
