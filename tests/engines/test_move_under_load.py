"""Search is moved to a real Elasticsearch and back while orders and searches come at a steady rate: ``entrepot bench move``.

Here at rates that a slow machine keeps, on a small catalogue: what counts is that nobody notices, not how fast it goes.
"""

from pathlib import Path

from entrepot.bench.move import Asked, run
from entrepot.settings import Engines, Settings

NEVER = (
    "searches that failed or found nothing",
    "orders that were refused",
    "orders lost or doubled",
    "items that differ from the truth",
)


async def test_nobody_notices_that_search_is_moved_to_elasticsearch_and_back(elasticsearch_url: str, tmp_path: Path) -> None:
    there = f"{elasticsearch_url}&prefix=busy-"  # nobody else's: other tests leave what they made with this server
    rows = await run(Settings(tmp_path, Engines()), Asked(there, orders=5.0, searches=5.0, articles=200))
    found = {row.name: row for row in rows}
    assert {name: (found[name].value, found[name].note) for name in NEVER if found[name].value} == {}
    # A machine on which the new engine does not answer in time leaves the old one in its place: that is noticed by nobody, too.
    assert found["moved there"].value
    assert not found["moves finished"].value or found["moved back"].value
