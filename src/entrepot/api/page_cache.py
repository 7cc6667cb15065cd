"""Product pages as bytes ready to be sent, kept in this process until the log says that they changed.

One reader fetches a page however many ask for it at once. A page that changes while it is being fetched is handed to those who
asked before, and not kept. There is no second level: the documents engine itself answers a page by its key.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from entrepot.api.metrics import Metrics
from entrepot.base.errors import NotFoundError
from entrepot.base.limits import PAGE_CACHE_BYTES_MAX, PAGE_CACHE_SECONDS_MAX
from entrepot.engines.documents.port import DocumentStore
from entrepot.log.live import LiveTargets
from entrepot.projections.product_page.query import pages

PROJECTION = "product_page"
_PREFIX = "product/"
_ETAG_CHARS = 16
# What an entry costs beside its bytes, roughly.
_ENTRY_BYTES = 500


class CachedPage(Struct, frozen=True):
    """A page's JSON text and its tag; ``until`` is when it is fetched anew whatever the log says (the loop's clock)."""

    body: bytes
    etag: str
    generation: int
    until: float


class PageCache:
    """The pages of one process. ``found`` never waits; ``page`` and ``pages`` fetch what is not here."""

    def __init__(self, documents: DocumentStore, live: LiveTargets, metrics: Metrics) -> None:
        self._documents, self._live, self._metrics = documents, live, metrics
        self._pages: dict[UUID, CachedPage] = {}
        self._fetching: dict[UUID, asyncio.Future[CachedPage | None]] = {}
        self._bytes = 0
        live.on_change(self._changed)

    def found(self, product_id: UUID) -> CachedPage | None:
        """Return a page that is here and good, at once."""
        kept = self._pages.get(product_id)
        if kept is None:
            return None
        now = asyncio.get_running_loop().time()
        if kept.until < now or kept.generation != self._live.target(PROJECTION).generation:
            self._forget(product_id)
            return None
        self._metrics.cache_hit.inc()
        return kept

    async def page(self, product_id: UUID) -> CachedPage:
        """Return a product's page, or say that there is none."""
        got = await self.pages([product_id])
        if product_id not in got:
            raise NotFoundError(f"There is no product {product_id}, or it is no longer offered.", product_id=str(product_id))
        return got[product_id]

    async def pages(self, product_ids: Sequence[UUID], *, anew: bool = False) -> dict[UUID, CachedPage]:
        """Return the pages of these products in the order asked; what is not offered is left out."""
        waiting: dict[UUID, asyncio.Future[CachedPage | None]] = {}
        got: dict[UUID, CachedPage | None] = {}
        missing: list[UUID] = []
        for product_id in dict.fromkeys(product_ids):
            kept = None if anew else self.found(product_id)
            if kept is not None:
                got[product_id] = kept
            elif product_id in self._fetching and not anew:
                waiting[product_id] = self._fetching[product_id]
            else:
                missing.append(product_id)
        if missing:
            got |= await self._fetch(missing)
        for product_id, fetched in waiting.items():
            got[product_id] = await asyncio.shield(fetched)
        return {product_id: page for product_id in product_ids if (page := got.get(product_id)) is not None}

    async def _fetch(self, product_ids: Sequence[UUID]) -> dict[UUID, CachedPage | None]:
        loop = asyncio.get_running_loop()
        futures = {product_id: loop.create_future() for product_id in product_ids}
        self._fetching |= futures
        self._metrics.cache_miss.inc(len(product_ids))
        target = self._live.target(PROJECTION)
        try:
            texts = await pages(self._documents, target, product_ids)
        except BaseException as error:
            for future in futures.values():
                future.set_exception(error if isinstance(error, Exception) else ConnectionAbortedError())
                future.exception()  # perhaps nobody else waits: then nobody misses it
            raise
        finally:
            kept = [product_id for product_id in product_ids if self._fetching.get(product_id) is futures[product_id]]
            for product_id in kept:
                del self._fetching[product_id]
        got: dict[UUID, CachedPage | None] = {}
        for product_id, future in futures.items():
            text = texts.get(product_id)
            until = loop.time() + PAGE_CACHE_SECONDS_MAX
            got[product_id] = None if text is None else CachedPage(text, etag_of(text), target.generation, until)
            future.set_result(got[product_id])
        for product_id in kept:  # one that the log named meanwhile is no longer ours to keep
            if (page := got[product_id]) is not None:
                self._keep(product_id, page)
        return got

    def _keep(self, product_id: UUID, page: CachedPage) -> None:
        self._forget(product_id)
        self._pages[product_id] = page
        self._bytes += len(page.body) + _ENTRY_BYTES
        while self._bytes > PAGE_CACHE_BYTES_MAX:
            self._forget(next(iter(self._pages)))

    def _forget(self, product_id: UUID) -> None:
        kept = self._pages.pop(product_id, None)
        if kept is not None:
            self._bytes -= len(kept.body) + _ENTRY_BYTES

    def _changed(self, projection: str, ids: Sequence[str] | None) -> None:
        if projection != PROJECTION:
            return
        if ids is None:
            self._pages.clear()
            self._fetching.clear()
            self._bytes = 0
            return
        for item_id in ids:
            if item_id.startswith(_PREFIX):
                product_id = UUID(item_id.removeprefix(_PREFIX))
                self._forget(product_id)
                self._fetching.pop(product_id, None)


def etag_of(body: bytes) -> str:
    """Return the tag that names this content."""
    return f'"{hashlib.blake2b(body, digest_size=_ETAG_CHARS // 2).hexdigest()}"'
