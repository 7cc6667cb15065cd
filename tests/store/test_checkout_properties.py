"""Whatever checkouts do at the same time, pieces, uses and money are neither made nor lost."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entrepot.commerce.checkout.claims import Claim
from entrepot.commerce.checkout.held import Reserved
from entrepot.record.transaction import Record
from tests.till import asking, check_whole, place, release, reserve, shelf, used
from tests.trade import ledger, open_shop

PIECES, USES = 12, 3
NUMBERS = count()

ENDS: dict[str, list[Callable[..., Awaitable[object]]]] = {
    "place": [place],
    "release": [release],
    "both": [place, release],
    "leave": [],
}

# What a buyer wants of two articles, whether with the coupon, and what becomes of it: placed, given back, or left open.
BUYER = st.tuples(
    st.dictionaries(st.sampled_from(["tea", "cup"]), st.integers(1, 5), min_size=1),
    st.booleans(),
    st.sampled_from(sorted(ENDS)),
)
# Buyers of one inner list are reserved by one call; the lists go at the same time.
CALLS = st.lists(st.lists(BUYER, min_size=1, max_size=4), min_size=1, max_size=4)


Buyer = tuple[dict[str, int], bool, str]


async def go(record: Record, shop: int, call: int, variants: dict[str, UUID], buyers: list[Buyer]) -> None:
    """Reserve for these buyers by one call, and end each as it wants to be ended."""
    asked = [
        asking(
            f"{shop}-{call}-{n}",
            variants,
            {f"{name}-{shop}": pieces for name, pieces in wanted.items()},
            claims=[Claim(f"coupon/{shop}", 1, USES)] if with_coupon else [],
        )
        for n, (wanted, with_coupon, _) in enumerate(buyers)
    ]
    for one, (_, _, end) in zip(await reserve(record, *asked), buyers, strict=True):
        if isinstance(one, Reserved):
            await asyncio.gather(*[act(record, one) for act in ENDS[end]])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=CALLS)
async def test_any_interleaving_keeps_pieces_uses_and_money(record: Record, calls: list[list[Buyer]]) -> None:
    shop = next(NUMBERS)
    variants = await open_shop(record, {f"tea-{shop}": PIECES, f"cup-{shop}": PIECES})
    await asyncio.gather(*[go(record, shop, n, variants, buyers) for n, buyers in enumerate(calls)])
    for sku in variants:
        assert sum(await shelf(record, sku)) == PIECES
    assert await used(record, f"coupon/{shop}") <= USES
    assert sum((await ledger(record)).values()) == 0
    await check_whole(record)
