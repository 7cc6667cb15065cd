"""The contract of a store, kept by every search engine."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrepot.base.projection import Body, Shape
from entrepot.engines.search.tantivy import TantivyStore
from tests.conformance.store_suite import Case, RefusingStoreSuite

SHAPE = Shape(
    json.dumps(
        {
            "fields": {
                "title": {"type": "text", "localized": True},
                "tags": {"type": "keyword"},
                "rank": {"type": "integer"},
                "price": {"type": "number_map"},
            }
        }
    )
)


def _body(number: int) -> Body:
    return {
        "title": {"en": f"thing {number}", "ja": "赤い傘"},
        "tags": ["a", f"b{number}"],
        "rank": number,
        "price": {"GB": number * 100},
        "kept": {"not indexed": [number, None, 1.5, "é"]},
    }


@pytest.fixture(scope="module")
async def case(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Case]:
    folder: Path = tmp_path_factory.mktemp("search")
    store = TantivyStore(f"tantivy://{folder}")
    yield Case(store, _body, SHAPE)
    await store.close()


@pytest.fixture
def unfit() -> Body:
    return {"rank": "not a number"}


class TestTantivy(RefusingStoreSuite):
    """tantivy, embedded."""
