"""The engine room's pages: the log, the lanes it flows into, and one lane with its buttons."""

import asyncio
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from entrepot.api import projections, pulse_store
from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EngineAwayError, EntrepotError, NotFoundError
from entrepot.base.limits import ASIDE_SECONDS_MAX
from entrepot.console import diagnosis
from entrepot.console.forms import Form
from entrepot.console.moves import shown_moves
from entrepot.console.readings import shown_readings
from entrepot.console.render import page
from entrepot.jobs import store as jobs
from entrepot.log import generations, quarantine
from entrepot.partners.payment.port import GatewayAwayError

HISTORY = 10

SAYS = {
    "product_page": "What a product's page shows: one document a product, with its prices, and one a category.",
    "product_search": "Finding products by words, in any language, with facets that narrow.",
    "sales_facts": "What was sold, by minute, day, country, category, product and cohort.",
    "bought_together": "Which products are bought together, from the baskets of orders.",
    "live_stock": "How many pieces are left, by warehouse, for display.",
}
# Roles that no projection's page tells of.
BESIDE = {
    "series": "Where the platform's own numbers are kept: the pulse is drawn from them.",
    "stream": "Where the log is relayed to, for readers outside and, if the settings say so, for the projectors.",
}
_DONE = {
    "verifying": "Verification has begun; its result appears below when it is done.",
    "rebuilding": "The rebuild has begun; readers notice nothing.",
    "replaying": "The projector will try them again within a second.",
}


@get("/engine-room", include_in_schema=False, opt={"permission": "house.watch"})
async def engine_room(parts: NamedDependency[Parts]) -> Response[str]:
    """Show the whole house; with a record that does not answer, as it was seen last."""
    # Side by side: where an engine hangs, each gives it up in its own time, and the page in the time of one.
    seen, (runs, cursors), (listed, moved), readings, gateway = await asyncio.gather(
        parts.pulse.freshest(), _own_work(parts), shown_moves(parts), shown_readings(parts), _gateway(parts)
    )
    addresses = {**parts.addresses, **moved}
    context = {
        "runs": runs,
        "cursors": cursors,
        "gateway": gateway,
        "flash": parts.flash is not None,
        "seen": seen,
        "notes": diagnosis.notes(seen),
        "engines": {role: addresses.get(role, role) for role in {lane.role for lane in seen.lanes}},
        "addresses": addresses,
        "beside": [role for role in BESIDE if role in addresses],
        "moves": listed,
        "readings": readings,
        "record": parts.addresses.get("record", "PostgreSQL"),
        "replica": parts.platform.replica,
    }
    return page("engine_room.html", "engine-room", context)


@get("/engine-room/{name:str}", include_in_schema=False, opt={"permission": "house.watch"})
async def lane(parts: NamedDependency[Parts], name: FromPath[str], done: FromQuery[str] = "") -> Response[str]:
    """Show one projection."""
    return await _lane_page(parts, name, done=_DONE.get(done, ""))


@get("/engine-room/engine/{role:str}", include_in_schema=False, opt={"permission": "house.watch"})
async def engine(parts: NamedDependency[Parts], role: FromPath[str]) -> Response[str]:
    """Show the engine of a role that no projection plays."""
    if role not in BESIDE or role not in parts.addresses:
        raise NotFoundError(f"No page tells of the engine {role!r}, or none is named: see the engine room.", role=role)
    return page("engine.html", "engine-room", {"role": role, "says": BESIDE[role], "engine": await parts.standing(role)})


@post("/engine-room/{name:str}/rebuilds", include_in_schema=False, opt={"permission": "house.run"})
async def rebuild(parts: NamedDependency[Parts], name: FromPath[str], data: Form) -> Response[Any]:
    """Start a rebuild, if its name was typed."""
    confirm = data.get("confirm", "").strip()
    try:
        found = projections.known(parts, name)
        if confirm != name:
            raise BadInputError(f"Nothing was rebuilt: type {name} to confirm, not {confirm!r}.")
        await generations.rebuild(parts.record, found.projection, found.shards)
    except NotFoundError:
        raise
    except EntrepotError as error:
        return await _lane_page(parts, name, wrong=str(error), confirm=confirm, status=error.status)
    return Redirect(f"/engine-room/{name}?done=rebuilding", status_code=303)


@post("/engine-room/{name:str}/verifications", include_in_schema=False, opt={"permission": "house.run"})
async def verify(parts: NamedDependency[Parts], name: FromPath[str]) -> Redirect:
    """Compare a projection with the truth."""
    projections.known(parts, name)
    parts.verifying.start(name)
    return Redirect(f"/engine-room/{name}?done=verifying", status_code=303)


@post("/engine-room/{name:str}/replays", include_in_schema=False, opt={"permission": "house.run"})
async def replay(parts: NamedDependency[Parts], name: FromPath[str], data: Form) -> Redirect:
    """Try again what was set aside: one key, or all."""
    projections.known(parts, name)
    await quarantine.replay(parts.record, name, data.get("key") or None)
    return Redirect(f"/engine-room/{name}?done=replaying", status_code=303)


HANDLERS = [engine_room, lane, engine, rebuild, verify, replay]


async def _own_work(parts: Parts) -> tuple[list[jobs.Run], list[jobs.Cursor]]:
    """Return how jobs and reactions are; nothing when the record does not answer, which the page says itself."""
    try:
        async with asyncio.timeout(ASIDE_SECONDS_MAX), parts.record.committing() as connection:
            return await jobs.runs(connection), await jobs.cursors(connection, parts.cell)
    except (EngineAwayError, TimeoutError):
        return [], []


async def _gateway(parts: Parts) -> str:
    """Return what is wrong with the payment gateway, by asking it for a payment that nobody made; nothing when it answers."""
    try:
        async with asyncio.timeout(ASIDE_SECONDS_MAX):
            await parts.gateway.find(parts.record.ids.fresh())
    except (GatewayAwayError, TimeoutError) as error:
        return str(error) or f"The payment gateway did not answer within {ASIDE_SECONDS_MAX:g} s."
    return ""


async def _lane_page(
    parts: Parts, name: str, *, done: str = "", wrong: str = "", confirm: str = "", status: int = 200
) -> Response[str]:
    projections.known(parts, name)
    seen = await parts.pulse.look()
    shown = next((one for one in seen.lanes if one.name == name), None)
    async with parts.record.committing() as connection:
        history = await pulse_store.history(connection, name, HISTORY)
    context = {
        "name": name,
        "says": SAYS.get(name, ""),
        "lane": shown,
        "notes": diagnosis.of_lane(shown, seen.at) if shown else [],
        "history": history,
        "verifying": parts.verifying.checked.get(name),
        "parked": await projections.parked(parts, name),
        "engine": await parts.standing(name) if shown else None,
        "done": done,
        "wrong": wrong or parts.verifying.failed.get(name, ""),
        "confirm": confirm,
    }
    return page("lane.html", "engine-room", context, status=status)
