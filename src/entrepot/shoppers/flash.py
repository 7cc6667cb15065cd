"""A flash sale: many buyers for few pieces, all at once, each through the whole checkout. Nobody is told to try again."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from time import perf_counter

from entrepot.api.flash import FlashSale
from entrepot.base.errors import ConflictError, EntrepotError
from entrepot.shoppers.storefront import MARKETS, Market, RefusedError, Storefront

SOLD_OUT = "stock-exhausted"
WAREHOUSE = "flash"


Seen = Callable[[FlashSale], None]
Lend = Callable[[], AbstractAsyncContextManager[str]]  # an API key, for as long as the block runs


async def hold_flash_sale(
    url: str, key: str, *, pieces: int = 100, buyers: int = 500, market: str = "uk-gift", seen: Seen = lambda _: None
) -> FlashSale:
    """Put an article on sale, send the buyers, and return what came of it; ``seen`` hears of every change."""
    staff, storefront = Storefront(url, key), Storefront(url)  # who buys is a guest, without a key
    where = MARKETS.get(market) or next(iter(MARKETS.values()))
    try:
        sale = await _prepare(staff, where, pieces, buyers)
        seen(sale)
        carts = await asyncio.gather(*(storefront.fill_cart(where, [sale.sku]) for _ in range(buyers)))
        others: Counter[str] = Counter()
        began = perf_counter()

        async def buy(cart: str, number: int) -> None:
            try:
                answer = await storefront.check_out(cart, where, f"Buyer{number}", "tok_ok")
            except RefusedError as error:
                sale.told_sold_out += error.kind == SOLD_OUT
                others.update([] if error.kind == SOLD_OUT else [error.kind])
            else:
                sale.sold += answer["state"] == "placed"
                others.update([] if answer["state"] == "placed" else [answer["state"]])
            sale.seconds, sale.others = perf_counter() - began, dict(others)
            seen(sale)

        await asyncio.gather(*(buy(cart, number) for number, cart in enumerate(carts)))
        sale.left = int((await staff.call("GET", f"/v1/stock/{sale.sku}", at_least=storefront.written))["available"])
        sale.running = False
        seen(sale)
        return sale
    finally:
        await storefront.close()
        await staff.close()


class Desk:
    """Holds flash sales on the API at an address, one at a time; ``sale`` is the one that runs, or the last.

    It knows of its own process only: where several serve, each would show a sale of its own, so none is held.
    """

    def __init__(self, url: str, lend: Lend, market: str, workers: int = 1) -> None:
        self._url, self._lend, self._market, self._workers = url, lend, market, workers
        self._task: asyncio.Task[None] | None = None
        self.sale: FlashSale | None = None

    def start(self) -> None:
        """Begin a sale; does nothing while one runs."""
        if self._workers > 1:
            raise ConflictError(
                f"A flash sale is shown by the process that holds it, and {self._workers} serve here: start with "
                "ENTREPOT_WORKERS=1, or hold it from outside by `entrepot shoppers --flash`.",
                workers=self._workers,
            )
        if self._task is None or self._task.done():
            self.sale = FlashSale(running=True)
            self._task = asyncio.get_running_loop().create_task(self._hold())

    async def close(self) -> None:
        """Leave the sale that runs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _hold(self) -> None:
        try:
            async with self._lend() as key:
                await hold_flash_sale(self._url, key, market=self._market, seen=self._seen)
        except EntrepotError as error:
            assert self.sale is not None
            self.sale.running, self.sale.problem = False, str(error)

    def _seen(self, sale: FlashSale) -> None:
        self.sale = sale


async def _prepare(storefront: Storefront, market: Market, pieces: int, buyers: int) -> FlashSale:
    """Make an article of which there are so many pieces, and no more."""
    sku = f"FLASH-{storefront.ids.fresh().hex[-8:].upper()}"
    draft = {"code": sku, "texts": {"en": {"title": f"Flash sale of {pieces} lamps"}}, "variants": [{"sku": sku}]}
    made = await storefront.call("POST", "/v1/products", draft)
    price = {"sku": sku, "market": market.code, "currency": market.currency, "amount_minor": 1_999}
    await storefront.call("PUT", f"/v1/products/{made['id']}/prices", {"prices": [price]})
    await storefront.call("PUT", f"/v1/warehouses/{WAREHOUSE}", {"rank": 1})
    receipt = {"warehouse": WAREHOUSE, "lines": [{"sku": sku, "quantity": pieces}]}
    await storefront.call("POST", "/v1/stock/receipts", receipt)
    return FlashSale(sku=sku, pieces=pieces, buyers=buyers, running=True, product_id=str(made["id"]))
