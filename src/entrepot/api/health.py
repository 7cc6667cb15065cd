"""Whether this process lives, whether its engines answer, and what it has counted."""

import asyncio

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct

from entrepot.api.metrics import CONTENT_TYPE
from entrepot.api.parts import Parts
from entrepot.api.pulse import ask
from entrepot.base.errors import EngineAwayError


class Alive(Struct, frozen=True):
    """The process answers."""

    status: str = "alive"


class Ready(Struct, frozen=True):
    """Whether every engine answers; what is wrong, by role, in a sentence."""

    ready: bool
    engines: dict[str, str]


@get("/healthz", tags=["Health"], summary="Does this process live?", opt={"permission": "docs.read"})
async def healthz() -> Alive:
    """Say that the process answers, whatever its engines do."""
    return Alive()


@get(
    "/readyz",
    tags=["Health"],
    summary="Do all engines answer?",
    responses={EngineAwayError.status: ResponseSpec(Ready, generate_examples=False, description="One does not.")},
    opt={"permission": "docs.read"},
)
async def readyz(parts: NamedDependency[Parts]) -> Response[Ready]:
    """Ask every engine that requests need; 503 when one does not answer."""
    checks = {role: check for role, check in parts.pulse.checks.items() if role != "series"}
    sentences = dict(zip(checks, await asyncio.gather(*map(ask, checks.values())), strict=True))
    ready = all(sentence == "" for sentence in sentences.values())
    body = Ready(ready, {role: sentence or "answers" for role, sentence in sentences.items()})
    return Response(body, status_code=200 if ready else EngineAwayError.status, headers={"Cache-Control": "no-store"})


@get("/metrics", include_in_schema=False, opt={"permission": "house.watch"})
async def metrics(parts: NamedDependency[Parts]) -> Response[bytes]:
    """Give Prometheus what all workers of this server have counted."""
    return Response(await parts.tally.text(), media_type=CONTENT_TYPE)


HANDLERS = [healthz, readyz, metrics]
