"""What shoppers look at, search for and put into their carts, as shops tell it."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from entrepot.api.parts import Parts
from entrepot.api.principal import principal_of
from entrepot.behaviour.events import Batch, Collected

COLLECT = "/v1/collect"


@post(COLLECT, tags=["Behaviour"], summary="Tell what a shopper did", status_code=202, opt={"permission": "behaviour.tell"})
async def collect(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    data: JSONBody[Batch],  # noqa: ARG001  # for the description: what is sent is read again, event by event
) -> Response[Collected]:
    """Take in events of one shopper: one by itself, or a batch; what cannot be kept is refused by name, its neighbours count.

    Whatever is counted as ``accepted`` is on disk when this answers, and counts once however often it is sent. Who has signed
    in is known (by a sealed id) only if they have agreed to ``analytics``; another browser only if it brings ``visitor``, an id
    that it keeps for nobody but who agrees. What anybody else does is kept without an id, and to the hour.
    """
    collected = await parts.behaviour.collect(principal_of(request), await request.body())
    return Response(collected, status_code=202, headers={"Cache-Control": "no-store"})


HANDLERS = [collect]
