"""How well search ranks: the Icecat catalogue through the real projection and engine, judged by people's ratings.

Gain is the rating, the discount log2, what nobody rated counts 0 (in nDCG' it is left out); queries with a rating of at least 1
count for nDCG, of at least 2 for MRR and recall. The reference is the best plain run on the same queries.
"""

import asyncio
import math
import tempfile
from collections.abc import Mapping, Sequence

from entrepot.base.event import Event
from entrepot.base.limits import BATCH_EVENTS_MAX
from entrepot.base.projection import Item, Slot, Target
from entrepot.bench import Row, icecat, targets
from entrepot.engines.search.port import SearchStore
from entrepot.engines.search.tantivy import TantivyStore
from entrepot.projections.product_search.project import ProductSearch
from entrepot.projections.product_search.query import Wanted, search
from entrepot.settings import Settings

_TOP = 10
_DEPTH = 100

# The best run that the plain means of an engine reach: all words, boosts tuned, filled up with some words.
BEST_PLAIN: Mapping[str, float] = {"nDCG@10": 0.751, "nDCG'@10": 0.791, "MRR@10": 0.818, "recall@100": 0.891, "judged@10": 0.84}


async def run(settings: Settings) -> list[Row]:
    """Index the catalogue in a folder that goes away, ask every rated query, and return the mean of each measure."""
    data = icecat.folder(settings)
    judged = icecat.judgements(data / icecat.JUDGEMENTS)
    with tempfile.TemporaryDirectory() as folder:
        store = TantivyStore(f"tantivy://{folder}")
        projection = ProductSearch()
        target = Target(projection.name, 1, projection.shape)
        await fill(store, target, await asyncio.to_thread(lambda: list(icecat.events(data))))
        measured = [measures(ratings, await ranking(store, target, text)) for text, ratings in judged.items()]
        await store.close()
    names = dict.fromkeys(name for each in measured for name in each)
    return [_row(name, [each[name] for each in measured if name in each]) for name in names]


async def fill(store: SearchStore, target: Target, events: Sequence[Event]) -> None:
    """Project the events into a fresh generation, batch by batch as the projector does."""
    projection = ProductSearch()
    await store.create(target)
    for start in range(0, len(events), BATCH_EVENTS_MAX):
        batch = events[start : start + BATCH_EVENTS_MAX]
        state = await store.read(target, list({id_ for event in batch for id_ in projection.reads(event)}))
        made: dict[str, Item] = {}
        for event in batch:
            for item in projection.project(event, state):
                state[item.id] = made[item.id] = item
        refused = await store.apply(target, Slot(1), list(made.values()), batch[-1].position)
        assert not refused, refused


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


def _row(name: str, values: Sequence[float]) -> Row:
    value = sum(values) / len(values)
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
