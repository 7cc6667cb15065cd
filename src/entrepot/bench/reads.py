"""Reads over HTTP on the catalogue that is there, cold and warm: product page, a list of 20, search, suggestions.

The references are what peers reach on such a machine on 300 to 600 products (the best of Saleor, Vendure and Medusa).
"""

import random
import re
from urllib.parse import quote
from uuid import UUID

from entrepot.app import prepare
from entrepot.base.errors import BadInputError
from entrepot.bench import Row, targets
from entrepot.bench.load import Load, get, load
from entrepot.bench.served import served
from entrepot.record.named import queries
from entrepot.record.transaction import open_record
from entrepot.settings import Settings

SQL = queries("entrepot.bench", "reads.sql")

PRODUCTS = 20_000
PAGES = 12_000
LISTS = 4_000
SEARCHES = 1_500
CONNECTIONS = 32
SEARCHERS = 2
PAGE_PEER, LIST_PEER, SEARCH_PEER = 70.0, 208.0, 23.0
SEED = 7


async def run(settings: Settings) -> list[Row]:
    """Measure reads on the products that are there; refuses an empty catalogue."""
    await prepare(settings)
    async with await open_record(settings.engines.record, connections=1) as record, record.reading() as connection:
        found = await connection.fetch(SQL["products"], PRODUCTS)
    if len(found) < targets.READS_PRODUCTS_MIN:
        raise BadInputError(f"There are {len(found)} products to read: import a catalogue first, as 'entrepot demo' does.")
    chance = random.Random(SEED)  # noqa: S311  # picks what to read, guards nothing
    ids = [row["id"] for row in found]
    words = sorted({word for row in found for word in re.findall(r"[^\W\d_]{4,}", row["title"])})
    async with served(settings) as (host, port):

        async def ask(paths: list[str], connections: int) -> Load:
            requests = [get(path) for path in paths]
            seen = await load(host, port, requests.__getitem__, total=len(requests), connections=connections)
            if set(seen.statuses) != {200}:
                raise BadInputError(f"Some reads failed: {seen.statuses} for paths like {paths[0]}.")
            return seen

        cold = await ask([f"/v1/products/{one}" for one in ids[:2_000]], CONNECTIONS)
        popular = chance.sample(ids, min(1_000, len(ids)))
        warm = await ask([f"/v1/products/{chance.choice(popular)}" for _ in range(PAGES)], CONNECTIONS)
        lists = await ask([_list(chance, popular) for _ in range(LISTS)], CONNECTIONS)
        asked = [f"/v1/search?q={quote(_phrase(chance, words))}&market=us" for _ in range(SEARCHES)]
        first = await ask(asked[:200], SEARCHERS)
        searches = await ask(asked[200:], SEARCHERS)
        typed = await ask([f"/v1/suggestions?q={quote(chance.choice(words)[:4])}" for _ in range(SEARCHES)], SEARCHERS)
    return [
        *_rows("product page, cold", cold, None, None),
        *_rows("product page, warm", warm, PAGE_PEER, targets.PAGE_PER_SECOND, p99=targets.PAGE_P99_MILLIS),
        *_rows("list of 20, warm", lists, LIST_PEER, targets.LIST_PER_SECOND),
        *_rows("search, cold", first, None, None),
        *_rows("search", searches, SEARCH_PEER, None, p50=targets.SEARCH_P50_MILLIS, p99=targets.SEARCH_P99_MILLIS),
        *_rows("suggestions", typed, None, None, p50=targets.SEARCH_P50_MILLIS, p99=targets.SEARCH_P99_MILLIS),
    ]


def _list(chance: random.Random, ids: list[UUID]) -> str:
    return "/v1/products?ids=" + ",".join(str(one) for one in chance.sample(ids, 20))


def _phrase(chance: random.Random, words: list[str]) -> str:
    return " ".join(chance.sample(words, chance.choice((1, 1, 2))))


def _rows(
    name: str, seen: Load, peer: float | None, per_second: float | None, *, p50: float | None = None, p99: float | None = None
) -> list[Row]:
    rate = seen.per_second
    rows = [
        Row(
            name=name,
            value=rate,
            unit="per s",
            reference=peer,
            ratio=rate / peer if peer else None,
            target=per_second,
            met=rate >= per_second if per_second else None,
        )
    ]
    for percent, target in ((50, p50), (99, p99)):
        value = seen.percentile(percent)
        rows.append(
            Row(name=f"{name}, p{percent}", value=value, unit="ms", target=target, met=value <= target if target else None)
        )
    return rows
