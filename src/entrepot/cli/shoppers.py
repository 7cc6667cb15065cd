"""`entrepot shoppers`: a crowd that shops on a running console over HTTP, until it is stopped; or one flash sale."""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.live import Live
from rich.table import Table

from entrepot.api.flash import FlashSale
from entrepot.base.errors import BadInputError
from entrepot.cli.people import opened
from entrepot.commerce.approval.production import refuse_in_production
from entrepot.commerce.people.lending import lent_key
from entrepot.settings import load
from entrepot.shoppers.crowd import Crowd
from entrepot.shoppers.flash import hold_flash_sale
from entrepot.shoppers.storefront import MARKETS, Storefront

Flag = Annotated[bool, Parameter(negative="")]

RATE_MAX = 500.0
EXIT_OVERSOLD = 4


async def shoppers(
    *,
    rate: float = 2.0,
    url: str = "",
    market: str = "uk-gift",
    flash: Flag = False,
    seed: int | None = None,
    key: Annotated[str, Parameter(env_var="ENTREPOT_API_KEY")] = "",
    json: Flag = False,
) -> int:
    """Let people who are not there shop over HTTP, until stopped.

    Parameters
    ----------
    rate
        How many come in a second; 0 lets nobody in, and staff goes on.
    url
        Where the API is (default: ENTREPOT_HOST and ENTREPOT_PORT, else http://127.0.0.1:8700).
    market
        The markets they shop in, with commas between.
    flash
        Hold one flash sale instead: 500 buyers for 100 pieces; exits 0 only if each piece was sold once.
    seed
        Makes the same people come again.
    key
        An API key for the staff that serves them (default: one is made for as long as this runs, where the engines are known).
    json
        Print what came of it as JSON.
    """
    settings = load(os.environ)
    markets = market.split(",")
    unknown = [code for code in markets if code not in MARKETS]
    if unknown:
        raise BadInputError(f"Nobody knows an address in the market {unknown[0]!r}: {', '.join(MARKETS)}.", market=unknown[0])
    check_rate(rate)
    address = url or f"http://{settings.host}:{settings.port}"
    async with _key(key) as known:
        if flash:
            return await _flash(address, known, markets[0], as_json=json)
        await _crowd(Storefront(address, known), markets, rate, seed, as_json=json)
    return 0


@asynccontextmanager
async def _key(given: str) -> AsyncIterator[str]:
    if given:
        yield given
        return
    async with opened() as house:
        await refuse_in_production(house.record, "crowd of simulated shoppers")
        async with lent_key(house.record, house.people.sessions, house.settings.cell, "shoppers") as key:
            yield key


async def _crowd(storefront: Storefront, markets: list[str], rate: float, seed: int | None, *, as_json: bool) -> None:
    crowd = Crowd(storefront, random.Random(seed), markets)  # noqa: S311  # decides who buys what, guards nothing
    screen = Console(stderr=True)
    try:
        with Live(console=screen, refresh_per_second=4) as live:
            await crowd.run(rate, lambda seen: live.update(_table(seen)) if sys.stderr.isatty() else None)
    except asyncio.CancelledError:
        if as_json:
            print(msgspec.json.encode(crowd.seen).decode())
    finally:
        await storefront.close()


def check_rate(rate: float) -> None:
    """Refuse a rate at which nobody could come."""
    if not 0 <= rate <= RATE_MAX:
        raise BadInputError(f"{rate:g} shoppers a second cannot be: 0 to {RATE_MAX:g}.", rate=rate)


async def _flash(address: str, key: str, market: str, *, as_json: bool) -> int:
    sale = await hold_flash_sale(address, key, market=market)
    if as_json:
        print(msgspec.json.encode(sale).decode())
    else:
        Console().print(_told(sale))
    return 0 if sale.sold == sale.pieces and sale.told_sold_out == sale.buyers - sale.pieces else EXIT_OVERSOLD


def _told(sale: FlashSale) -> str:
    return (
        f"{sale.buyers} buyers for {sale.pieces} pieces in {sale.seconds:.1f} s: {sale.sold} sold, "
        f"{sale.told_sold_out} told that it is sold out, {sum(sale.others.values())} told anything else, {sale.left} left."
    )


def _table(seen: Counter[str]) -> Table:
    table = Table(title="Shoppers")
    table.add_column()
    table.add_column(justify="right")
    for name, count in sorted(seen.items()):
        table.add_row(name, f"{count:,}")
    return table
