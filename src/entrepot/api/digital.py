"""Digital goods: pools of licences, files, what an order gives a right to, and the downloads themselves.

Who may read an order reads its licences and fetches its files by signed addresses, which say for how long, and let nobody in.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get, post, put
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import File
from msgspec import Struct

from entrepot.api.catalogue import Done, done
from entrepot.api.headers import OptionalKey, RequiredKey, moved, required
from entrepot.api.pages import Limit
from entrepot.api.parts import Parts
from entrepot.api.uploading import take_file
from entrepot.base.errors import NotFoundError
from entrepot.base.limits import FILE_BYTES_MAX
from entrepot.base.time import utc
from entrepot.commerce.digital import address, commands, query
from entrepot.commerce.digital.commands import LicencesAdded
from entrepot.commerce.digital.query import DigitalItem, LowPool, Pool
from entrepot.commerce.digital.rules import FileDraft
from entrepot.commerce.ordering import query as ordering
from entrepot.record.cause import about
from entrepot.record.transaction import Transaction

NO_STORE = {"Cache-Control": "no-store"}


class LicenceCodes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Licences to put into a pool. They are kept, and shown to who buys them; they are in no event and no log.

    ``low_at``: from how few free ones on the pool is low (10 unless it was said).
    """

    codes: list[str]
    low_at: int | None = None


class LowPools(Struct, frozen=True, kw_only=True):
    """Pools that are low, those with the fewest free licences first."""

    items: list[LowPool]


class DigitalItems(Struct, frozen=True, kw_only=True):
    """What an order gives a right to, by line; an address of a file is good for an hour."""

    items: list[DigitalItem]


@post(
    "/v1/pools/{sku:str}/licences",
    tags=["Digital goods"],
    summary="Put licences into a pool",
    opt={"permission": "digital.write"},
)
async def add_licences(
    parts: NamedDependency[Parts], sku: FromPath[str], data: JSONBody[LicenceCodes], idempotency_key: RequiredKey = ""
) -> Response[LicencesAdded]:
    """Add licences: so many more can be ordered. One that is, or was, in the pool is not added again."""

    async def act(tx: Transaction) -> LicencesAdded:
        return await commands.add_licences(tx, sku, data.codes, data.low_at)

    added = await parts.run(act, LicencesAdded, required(idempotency_key), data)
    return Response(added, status_code=201, headers=moved(added.position))


@get("/v1/pools", tags=["Digital goods"], summary="Which pools are low", opt={"permission": "stock.read"})
async def low_pools(parts: NamedDependency[Parts], limit: Limit = 20) -> Response[LowPools]:
    """List pools of licences that are low: ``digital.pool_low.v1`` tells of each once, until licences were added."""
    async with parts.record.reading() as connection:
        return Response(LowPools(items=await query.low_pools(connection, parts.cell, limit)), headers=NO_STORE)


@get("/v1/pools/{sku:str}", tags=["Digital goods"], summary="How many licences are left", opt={"permission": "stock.read"})
async def read_pool(parts: NamedDependency[Parts], sku: FromPath[str]) -> Response[Pool]:
    """Say how many licences of a pool are free, how many of them can be ordered, and what became of the others."""
    async with parts.record.reading() as connection:
        return Response(await query.pool(connection, parts.cell, sku), headers=NO_STORE)


@put(
    "/v1/files/{sku:str}",
    tags=["Digital goods"],
    summary="Say which file comes with a SKU",
    opt={"permission": "digital.write"},
)
async def offer_file(
    parts: NamedDependency[Parts], sku: FromPath[str], data: JSONBody[FileDraft], idempotency_key: OptionalKey
) -> Response[Done]:
    """Say which object (its key begins with downloads/) who buys this SKU from now on may fetch, how often, and how long."""

    async def act(tx: Transaction) -> Done:
        return done(await commands.offer_file(tx, sku, data))

    answer = await parts.run(act, Done, idempotency_key, data)
    return Response(answer, headers=moved(answer.position))


@put(
    "/v1/files/{sku:str}/content",
    tags=["Digital goods"],
    summary="Send the file that comes with a SKU",
    request_max_body_size=FILE_BYTES_MAX,
    opt={"permission": "digital.write"},
)
async def send_file(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    sku: FromPath[str],
    file_name: Annotated[str, QueryParameter(description="What it is called when it is fetched.")],
    downloads_most: Annotated[int, QueryParameter(description="How often each piece can be fetched.")] = 5,
    days: Annotated[int, QueryParameter(description="For how many days it can be fetched.")] = 365,
    idempotency_key: OptionalKey = None,
) -> Response[Done]:
    """Take the file itself (256 MiB at most) as the body; for who buys it from now on.

    It is of the kind that its name ends in, and its bytes say so too: what is something else, or something else as well, is
    refused.
    """
    draft = FileDraft(object="", file_name=file_name, downloads_most=downloads_most, days=days)
    answer = await take_file(parts, sku, draft, request.stream(), idempotency_key)
    return Response(answer, headers=moved(answer.position))


@get(
    "/v1/orders/{order_id:uuid}/digital",
    tags=["Digital goods"],
    summary="What an order gives a right to",
    opt={"permission": "digital.read"},
)
async def read_digital(parts: NamedDependency[Parts], order_id: FromPath[UUID]) -> Response[DigitalItems]:
    """Read the licences of an order, and the addresses of its files; they are there once the money is taken."""
    return Response(await _items(parts, order_id), headers=NO_STORE)


@post(
    "/v1/orders/{order_id:uuid}/digital/revocation",
    tags=["Digital goods"],
    summary="Revoke what an order was handed",
    opt={"permission": "digital.write"},
)
async def revoke(
    parts: NamedDependency[Parts], order_id: FromPath[UUID], idempotency_key: RequiredKey = ""
) -> Response[DigitalItems]:
    """Revoke every licence and download of an order (misuse, say); money is another matter."""

    async def act(tx: Transaction) -> Done:
        return done(await commands.revoke_orders(tx, [order_id]))

    answer = await parts.run(act, Done, required(idempotency_key), f"revoke {order_id}".encode())
    return Response(await _items(parts, order_id), status_code=200, headers={**NO_STORE, **moved(answer.position)})


@get(
    "/v1/orders/{order_id:uuid}/downloads/{token:str}",
    tags=["Digital goods"],
    summary="Fetch a file that was bought",
    opt={"permission": "digital.read"},
)
async def download(parts: NamedDependency[Parts], order_id: FromPath[UUID], token: FromPath[str]) -> File:
    """Send the file to who may read the order: the address proves nothing alone. It counts once we have it to send."""
    now = utc(parts.clock.millis())
    grant = address.read(await signing_secret(parts), token, now)
    if grant.order_id != order_id:
        raise address.DownloadRefusedError
    async with parts.record.reading() as connection:
        right = await query.to_download(connection, parts.cell, grant, now)
        bought = await ordering.order(connection, parts.cell, grant.order_id)
    about(bought.customer_id if bought else None)
    handle, name = tempfile.mkstemp(prefix="entrepot-download-")
    os.close(handle)
    path = Path(name)
    try:
        await parts.objects.get(right.object, path)
        async with parts.record.transaction(parts.cell, "download") as tx:
            await commands.count_download(tx, grant, now)
    except NotFoundError as error:
        await asyncio.to_thread(path.unlink)
        raise NotFoundError(f"The file of {right.sku} is not there: ask the shop.", sku=right.sku) from error
    except BaseException:
        await asyncio.to_thread(path.unlink)
        raise
    return File(
        path,
        filename=right.file_name,
        media_type=right.media_type,
        headers=NO_STORE,
        background=BackgroundTask(asyncio.to_thread, path.unlink),
    )


HANDLERS = [add_licences, low_pools, read_pool, offer_file, send_file, read_digital, revoke, download]


async def _items(parts: Parts, order_id: UUID) -> DigitalItems:
    secret = await signing_secret(parts)
    async with parts.record.reading() as connection:
        return DigitalItems(items=await query.of_order(connection, parts.cell, order_id, secret, utc(parts.clock.millis())))


async def signing_secret(parts: Parts) -> bytes:
    """Return what addresses of downloads are signed with; made when it is first asked for."""
    async with parts.record.committing() as connection:
        found = await query.signing_secret(connection, parts.cell, parts.record.sealing)
    if found is not None:
        return found
    async with parts.record.transaction(parts.cell, "download") as tx:
        return await commands.signing_secret(tx)
