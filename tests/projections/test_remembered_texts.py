"""What a text asks for is remembered until the index changes, and no longer; on a real index, whose questions are counted."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from msgspec import structs

from entrepot.base.event import Event, Position
from entrepot.base.projection import Slot, Target
from entrepot.bench.projecting import projected
from entrepot.commerce.catalog.events import PRODUCT_CHANGED, ProductChanged, ProductText
from entrepot.engines.search.port import Clause, Found, OneOf, Query
from entrepot.engines.search.tantivy import TantivyStore
from entrepot.projections.product_search import remembered as module
from entrepot.projections.product_search.project import ProductSearch
from entrepot.projections.product_search.query import Wanted, search
from entrepot.projections.product_search.remembered import PROJECTION, Changed, Remembered
from entrepot.projections.product_search.understanding import Understood

OFFERED = OneOf("type", ("product",))


def _offered(number: int, title: str) -> Event:
    id_ = UUID(int=number)
    told = ProductChanged(id=id_, code=f"P{number}", brand="", texts={"en": ProductText(title=title)}, variants=[])
    at = Position(number, number)
    return Event(1, id_, at, 0, PRODUCT_CHANGED, f"product/{id_}", 1, msgspec.Raw(msgspec.json.encode(told)))


async def _nothing() -> None:
    """Do nothing meanwhile."""


class Shelf(TantivyStore):
    """The real engine; it counts how often a text is read there, and something may happen after the first reading."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"tantivy://{folder}")
        projection = ProductSearch()
        self.target, self.tellers = Target(projection.name, 1, projection.shape), list[Changed]()
        self.texts = Remembered(self.tellers.append)
        self.readings = 0
        self.meanwhile: Callable[[], Awaitable[None]] = _nothing

    async def search_and_count(self, target: Target, query: Query, clauses: Sequence[Clause]) -> tuple[Found, list[int]]:
        """Count, and answer."""
        self.readings += 1
        answer = await super().search_and_count(target, query, clauses)
        await self.meanwhile()
        return answer

    async def offer(self, number: int, title: str) -> None:
        """Put one more product into the index, and tell of it."""
        await projected(self, ProductSearch(), self.target, [_offered(number, title)], Slot(1))
        self.tell(PROJECTION, [f"product/{UUID(int=number)}"])

    def tell(self, projection: str, ids: Sequence[str] | None) -> None:
        """Tell that something has changed."""
        for changed in self.tellers:
            changed(projection, ids)

    async def understood(self, text: str, locale: str = "en", offered: Clause = OFFERED) -> Understood:
        """Return what the text asks for, as it is remembered."""
        return await self.texts.understand(self, self.target, text, locale, offered)

    async def searched(self, text: str) -> str:
        """Return the text that was looked for."""
        return (await search(self, self.target, Wanted(text=text), self.texts.understand)).searched


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    made = Shelf(tmp_path)
    await made.offer(1, "Blue kettle")
    yield made
    await made.close()


async def test_a_text_is_read_once_for_every_page_and_every_filter(shelf: Shelf) -> None:
    found = [
        await search(shelf, shelf.target, wanted, shelf.texts.understand)
        for wanted in (Wanted(text="kettle"), Wanted(text="kettle", sort="name"), Wanted(text="kettle", brands=("Acme",)))
    ]
    assert ([len(each.hits) for each in found], shelf.readings) == ([1, 1, 0], 1)


async def test_another_text_language_market_or_index_is_read_anew(shelf: Shelf) -> None:
    plain = await shelf.understood("kettle")
    others = [await shelf.understood("blue"), await shelf.understood("kettle", "de")]
    others.append(await shelf.understood("kettle", offered=OneOf("brand", ("Acme",))))
    shelf.target = structs.replace(shelf.target, generation=2)
    await shelf.create(shelf.target)
    unknown = await shelf.understood("kettle")
    assert (shelf.readings, [word.count for word in plain.reading.words]) == (5, [1])
    assert [each.reading.text for each in others] == ["blue", "kettle", "kettle"]
    assert [word.count for word in unknown.reading.words] == [0]


async def test_a_new_word_is_found_as_soon_as_the_index_has_it(shelf: Shelf) -> None:
    assert await shelf.searched("kettel") == "kettle"
    await shelf.offer(2, "Kettel of tin")
    assert await shelf.searched("kettel") == "kettel"


async def test_what_was_read_while_the_index_changed_is_not_kept(shelf: Shelf) -> None:
    async def offered() -> None:
        shelf.meanwhile = _nothing
        await shelf.offer(2, "Kettel of tin")

    shelf.meanwhile = offered
    await shelf.searched("kettel")
    assert await shelf.searched("kettel") == "kettel"


async def test_what_changes_elsewhere_or_nothing_is_no_reason_to_forget(shelf: Shelf) -> None:
    await shelf.understood("kettle")
    shelf.tell("stock_now", None)
    shelf.tell(PROJECTION, [])
    await shelf.understood("kettle")
    assert shelf.readings == 1
    shelf.tell(PROJECTION, None)
    await shelf.understood("kettle")
    assert shelf.readings == 2


async def test_of_many_texts_those_that_were_asked_last_stay(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNDERSTOOD_TEXTS_MAX", 2)
    for text in ("blue", "kettle", "blue", "tin", "blue"):
        await shelf.understood(text)
    assert shelf.readings == 3
    await shelf.understood("kettle")
    assert shelf.readings == 4


async def test_a_text_is_read_anew_after_a_while_whatever_is_told(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNDERSTOOD_SECONDS_MAX", 0.0)
    await shelf.understood("kettle")
    await shelf.understood("kettle")
    assert shelf.readings == 2
