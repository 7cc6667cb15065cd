"""How well search ranks: the Icecat catalogue through the real projection and engine, judged by people's ratings.

Gain is the rating, the discount log2, what nobody rated counts 0 (in nDCG' it is left out); queries with a rating of at least 1
count for nDCG, of at least 2 for MRR and recall. Products of equal score may stand in any order among themselves: a measure is
its mean over all of these, so that no engine is better by the order in which it keeps equals (McSherry and Najork, "Computing
information retrieval performance measures efficiently in the presence of tied scores", ECIR 2008).

The reference is the best plain run on the same queries; of a product that was given, it is what the embedded one reached, which
none may fall short of. How much of a difference may be chance is told beside it: its standard error, query by query.
"""

import asyncio
import math
import tempfile
from collections.abc import Mapping, Sequence
from itertools import groupby
from statistics import fmean, stdev

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
    rows = [_row(name, fmean(values)) for name, values in embedded.items()]
    for url in asked.urls:
        found = await _measured(url, events, judged)
        rows += [_row_beside(f"{product('search', url).name}: {name}", found[name], embedded[name]) for name in embedded]
    return rows


async def _measured(url: str, events: Sequence[Event], judged: Mapping[str, Mapping[str, int]]) -> dict[str, Sequence[float]]:
    """Return each measure of every query that counts for it, in the order of the queries; nothing is left in the engine."""
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
    return {name: [each[name] for each in measured if name in each] for name in names}


async def ranking(store: SearchStore, target: Target, text: str) -> list[list[str]]:
    """Return the codes of the products found, the best first, those of equal score together."""
    found = await search(store, target, Wanted(text=text, locale="en", limit=_DEPTH, facets=False))
    return [[hit.code for hit in equals] for _, equals in groupby(found.hits, key=lambda hit: hit.score)]


def measures(ratings: Mapping[str, int], ranked: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return what one ranking is worth by one query's ratings; codes of equal score come together."""
    best, codes = max(ratings.values()), {code for equals in ranked for code in equals}
    judged = _sum([[float(code in ratings) for code in equals] for equals in ranked], [1 / _TOP] * _TOP)
    measured = {"judged@10": judged, "empty": float(not codes)}
    if best >= 1:
        ideal = _gain([[rating] for rating in sorted(ratings.values(), reverse=True)])
        measured["nDCG@10"] = _gain([[ratings.get(code, 0) for code in equals] for equals in ranked]) / ideal
        rated = [[ratings[code] for code in equals if code in ratings] for equals in ranked]
        measured["nDCG'@10"] = _gain(rated) / ideal
    if best >= 2:  # noqa: PLR2004  # from 2 on the raters call a product relevant
        relevant = {code for code, rating in ratings.items() if rating >= 2}  # noqa: PLR2004  # as above
        measured["MRR@10"] = _first([[code in relevant for code in equals] for equals in ranked])
        measured["recall@100"] = len(relevant & codes) / len(relevant)
    return measured


def _gain(ratings: Sequence[Sequence[float]]) -> float:
    return _sum(ratings, [1 / math.log2(rank + 1) for rank in range(1, _TOP + 1)])


def _sum(values: Sequence[Sequence[float]], weights: Sequence[float]) -> float:
    """Return what values sum up to, each by the weight of its rank; equals share those of theirs."""
    total, place = 0.0, 0
    for equals in filter(None, values):
        total += fmean(equals) * sum(weights[place : place + len(equals)])
        place += len(equals)
    return total


def _first(relevant: Sequence[Sequence[bool]]) -> float:
    """Return one by the rank of the first relevant one within the top, on average where equals stand around it; else 0."""
    place = 0
    for equals in relevant:
        every, good = len(equals), sum(equals)
        if good:
            # Of all ways to place the good ones among their equals, those whose first has so many of the others before it.
            ways = [math.comb(every - 1 - before, good - 1) for before in range(every - good + 1)]
            ranks = range(place + 1, place + 1 + len(ways))
            return sum(many / rank for many, rank in zip(ways, ranks, strict=True) if rank <= _TOP) / sum(ways)
        place += every
    return 0.0


def _row_beside(name: str, values: Sequence[float], references: Sequence[float]) -> Row:
    """Return a measure of a product beside the embedded one's, of the same queries; a rounding in the fourth digit is none."""
    value, reference = round(fmean(values), 4), round(fmean(references), 4)
    worse = value > reference if name.endswith("empty") else value < reference
    apart = [there - here for there, here in zip(values, references, strict=True)]
    chance = stdev(apart) / math.sqrt(len(apart)) if len(apart) > 1 else 0.0
    return Row(
        name=name,
        value=value,
        unit="share",
        reference=reference,
        ratio=round(value / reference, 3) if reference else None,
        target=reference,
        met=not worse,
        note=f"{fmean(apart):+.4f}, standard error {chance:.4f}",
    )


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
