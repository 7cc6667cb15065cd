"""What a product may be: no picture at an address that a browser would run rather than fetch."""

import pytest

from entrepot.base.errors import BadInputError
from entrepot.commerce.catalog.events import Media, ProductText
from entrepot.commerce.catalog.rules import ProductDraft, VariantDraft, check_product


def with_picture(address: str) -> ProductDraft:
    texts = {"en": ProductText(title="Mug")}
    return ProductDraft(code="MUG", texts=texts, variants=[VariantDraft(sku="MUG")], media=[Media(url=address)])


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", " JavaScript:alert(1)", "java\nscript:alert(1)", "\x01data:text/html,x", "vbscript:x", "file:/x"],
)
def test_a_picture_that_a_browser_would_run_is_refused(address: str) -> None:
    with pytest.raises(BadInputError, match="begins with https://"):
        check_product(with_picture(address))


@pytest.mark.parametrize("address", ["https://x.example/a.jpg", "HTTP://x.example/a", "//x.example/a", "/a:b.jpg", "a.jpg", ""])
def test_a_picture_that_is_fetched_is_taken(address: str) -> None:
    check_product(with_picture(address))
