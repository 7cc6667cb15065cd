"""The flash sale's page: a button, and then how many have bought, how many were told that it is sold out, and none oversold."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from entrepot.api.flash import FlashDesk
from entrepot.api.parts import Parts
from entrepot.base.errors import NotFoundError
from entrepot.console.render import page


@get("/flash", include_in_schema=False, opt={"permission": "house.watch"})
async def show_flash(parts: NamedDependency[Parts]) -> Response[str]:
    """Show the sale as it stands, and the button that begins one."""
    return page("flash.html", "engine-room", {"sale": _desk(parts).sale})


@post("/flash", include_in_schema=False, opt={"permission": "house.run"})
async def start_flash(parts: NamedDependency[Parts]) -> Redirect:
    """Begin a sale and watch it; while one runs, there is no second."""
    _desk(parts).start()
    return Redirect("/flash", status_code=303)


HANDLERS = [show_flash, start_flash]


def _desk(parts: Parts) -> FlashDesk:
    if parts.flash is None:
        raise NotFoundError("No flash sale can be held here: run `entrepot demo`, which can hold one.")
    return parts.flash
