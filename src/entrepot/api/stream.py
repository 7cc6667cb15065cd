"""The stream of events for who watches: what the pulse sees, as server-sent events."""

from collections.abc import AsyncIterator

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.response import Stream

from entrepot.api.edge import STREAMING
from entrepot.api.parts import Parts

MEDIA_TYPE = "text/event-stream"
RECONNECT_MILLIS = 2_000


@get(
    STREAMING,
    tags=["Projections"],
    summary="What is happening, as it happens",
    media_type=MEDIA_TYPE,
    opt={"permission": "house.watch"},
)
async def stream(parts: NamedDependency[Parts]) -> Stream:
    """Send the log's head, orders per second and every projection's lag, twice a second, until the client goes."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(_beats(parts), media_type=MEDIA_TYPE, headers=headers)


async def _beats(parts: Parts) -> AsyncIterator[bytes]:
    yield f"retry: {RECONNECT_MILLIS}\n\n".encode()
    told = b""
    async for seen in parts.pulse.beats():
        yield b"event: pulse\ndata: " + msgspec.json.encode(seen) + b"\n\n"
        sale = msgspec.json.encode(parts.flash.sale) if parts.flash and parts.flash.sale else b""
        if sale != told:
            told = sale
            yield b"event: flash\ndata: " + sale + b"\n\n"


HANDLERS = [stream]
