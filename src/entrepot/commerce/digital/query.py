"""What buyers and the shop ask of digital goods; reads only."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import NotFoundError
from entrepot.base.seals import Seals
from entrepot.commerce.digital import address, store
from entrepot.commerce.digital.address import Grant
from entrepot.commerce.digital.rules import Article, Entitlement
from entrepot.commerce.digital.store import LowPool, Pool
from entrepot.record.transaction import Connection

__all__ = ["LowPool", "Pool"]


class DigitalItem(Struct, frozen=True, kw_only=True):
    """What a line of an order gives a right to: licences, and the address of a file while it can be fetched."""

    line: int
    sku: str
    state: str
    quantity: int
    revoked: int
    licences: list[str]
    file_name: str
    download: str | None
    downloads: int
    downloads_most: int
    expires_at: datetime | None


async def articles(connection: Connection, cell: int, limit: int) -> list[Article]:
    """Return digital articles, by SKU."""
    return await store.articles(connection, cell, limit)


async def pool(connection: Connection, cell: int, sku: str) -> Pool:
    """Return a pool of licences, or say that there is none."""
    found = await store.pool(connection, cell, sku)
    if found is None:
        raise NotFoundError(f"{sku!r} has no pool of licences: add some.", sku=sku)
    return found


async def low_pools(connection: Connection, cell: int, limit: int) -> list[LowPool]:
    """Return pools that are low, those with the fewest free licences first."""
    return await store.low_pools(connection, cell, limit)


async def of_order(connection: Connection, cell: int, order_id: UUID, secret: bytes, now: datetime) -> list[DigitalItem]:
    """Return what an order gives a right to, with addresses that are good for an hour."""
    codes = await store.codes_of_order(connection, cell, order_id)
    return [
        DigitalItem(
            line=one.line, sku=one.sku, state=one.state, quantity=one.quantity, revoked=one.revoked,
            licences=codes.get(one.line, []), file_name=one.file_name, download=_download(one, secret, now),
            downloads=one.downloads, downloads_most=one.downloads_most, expires_at=one.expires_at,
        )
        for one in await store.of_order(connection, cell, order_id)
    ]  # fmt: skip


async def to_download(connection: Connection, cell: int, grant: Grant, now: datetime) -> Entitlement:
    """Return the right that an address uses; one that is revoked, over or used up is refused."""
    one = await store.entitlement(connection, cell, grant.order_id, grant.line)
    address.check(one, now)
    return one


async def signing_secret(connection: Connection, cell: int, seals: Seals) -> bytes | None:
    """Return what addresses are signed with, if it was made already."""
    return await store.secret(connection, cell, seals)


def _download(one: Entitlement, secret: bytes, now: datetime) -> str | None:
    if one.state != "handed_out" or not one.object or one.expires_at is None or one.expires_at <= now:
        return None
    until = min(one.expires_at, now + timedelta(seconds=limits.DOWNLOAD_URL_SECONDS))
    return f"/v1/orders/{one.order_id}/downloads/{address.sign(secret, Grant(one.order_id, one.line, until))}"
