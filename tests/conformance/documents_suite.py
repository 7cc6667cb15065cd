"""What every product of the documents role keeps beyond the store contract: bodies as JSON text, numbers as they went."""

from typing import cast

import msgspec

from entrepot.base.projection import Body, Item
from entrepot.engines.documents.port import DocumentStore
from tests.conformance.store_suite import Case, Home, RefusingStoreSuite, tombstone

TEXTS = ("", "plain", 'quoted " and \\', "Fahrräder", "自行车", "🚲", "line\nbreak")


def body(number: int) -> Body:
    """Return a nested body; a greater number has more in it."""
    return {
        "number": number,
        "price_minor": -(2**53) - number,
        "ratio": number / 8,
        "texts": {f"key {part}": TEXTS[part % len(TEXTS)] for part in range(number % 8)},
        "list": [None, True, False, [], {}, number],
    }


class DocumentsSuite(RefusingStoreSuite):
    """The store contract, and readers that take JSON text."""

    async def test_get_gives_live_bodies_as_json_text(self, case: Case, home: Home) -> None:
        await home.apply(home.item("thing/1", 1, body=7), tombstone("thing/2", 1))
        found = await cast("DocumentStore", case.store).get(home.target, ["thing/1", "thing/2", "thing/3"])
        assert {id_: msgspec.json.decode(json) for id_, json in found.items()} == {"thing/1": body(7)}

    async def test_numbers_come_back_as_they_went(self, home: Home) -> None:
        numbers: Body = {"whole": 2**63 - 1, "small": 5e-324, "tenth": 0.1, "large": 1.5e15, "one": 1.0}
        await home.apply(Item("thing/1", 1, numbers))
        assert (await home.read("thing/1"))["thing/1"].body == numbers
