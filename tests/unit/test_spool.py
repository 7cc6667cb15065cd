"""What was acknowledged reaches the series engine, whoever was away or was cut meanwhile; a full spool refuses what is new."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from entrepot.base.errors import EngineAwayError
from entrepot.base.ids import IdSource
from entrepot.engines.series.port import Asked, Point, PointRefusal, Span, Tier
from entrepot.engines.series.spool import Collector
from entrepot.engines.spool import Spool

IDS = IdSource()


class Shelf:
    """A series engine in memory that can be away: a fake of the port."""

    def __init__(self) -> None:
        self.away = False
        self.kept: dict[tuple[str, int], Point] = {}

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def write(self, points: Sequence[Point], tier: Tier = "raw") -> Sequence[PointRefusal]:
        assert tier == "raw"
        if self.away:
            raise EngineAwayError("series", "it is away")
        self.kept |= {(point.name, point.at_ns): point for point in points}
        return []

    async def spans(self, asked: Asked) -> list[Span]:
        raise NotImplementedError

    async def points(self, name: str, since_ns: int, until_ns: int, tier: Tier = "raw") -> list[Point]:
        raise NotImplementedError


def batch(number: int, size: int = 3) -> list[Point]:
    """Return a batch of its own times."""
    return [Point("seen", {"role": "test"}, {"value": 1.5}, number * 1_000 + at) for at in range(size)]


async def test_what_was_kept_while_the_engine_was_away_is_sent_when_it_is_back(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.away = True
    collector = Collector(shelf, Spool(tmp_path, IDS))
    for number in range(4):
        await collector.keep(batch(number))
        with pytest.raises(EngineAwayError):
            await collector.send()
    shelf.away = False
    assert await collector.send() == 12
    found = sorted(shelf.kept.values(), key=lambda point: point.at_ns)  # batches go a few at once, in any order
    assert found == [point for number in range(4) for point in batch(number)]
    assert list(tmp_path.iterdir()) == []


async def test_who_was_killed_leaves_what_was_acknowledged_to_the_next(tmp_path: Path) -> None:
    await Collector(Shelf(), Spool(tmp_path, IDS)).keep(batch(1))
    (tmp_path / "0001.part").write_bytes(b"half a batch, never acknowledged")
    shelf = Shelf()
    assert await Collector(shelf, Spool(tmp_path, IDS)).send() == 3
    assert list(shelf.kept.values()) == batch(1)


async def test_a_full_spool_refuses_what_is_new_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    shelf = Shelf()
    collector = Collector(shelf, Spool(tmp_path, IDS, bytes_max=200))
    await collector.keep(batch(1))
    with pytest.raises(EngineAwayError, match="is full"):
        await collector.keep(batch(2, size=50))
    assert await collector.send() == 3


async def test_a_batch_that_the_disk_has_damaged_is_set_aside_and_stops_nobody(tmp_path: Path) -> None:
    shelf = Shelf()
    spool = Spool(tmp_path, IDS)
    collector = Collector(shelf, spool)
    await collector.keep(batch(1))
    await collector.keep(batch(2))
    damaged = spool.waiting()[0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert await collector.send() == 3
    assert [path.suffix for path in tmp_path.iterdir()] == [".damaged"]
