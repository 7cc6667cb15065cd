"""The commands of digital goods: fill a pool, offer a file, hand out what is paid, revoke what goes back, count downloads."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.event import Token
from entrepot.base.time import stamp_millis, utc
from entrepot.commerce.digital import address, rules, store
from entrepot.commerce.digital.address import Grant
from entrepot.commerce.digital.events import FILE_OFFERED, HANDED_OUT, LICENCES_ADDED, POOL_LOW, REVOKED, PoolLow
from entrepot.commerce.digital.rules import WAREHOUSE, Article, Bought, Entitlement, FileDraft
from entrepot.commerce.ordering import store as orders
from entrepot.commerce.payment import store as payments
from entrepot.commerce.stock import commands as stock
from entrepot.commerce.stock.rules import Change, Place
from entrepot.commerce.stock.store import levels_for_update
from entrepot.record.transaction import Connection, Fact, Transaction


class LicencesAdded(Struct, frozen=True, kw_only=True):
    """How many licences are new in a pool, and how many were known there already."""

    sku: str
    added: int
    known: int
    position: str


async def add_licences(tx: Transaction, sku: str, codes: Sequence[str], low_at: int | None = None) -> LicencesAdded:
    """Put licences into a SKU's pool: so many more can be ordered. One that is, or was, in the pool is not added again.

    ``low_at`` is from how few free ones on the pool is low, from now on; None leaves it as it is.
    """
    rules.check_codes(codes)
    rules.check_low_at(low_at)
    variant_id, known = await _article(tx, sku)
    article = rules.with_pool(known, sku, variant_id)
    await store.put_article(tx.connection, tx.cell, article)
    added = await store.add_licences(tx.connection, tx.cell, variant_id, codes)
    await stock.change_stock(tx, [Change(variant_id=variant_id, warehouse=WAREHOUSE, delta=added)], "received")
    await _settle_level(tx, [variant_id])
    token = await _tell_article(tx, LICENCES_ADDED, article, added)
    await store.set_low_at(tx.connection, tx.cell, variant_id, low_at)
    await _watch_pools(tx, [variant_id])
    return LicencesAdded(sku=sku, added=added, known=len(codes) - added, position=str(token))


async def check_article(connection: Connection, sku: str) -> None:
    """Refuse a SKU that is not there, or not digital."""
    _, delivery = await store.sku(connection, sku)
    rules.check_digital(sku, delivery)


async def offer_file(tx: Transaction, sku: str, draft: FileDraft) -> Token | None:
    """Say which file comes with a SKU, for orders from now on; returns None when it was so already."""
    variant_id, known = await _article(tx, sku)
    article = rules.with_file(known, sku, variant_id, draft)
    if article is None:
        return None
    await store.put_article(tx.connection, tx.cell, article)
    pieces = rules.pieces_of_a_file(known, article)
    await stock.change_stock(tx, [Change(variant_id=variant_id, warehouse=WAREHOUSE, delta=pieces)], "received")
    return await _tell_article(tx, FILE_OFFERED, article, 0)


async def settle_orders(tx: Transaction, order_ids: Sequence[UUID]) -> None:
    """Bring what orders give a right to up to what became of them: hand out what is paid, revoke what came back."""
    bought = await store.bought(tx.connection, tx.cell, order_ids)
    if not bought:
        return
    at = _now(tx)
    known = await store.entitlements(tx.connection, tx.cell, order_ids)
    rights: list[tuple[Entitlement, Bought]] = []
    for one in bought:
        key = (one.order_id, one.line)
        if rules.is_new(one, known.get(key)):
            known[key] = rules.entitle(one)
            await store.put_entitlement(tx.connection, tx.cell, known[key])
        if key in known:
            rights.append((await _settle(tx, known[key], one, at), one))
    await _settle_level(tx, sorted({one.article.variant_id for _, one in rights if one.returned and one.article.licensed}))
    for right, one in rules.to_hand_out(rights):
        await _hand_out(tx, right, one, at)
    await _watch_pools(tx, sorted({one.article.variant_id for _, one in rights if one.article.licensed}))


async def revoke_orders(tx: Transaction, order_ids: Iterable[UUID]) -> Token | None:
    """Revoke all that orders were handed (their money went back); returns None when there was nothing to revoke."""
    at, token = _now(tx), None
    known = await store.entitlements(tx.connection, tx.cell, list(order_ids))
    for one in known.values():
        after = rules.revoke(one)
        token = await _revoke(tx, after, at) if after else token
    return token


async def hand_out_waiting(tx: Transaction, limit: int) -> int:
    """Look again at orders that wait, for licences or for their money; returns how many there were."""
    order_ids = await store.waiting(tx.connection, tx.cell, limit)
    await settle_orders(tx, order_ids)
    return len(order_ids)


async def count_download(tx: Transaction, grant: Grant, now: datetime) -> None:
    """Count one download; what is revoked, over or used up is refused."""
    if not await store.count_download(tx.connection, tx.cell, grant.order_id, grant.line, now):
        address.check(await store.entitlement(tx.connection, tx.cell, grant.order_id, grant.line), now)


async def signing_secret(tx: Transaction) -> bytes:
    """Return what addresses are signed with; made when there is none."""
    await store.put_secret(tx.connection, tx.cell, tx.ids.unguessable().bytes + tx.ids.unguessable().bytes, tx.sealing)
    found = await store.secret(tx.connection, tx.cell, tx.sealing)
    assert found is not None
    return found


async def _article(tx: Transaction, sku: str) -> tuple[UUID, Article | None]:
    variant_id, delivery = await store.sku(tx.connection, sku)
    rules.check_digital(sku, delivery)
    await stock.save_warehouse(tx, WAREHOUSE, 1, Place(kind="digital"))
    return variant_id, await store.article(tx.connection, tx.cell, variant_id)


async def _settle(tx: Transaction, right: Entitlement, one: Bought, at: datetime) -> Entitlement:
    """Take back what was cancelled or came back, and return what is left of the right."""
    after = rules.settle(right, one)
    if after is None:
        return right
    if after.version > right.version:  # it had been handed out, and that was told
        await _revoke(tx, after, at)
    else:
        await store.put_entitlement(tx.connection, tx.cell, after)
    return after


async def _hand_out(tx: Transaction, right: Entitlement, one: Bought, at: datetime) -> None:
    """Hand out what is paid. A pool that is short (pieces were stocked elsewhere too) lets its orders wait."""
    order = await orders.order(tx.connection, tx.cell, right.order_id)
    assert order is not None  # it has lines
    if not rules.is_paid(order, await payments.payment(tx.connection, tx.cell, right.order_id)):
        return
    if one.article.licensed:
        codes = await store.claim_licences(tx.connection, tx.cell, right.variant_id, right.order_id, right.line, right.quantity)
        if not codes:
            return
    else:  # a file does not run out: what was sold of it comes back to its level
        refill = Change(variant_id=right.variant_id, warehouse=WAREHOUSE, delta=right.quantity)
        await stock.change_stock(tx, [refill], "filled")
    after = rules.hand_out(right, one.article.days, at)
    await store.put_entitlement(tx.connection, tx.cell, after)
    await _tell(tx, HANDED_OUT, after, at)


async def _revoke(tx: Transaction, after: Entitlement, at: datetime) -> Token:
    await store.put_entitlement(tx.connection, tx.cell, after)
    await store.revoke_licences(tx.connection, tx.cell, after.order_id, after.line, after.revoked)
    return await _tell(tx, REVOKED, after, at)


async def _settle_level(tx: Transaction, variant_ids: Sequence[UUID]) -> None:
    """Take off a pool's level what could be given to nobody: what came back was put on it, and its licence is revoked."""
    for variant_id in variant_ids:
        await levels_for_update(tx.connection, tx.cell, [(variant_id, WAREHOUSE)])
        now = await store.promises(tx.connection, tx.cell, variant_id, WAREHOUSE)
        over = rules.too_many(now.promised, now.free, now.available)
        await stock.change_stock(tx, [Change(variant_id=variant_id, warehouse=WAREHOUSE, delta=-over)], "adjusted")


async def _watch_pools(tx: Transaction, variant_ids: Sequence[UUID]) -> None:
    """Tell of pools that have become low, each once until it has recovered."""
    for variant_id in variant_ids:
        for article, free, low_at in await store.crossed_low(tx.connection, tx.cell, variant_id, limits.LICENCES_LOW_MAX):
            body = PoolLow(variant_id=variant_id, sku=article.sku, free=free, low_at=low_at)
            await tx.append([Fact(POOL_LOW, f"digital_article/{variant_id}", article.version, body)])


async def _tell(tx: Transaction, kind: str, one: Entitlement, at: datetime) -> Token:
    return await tx.append([Fact(kind, f"entitlement/{one.order_id}/{one.line}", one.version, one.told(at))])


async def _tell_article(tx: Transaction, kind: str, article: Article, added: int) -> Token:
    return await tx.append([Fact(kind, f"digital_article/{article.variant_id}", article.version, article.told(added))])


def _now(tx: Transaction) -> datetime:
    return utc(stamp_millis(tx.clock.tick()))
