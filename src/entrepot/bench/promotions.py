"""A coupon that may be used so often, under more tries than that, all at once: it is used exactly so often."""

import asyncio
import time
from collections import Counter

from entrepot.app import opened
from entrepot.base.errors import EntrepotError
from entrepot.bench import BenchError, Row
from entrepot.bench.checkout import SQL, prove
from entrepot.bench.shop import furnish_shop, open_shop
from entrepot.bench.stack import own_stack
from entrepot.commerce.cart.state import Address, Contact
from entrepot.commerce.checkout.held import CheckoutRequest, PaymentChoice
from entrepot.commerce.checkout.quote import QuoteRequest, WantedLine
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.record.transaction import Record
from entrepot.settings import Settings

COUPON = "LIMITED"
MOST = 1_000
TRIES = 5_000
ARTICLES = 1_000
USED_UP = "coupon-used-up"
CARD = "tok_ok"
BUYER = Contact(email="kim@example.org", name="Kim", address=Address(line1="1 High St", city="York", country="GB"))


async def run(settings: Settings) -> list[Row]:  # noqa: ARG001  # a stack of its own, so that nothing of the user's is sold
    """Measure on a stack of its own and return the rows; raises when the coupon was used more or less often."""
    async with own_stack() as stack, opened(stack.settings) as app:
        await open_shop(app.record, ARTICLES)
        await furnish_shop(app.record)
        began = time.perf_counter()
        told = Counter(await asyncio.gather(*[_try(app.checkouts, n) for n in range(TRIES)]))
        seconds = time.perf_counter() - began
        used = await _used(app.record)
        if told != {"placed": MOST, USED_UP: TRIES - MOST} or used != MOST:
            raise BenchError(f"The coupon for {MOST} was used {used} times, and {TRIES} tries were told {dict(told)}.")
        await prove(app.record)
    return [
        Row(name=f"a coupon for {MOST:,} under {TRIES:,} tries: used", value=used, unit="times", target=MOST, met=True),
        Row(name="told 'used up'", value=told[USED_UP], unit="buyers", target=TRIES - MOST, met=True),
        Row(name="tries, checkout in process", value=TRIES / seconds, unit="tries/s"),
    ]


async def _try(checkouts: Checkouts, n: int) -> str:
    request = CheckoutRequest(
        quote=QuoteRequest(
            market="uk", country="GB", lines=[WantedLine(sku=f"s{n % ARTICLES}", quantity=1)], coupons=[COUPON]
        ),
        payment=PaymentChoice(kind="card", token=CARD),
        contact=BUYER,
    )  # fmt: skip
    try:
        return (await checkouts.begin(f"coupon-{n}", request)).state
    except EntrepotError as error:
        return error.slug


async def _used(record: Record) -> int:
    async with record.committing() as connection:
        return int(await connection.fetchval(SQL["used"], f"coupon/{COUPON}"))
