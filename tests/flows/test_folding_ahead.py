"""While a batch is applied the next is read and folded: it sees what is on its way, and is forgotten where that went wrong."""

from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from entrepot.base import limits
from entrepot.base.errors import EngineAwayError
from entrepot.base.event import Event, Position
from entrepot.base.projection import Item, Refusal, Slot, Target
from entrepot.engines.documents.postgresql import PostgresqlDocuments
from entrepot.log.quarantine import parked
from tests.log_case import UNFIT, House, Notes, house, until

BATCH = 10
KEYS = "abc"
VERSIONS = 12


class Watched(Notes):
    """Notes, and how many events of them were folded so far, again and again included."""

    def __init__(self) -> None:
        self.folded = 0

    def project(self, event: Event, state: Mapping[str, Item]) -> Sequence[Item]:
        self.folded += 1
        return super().project(event, state)


class Slow(PostgresqlDocuments):
    """Applies a whole batch only once the next was folded, and can be away for it the first time."""

    def __init__(self, url: str, notes: Watched, *, away: bool = False) -> None:
        super().__init__(url)
        self._notes, self._away = notes, away
        self.ahead = 0

    async def apply(self, target: Target, slot: Slot, items: Sequence[Item], position: Position) -> Sequence[Refusal]:
        folded = self._notes.folded

        async def is_ahead() -> bool:
            return self._notes.folded > folded

        if folded == BATCH * (self.ahead + 1):
            await until(is_ahead)
            self.ahead += 1
            if self._away:
                self._away = False
                raise EngineAwayError("documents", "it went away as the next batch was folded")
        return await super().apply(target, slot, items, position)


@pytest.fixture
async def home(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(limits, "BATCH_EVENTS_MAX", BATCH)
    monkeypatch.setattr(limits, "BATCH_BUSY_EVENTS", 2)  # so that they are folded beside the event loop,
    monkeypatch.setattr(limits, "FOLD_EVENTS_MAX", 3)  # in pieces
    async with house(migrated_url) as opened:
        yield opened


async def _seen(home: House) -> dict[str, object]:
    found = await home.store.read(home.live.target("notes"), [f"note/{key}" for key in KEYS])
    return {item.id.rpartition("/")[2]: (item.body or {}).get("seen") for item in found.values()}


async def _projected(home: House, notes: Watched, store: Slow) -> None:
    """Write all versions of every key, turn by turn, and wait until a projector has passed them."""
    for version in range(1, VERSIONS + 1):
        last = await home.write(*((key, version, f"{key}{version}") for key in KEYS))
    await home.readable(last)
    home.store = store
    await store.open()
    async with home.projecting(notes):
        await home.passed(last)


async def test_each_batch_sees_the_items_of_the_one_that_is_being_applied(home: House) -> None:
    notes = Watched()
    store = Slow(home.url, notes)
    await _projected(home, notes, store)
    assert await home.notes() == {key: f"{key}{VERSIONS}" for key in KEYS}
    assert await _seen(home) == dict.fromkeys(KEYS, VERSIONS)
    assert (store.ahead, notes.folded) == (VERSIONS * len(KEYS) // BATCH, VERSIONS * len(KEYS))
    await store.close()


async def test_a_batch_that_was_not_applied_is_folded_again_with_the_one_after_it(home: House) -> None:
    notes = Watched()
    store = Slow(home.url, notes, away=True)
    await _projected(home, notes, store)
    assert await _seen(home) == dict.fromkeys(KEYS, VERSIONS)
    assert notes.folded > VERSIONS * len(KEYS)
    await store.close()


async def test_what_follows_a_refusal_is_set_aside_though_it_was_folded_already(home: House) -> None:
    notes = Watched()
    await home.write(("a", 1, f"{UNFIT} fits into no text"), *((f"{n}", 1, "neighbour") for n in range(BATCH - 1)))
    last = await home.write(("a", 2, "behind"), ("b", 1, "goes on"))
    await home.readable(last)
    home.store = store = Slow(home.url, notes)
    await store.open()
    async with home.projecting(notes):
        await home.passed(last)
    assert store.ahead == 1
    assert await home.notes() == {"b": "goes on", **{f"{n}": "neighbour" for n in range(BATCH - 1)}}
    assert [(one.key, one.error is not None) for one in await parked(home.record, "notes")] == [
        ("note/a", True),
        ("note/a", False),
    ]
    await store.close()


async def test_a_poison_event_stops_its_key_in_every_piece_that_follows(home: House) -> None:
    notes = Watched()
    await home.write_poison("a", 1)
    last = await home.write(*(("a", version, "behind") for version in range(2, BATCH)), ("b", 1, "goes on"))
    await home.readable(last)
    async with home.projecting(notes):
        await home.passed(last)
    assert await home.notes() == {"b": "goes on"}
    assert len(await parked(home.record, "notes")) == BATCH - 1
