"""What answers behind a URL is another product: each driver says so in a sentence, soon, without the password.

Those that are never answered wait as long as for a connection, side by side.
"""

import asyncio
from urllib.parse import urlsplit

import pytest

from entrepot.base.errors import BadInputError, EngineAwayError
from entrepot.engines.products import driver

SECONDS_MAX = 60.0


@pytest.fixture
def another(objects_url: str, memory_url: str) -> dict[str, str]:
    """Return where something else listens: by HTTP an object store, by its own protocol a Redis."""
    return {"http": urlsplit(objects_url).netloc.rpartition("@")[2], "redis": urlsplit(memory_url).netloc.rpartition("@")[2]}


URLS = (
    ("series", "influxdb://u:the-password@{http}/entrepot"),
    ("columns", "clickhouse://u:the-password@{http}/entrepot"),
    ("search", "elasticsearch://u:the-password@{http}"),
    ("memory", "redis://:the-password@{http}"),
    ("graph", "falkor://:the-password@{http}"),
    ("graph", "bolt://u:the-password@{http}"),
    ("graph", "bolt://u:the-password@{redis}"),
    ("documents", "mongodb://u:the-password@{redis}/entrepot"),
    ("documents", "postgresql://u:the-password@{redis}/entrepot"),
    ("stream", "kafka://u:the-password@{redis}"),
)


async def test_another_product_behind_a_url_is_told_in_a_sentence(another: dict[str, str]) -> None:
    told = await asyncio.gather(*(refusal(role, url.format(**another)) for role, url in URLS))
    assert all(one.rstrip().endswith(".") for one in told), told
    assert "the-password" not in str(told)


async def refusal(role: str, url: str) -> str:
    """Return what is said of a URL that leads to something else."""
    engine = driver(role, url)
    try:
        async with asyncio.timeout(SECONDS_MAX):
            with pytest.raises((BadInputError, EngineAwayError)) as told:
                await (engine.check() if role == "stream" else engine.open())
    finally:
        await engine.close()
    return str(told.value)


@pytest.mark.parametrize(("role", "says"), [("memory", "refuses this user and password"), ("graph", "is no FalkorDB")])
async def test_what_no_later_try_mends_is_not_told_as_away(memory_url: str, role: str, says: str) -> None:
    scheme = {"memory": "redis", "graph": "falkor"}[role]
    password = "wrong" if role == "memory" else urlsplit(memory_url).password
    engine = driver(role, f"{scheme}://:{password}@{urlsplit(memory_url).netloc.rpartition('@')[2]}")
    try:
        with pytest.raises(BadInputError, match=says):
            await engine.open()
    finally:
        await engine.close()
