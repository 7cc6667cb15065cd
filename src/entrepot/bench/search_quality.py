"""How well search ranks: the Icecat catalogue through the real projection and engine, judged by people's ratings.

Gain is the rating, the discount log2, what nobody rated counts 0 (in nDCG' it is left out); queries with a rating of at least 1
count for nDCG, of at least 2 for MRR and recall. The reference is the best plain run on the same queries; of a product that was
given, it is what the embedded one reached, which none may fall short of.
"""

import asyncio
import math
import tempfile
from collections.abc import Mapping, Sequence

from msgspec import Struct

from entrepot.base.errors import BadInputError
from entrepot.base.event import Event
from entrepot.base.projection import Slot, Target
from entrepot.bench import Row, icecat, targets
from entrepot.bench.projecting import projected
from entrepot.engines.products import driver, product
from entrepot.engines.search.port import SearchStore
from entrepot.projections.product_search.project import ProductSearch
from entrepot.projections.product_search.query import Wanted, search
from entrepot.settings import Settings

_TOP = 10
_DEPTH = 100

# The best run that the plain means of an engine reach: all words, boosts tuned, filled up with some words.
BEST_PLAIN: Mapping[str, float] = {"nDCG@10": 0.751, "nDCG'@10": 0.791, "MRR@10": 0.818, "recall@100": 0.891, "judged@10": 0.84}


class Asked(Struct, frozen=True):
    """The URLs of the search engines to measure beside the embedded one."""

    urls: Sequence[str] = ()


NOTHING_BESIDE = Asked()


def asked(products: Sequence[str]) -> Asked:
    """Read which search engines a command line names; refuses what is none."""
    pairs = [one.partition("=") for one in products]
    if wrong := [role for role, _, url in pairs if role != "search" or not url]:
        raise BadInputError(f"search-quality measures search engines, not {wrong[0]!r}: --product search=elasticsearchs://...")
    for _, _, url in pairs:
        product("search", url)
    return Asked([url for _, _, url in pairs])


async def run(settings: Settings, asked: Asked = NOTHING_BESIDE) -> list[Row]:
    """Index the catalogue, ask every rated query, and return the mean of each measure, product by product."""
    data = icecat.folder(settings)
    judged = icecat.judgements(data / icecat.JUDGEMENTS)
    events = await asyncio.to_thread(lambda: list(icecat.events(data)))
    with tempfile.TemporaryDirectory() as folder:
        embedded = await _measured(f"tantivy://{folder}", events, judged)
    rows = [_row(name, value) for name, value in embedded.items()]
    for url in asked.urls:
        found = await _measured(url, events, judged)
        rows += [_row_beside(f"{product('search', url).name}: {name}", found[name], embedded[name]) for name in embedded]
    return rows


async def _measured(url: str, events: Sequence[Event], judged: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """Return the mean of each measure over the queries that count for it; nothing is left in the engine."""
    store: SearchStore = driver("search", url)
    projection = ProductSearch()
    # Apart from the names of projections, so that nothing of an installation is touched.
    target = Target(f"bench_{projection.name}", 1, projection.shape)
    try:
        await store.open()  # type: ignore[attr-defined]  # every driver has it, though no port asks for it
        await store.drop(target)
        await projected(store, projection, target, events, Slot(1))
        measured = [measures(ratings, await ranking(store, target, text)) for text, ratings in judged.items()]
        await store.drop(target)
    finally:
        await store.close()
    names = dict.fromkeys(name for each in measured for name in each)
    means = {name: [each[name] for each in measured if name in each] for name in names}
    return {name: sum(values) / len(values) for name, values in means.items()}


async def ranking(store: SearchStore, target: Target, text: str) -> list[str]:
    """Return the codes of the products found, the best first."""
    found = await search(store, target, Wanted(text=text, locale="en", limit=_DEPTH, facets=False))
    return [hit.code for hit in found.hits]


def measures(ratings: Mapping[str, int], ranked: Sequence[str]) -> dict[str, float]:
    """Return what one ranking is worth by one query's ratings."""
    best = max(ratings.values())
    measured = {"judged@10": sum(code in ratings for code in ranked[:_TOP]) / _TOP, "empty": float(not ranked)}
    if best >= 1:
        ideal = _gain(sorted(ratings.values(), reverse=True))
        measured["nDCG@10"] = _gain([ratings.get(code, 0) for code in ranked]) / ideal
        measured["nDCG'@10"] = _gain([ratings[code] for code in ranked if code in ratings]) / ideal
    if best >= 2:  # noqa: PLR2004  # from 2 on the raters call a product relevant
        relevant = {code for code, rating in ratings.items() if rating >= 2}  # noqa: PLR2004  # as above
        measured["MRR@10"] = next((1 / rank for rank, code in enumerate(ranked[:_TOP], start=1) if code in relevant), 0.0)
        measured["recall@100"] = len(relevant & set(ranked)) / len(relevant)
    return measured


def _gain(ratings: Sequence[int]) -> float:
    return sum(rating / math.log2(rank + 1) for rank, rating in enumerate(ratings[:_TOP], start=1))


def _row_beside(name: str, value: float, reference: float) -> Row:
    """Return a measure of a product beside the embedded one's; a rounding in the fourth digit is no difference."""
    value, reference = round(value, 4), round(reference, 4)
    worse = value > reference if name.endswith("empty") else value < reference
    ratio = round(value / reference, 3) if reference else None
    return Row(name=name, value=value, unit="share", reference=reference, ratio=ratio, target=reference, met=not worse)


def _row(name: str, value: float) -> Row:
    reference = BEST_PLAIN.get(name)
    target = targets.SEARCH_QUALITY.get(name)
    return Row(
        name=name,
        value=round(value, 4),
        unit="share",
        reference=reference,
        ratio=round(value / reference, 3) if reference else None,
        target=target,
        met=value >= target if target is not None else None,
    )
