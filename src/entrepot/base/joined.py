"""The version of an item joined from two aggregates: both of their versions in one number (docs/decisions/0005).

It is the same in whatever order the events came, grows with each of them, and a tombstone, which has no body, still says
how far each side was known.
"""

from entrepot.base.projection import Body, Item

# The second may count to 16 million, the first to half a milliard: together 53 bits, exact in any engine.
SECOND_BITS = 24


def joined(id_: str, first: int, second: int, body: Body | None) -> Item:
    """Return an item that knows these versions of its two aggregates."""
    return Item(id_, first << SECOND_BITS | second, body)


def versions(item: Item | None) -> tuple[int, int]:
    """Return which versions of its two aggregates an item knows; 0 is none."""
    return (0, 0) if item is None else (item.version >> SECOND_BITS, item.version & ((1 << SECOND_BITS) - 1))
