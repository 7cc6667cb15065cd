"""Carriers: what they tell by webhook, and the labels of what they have taken."""

import asyncio
import hmac
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from entrepot.api.digital import signing_secret
from entrepot.api.parts import Parts
from entrepot.base.errors import NotFoundError
from entrepot.base.limits import LABEL_SECONDS
from entrepot.base.time import utc
from entrepot.commerce.aftersale import carrying, labelling
from entrepot.commerce.aftersale.carrying import Heard
from entrepot.commerce.digital import address
from entrepot.commerce.digital.address import Grant
from entrepot.partners.carrier.port import LabelKind
from entrepot.record.cause import about

KINDS: tuple[LabelKind, ...] = get_args(LabelKind)
MEDIA = {"pdf": "application/pdf", "zpl": "application/zpl"}
NO_STORE = {"Cache-Control": "no-store"}


class LabelWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As what a label is wanted: a PDF, or ZPL for a printer of labels."""

    kind: LabelKind = "pdf"


class LabelAddress(Struct, frozen=True, kw_only=True):
    """Where a label can be fetched until a moment, by whoever has the address."""

    shipment_id: UUID
    carrier: str
    tracking: str
    download: str
    valid_until: datetime


@post(
    "/v1/webhooks/carriers/{carrier:str}",
    tags=["Shipments"],
    summary="Take in a carrier's webhook",
    status_code=200,
    opt={"permission": "parcels.tell"},
)
async def take_webhook(
    parts: NamedDependency[Parts], request: Request[Any, Any, Any], carrier: FromPath[str]
) -> Response[Heard]:
    """Check signature and time on the raw bytes, take the event in once, and read where the parcel is from the carrier."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    heard = await carrying.take_webhook(parts.record, parts.carriers, parts.cell, carrier, headers, await request.body())
    return Response(heard)


@post(
    "/v1/shipments/{shipment_id:uuid}/label",
    tags=["Shipments"],
    summary="Have the label of a shipment made",
    opt={"permission": "orders.fulfil"},
)
async def make_label(
    parts: NamedDependency[Parts], shipment_id: FromPath[UUID], data: JSONBody[LabelWish]
) -> Response[LabelAddress]:
    """Have the carrier that was booked make the label, once, and answer where it can be fetched for ten minutes."""
    return Response(await label_address(parts, shipment_id, data.kind), status_code=201, headers=NO_STORE)


@get(
    "/v1/shipments/{shipment_id:uuid}/labels/{token:str}",
    tags=["Shipments"],
    summary="Fetch a label",
    responses={200: ResponseSpec(bytes, generate_examples=False, media_type="application/pdf", description="The label.")},
    opt={"permission": "orders.fulfil"},
)
async def fetch_label(parts: NamedDependency[Parts], shipment_id: FromPath[UUID], token: FromPath[str]) -> Response[bytes]:
    """Send a label, to be printed; its address is good for some minutes, and for who sends the parcel."""
    grant = address.read(await _secret(parts), token, utc(parts.clock.millis()))
    if grant.order_id != shipment_id:
        raise address.DownloadRefusedError
    found = await labelling.to_label(parts.record, parts.cell, grant.order_id)
    about(found.subject)
    kind = KINDS[grant.line]
    kept = await _kept(parts, labelling.object_of(parts.cell, found.parcel, kind))
    if kept is None:
        raise NotFoundError(f"The label of the shipment {grant.order_id} is kept no longer: have it made again.")
    label = await labelling.opened(parts.record.sealing, found, kept)
    name = f'inline; filename="{found.parcel.tracking}.{kind}"'
    return Response(label, media_type=MEDIA[kind], headers={**NO_STORE, "Content-Disposition": name})


HANDLERS = [take_webhook, make_label, fetch_label]


async def label_address(parts: Parts, shipment_id: UUID, kind: LabelKind) -> LabelAddress:
    """Make the label of a shipment, unless there is one, and return where it can be fetched for some minutes."""
    found = await labelling.to_label(parts.record, parts.cell, shipment_id)
    about(found.subject)
    key = labelling.object_of(parts.cell, found.parcel, kind)
    if not await parts.objects.exists(key):
        label = await parts.carriers[found.parcel.carrier].label(found.consignment, found.parcel.tracking, kind)
        await _keep(parts, key, await labelling.sealed(parts.record.sealing, found.subject, label))
    until = utc(parts.clock.millis()) + timedelta(seconds=LABEL_SECONDS)
    # An address stands for a shipment and a kind as that of a download does for an order and a line, under another key.
    token = address.sign(await _secret(parts), Grant(shipment_id, KINDS.index(kind), until))
    return LabelAddress(
        shipment_id=shipment_id,
        carrier=found.parcel.carrier,
        tracking=found.parcel.tracking,
        download=f"/v1/shipments/{shipment_id}/labels/{token}",
        valid_until=until,
    )


async def _secret(parts: Parts) -> bytes:
    return hmac.digest(await signing_secret(parts), b"labels", "sha256")


async def _keep(parts: Parts, key: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "label"
        await asyncio.to_thread(path.write_bytes, data)
        await parts.objects.put(key, path)


async def _kept(parts: Parts, key: str) -> bytes | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "label"
        try:
            await parts.objects.get(key, path)
        except NotFoundError:
            return None
        return await asyncio.to_thread(path.read_bytes)
