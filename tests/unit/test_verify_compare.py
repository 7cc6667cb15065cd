"""Comparing the truth with what serves: what cannot be projected is told, and what serves of it is left alone."""

from uuid import UUID

from msgspec import Raw

from entrepot.base.event import START, Event
from entrepot.base.projection import Item
from entrepot.commerce.catalog.events import PRODUCT_CHANGED
from entrepot.projections.product_page.project import ProductPages
from entrepot.verify.compare import compare

POISON = Event(1, UUID(int=1), START, 0, PRODUCT_CHANGED, "product/a", 2, Raw(b'{"id": 7}'))


def test_what_serves_of_a_key_that_cannot_be_projected_is_no_difference_to_be_repaired() -> None:
    serving, stray = Item("product/a", 1, {"id": "a"}), Item("product/b", 1, {"id": "b"})
    found = compare(ProductPages(), [POISON], [serving, stray])
    assert [(one.id, one.why) for one in found.differences] == [("product/a", "cannot be projected"), ("product/b", "extra")]
