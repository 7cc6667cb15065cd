"""One buyer's checkout as a process of its own, which halts before and after every step, to be killed there or let go on.

Nothing is replaced: each step is the real one, with a halt on either side. Arguments: the URLs of record, memory and gateway,
the cart, the key, the card's token, and how many seconds a reservation lasts.
"""

import asyncio
import functools
import sys
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar
from uuid import UUID

from entrepot.base.errors import EntrepotError
from entrepot.base.time import SystemClock
from entrepot.commerce.cart.commands import Carts
from entrepot.commerce.checkout import saga, saga_store
from entrepot.commerce.checkout.completing import Choice, complete
from entrepot.commerce.checkout.held import PaymentChoice
from entrepot.commerce.checkout.quoting import Quoting
from entrepot.commerce.checkout.saga import Checkouts
from entrepot.engines.memory.redis_drawer import RedisDrawer
from entrepot.partners.payment.sandbox import SandboxGateway
from entrepot.partners.tax.regional import RegionalTax
from tests.keys import sealed_record
from tests.trade import CELL

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
GATEWAY_SECONDS = 2.0


def halting(name: str, step: Callable[Given, Awaitable[Answer]]) -> Callable[Given, Awaitable[Answer]]:
    """Return the step with a halt before and after it: it says where it is, and waits for a line."""

    @functools.wraps(step)
    async def halted(*given: Given.args, **named: Given.kwargs) -> Answer:
        halt(f"before {name}")
        try:
            return await step(*given, **named)
        finally:
            halt(f"after {name}")

    return halted


def halt(where: str) -> None:
    """Say where this is and wait to be told to go on."""
    print("at", where, flush=True)  # noqa: T201  # the test reads these lines
    sys.stdin.readline()


async def main(
    record_url: str, keys_url: str, memory_url: str, gateway_url: str, cart: str, key: str, card: str, seconds: str
) -> None:
    """Check out, and say how it ended."""
    for name in ("reserve_checkouts", "place_checkouts", "release_checkouts"):
        setattr(saga, name, halting(name.removesuffix("_checkouts"), getattr(saga, name)))
    for name in ("mark_challenged",):
        setattr(saga_store, name, halting(name, getattr(saga_store, name)))
    gateway, drawer = SandboxGateway(gateway_url, seconds=GATEWAY_SECONDS), RedisDrawer(memory_url, f"cart-{CELL}")
    for name in ("authorize", "find", "close_reference"):
        setattr(gateway, name, halting(name, getattr(gateway, name)))
    async with sealed_record(record_url, keys_url) as record:
        carts = Carts(drawer, CELL, record.clock, record.ids, record.sealing)
        for name in ("load", "close"):
            setattr(carts, name, halting(name, getattr(carts, name)))
        checkouts = Checkouts(record, CELL, gateway, Quoting(RegionalTax(), SystemClock()), seconds=float(seconds))
        choice = Choice(payment=PaymentChoice(kind="card", token=card))
        try:
            answer = await complete(checkouts, carts, key, UUID(cart), choice)
            if answer.challenge_url:
                await gateway.answer_challenge(answer.challenge_url.rpartition("/")[2], approved=True)
                answer = await complete(checkouts, carts, key, UUID(cart), choice)
            print("ended", answer.state, flush=True)  # noqa: T201  # as above
        except EntrepotError as error:
            print("ended", error.slug, flush=True)  # noqa: T201  # as above
        await checkouts.close()
    await gateway.close()
    await drawer.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
