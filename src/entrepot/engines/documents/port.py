"""What a documents engine can do beyond ``Store``: give bodies as JSON text, ready to be sent.

Nothing here needs a transaction: a product that has none (MongoDB) keeps the rules of ``Store`` by guarded replacements
and by storing the position after the items.
"""

from collections.abc import Sequence
from typing import Protocol

from entrepot.base.projection import Store, Target


class DocumentStore(Store, Protocol):
    """A store whose readers take many bodies by id in one call."""

    async def get(self, target: Target, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the JSON text of each live item among these ids."""
        ...
