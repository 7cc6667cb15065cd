"""What every search product is tried with: bodies as its role takes them, and a target filled for questions."""

from entrepot.base.event import Position
from entrepot.base.projection import Body, Slot, Target
from entrepot.engines.search.port import SearchStore
from tests.conformance.search_items import ITEMS, SHAPE
from tests.conformance.search_suite import Filled


def body(number: int) -> Body:
    """Return a body with a text in two scripts, filters, and what is kept and not indexed."""
    return {
        "title": {"en": f"thing {number}", "ja": "赤い傘"},
        "tags": ["a", f"b{number}"],
        "rank": number,
        "price": {"GB": number * 100},
        "kept": {"not indexed": [number, None, 1.5, "é"]},
    }


async def fill(store: SearchStore) -> Filled:
    """Fill a new target with ``ITEMS``, in two batches, so that an engine of segments has two."""
    target = Target("questions", 1, SHAPE)
    await store.drop(target)  # what a run that was killed may have left in a lasting engine
    await store.create(target)
    half = len(ITEMS) // 2
    for number, part in enumerate((ITEMS[:half], ITEMS[half:]), start=1):
        assert not await store.apply(target, Slot(1), part, Position(number, number))
    return Filled(store, target)
