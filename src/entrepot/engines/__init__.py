"""Clients of the engines: a folder per role, a file per product; none knows a business word.

Here is what several drivers share: how an absence is told, and how a batch is made ready for an engine that keeps JSON.
"""

from collections.abc import Iterable, Sequence
from types import TracebackType

import msgspec
from msgspec import Struct

from entrepot.base.errors import EngineAwayError
from entrepot.base.limits import ITEM_BYTES_MAX
from entrepot.base.projection import Item, Refusal


class Packed(Struct, frozen=True):
    """An item with its body as JSON text; ``json`` None is a tombstone."""

    id: str
    version: int
    json: bytes | None


class answering:  # noqa: N801  # reads as the word that it is in a with statement
    """Tell of these exceptions of a client library as what they mean to a caller: the engine does not answer.

    A class: around a call of a tenth of a millisecond, a generator would be a tenth of its cost.
    """

    __slots__ = ("_away", "_role")

    def __init__(self, role: str, *away: type[BaseException]) -> None:
        self._role, self._away = role, away

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        """Raise what was raised, or what it means."""
        if isinstance(error, self._away):
            raise EngineAwayError(self._role, str(error) or type(error).__name__) from error


def newest(items: Iterable[Item]) -> list[Item]:
    """Return one item per id, the first of its highest version: what is left of a batch after rule 1."""
    kept: dict[str, Item] = {}
    for item in items:
        if item.id not in kept or kept[item.id].version < item.version:
            kept[item.id] = item
    return list(kept.values())


def pack(items: Sequence[Item]) -> tuple[list[Packed], list[Refusal]]:
    """Return the items as JSON, and a refusal for each body that JSON or ``ITEM_BYTES_MAX`` does not allow."""
    packed: list[Packed] = []
    refused: list[Refusal] = []
    for item in items:
        try:
            json = None if item.body is None else msgspec.json.encode(item.body)
        except UnicodeEncodeError as error:
            refused.append(Refusal(item.id, f"The body has text that is no Unicode ({error.reason}): mend it at its source."))
            continue
        if json is not None and len(json) > ITEM_BYTES_MAX:
            refused.append(Refusal(item.id, f"The body has {len(json)} bytes, at most {ITEM_BYTES_MAX} fit: make it smaller."))
            continue
        packed.append(Packed(item.id, item.version, json))
    return packed, refused
