"""The API's description (OpenAPI), the page that shows it, and the page that explains each kind of problem."""

from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import License, Tag
from litestar.params import FromPath
from msgspec import Struct

from entrepot import __version__
from entrepot.api import problems
from entrepot.api.description import complete
from entrepot.base.errors import NotFoundError
from entrepot.console.render import page

DESCRIPTION = """One log of truth, every engine a provable projection.

Every write answers `Entrepot-Position`; give it back as `Entrepot-At-Least` and a read is at least that fresh. Commands take an
`Idempotency-Key`: the same key gets the stored answer. Amounts are whole minor units beside their currency. What is refused is
`application/problem+json`, whose `type` leads to a page that explains it."""

CONFIG = OpenAPIConfig(
    title="Entrepôt",
    version=__version__,
    description=DESCRIPTION,
    license=License(name="Apache-2.0", identifier="Apache-2.0"),
    path="/v1/openapi",
    use_handler_docstrings=True,
    render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    tags=[
        Tag("Products", "Pages as shoppers read them, from documents."),
        Tag("Search", "Finding products: full text, facets, suggestions."),
        Tag("Catalogue", "Writing products, categories, markets and prices."),
        Tag("Prices", "Price lists, rates, and what a cart costs and why."),
        Tag("Promotions", "What is taken off, and the coupons that open it."),
        Tag("Shipping", "Zones, methods, what they cost and how long they take."),
        Tag("Stock", "What comes in, what is corrected, what is left."),
        Tag("Carts", "What a buyer has chosen; whoever knows its id owns it."),
        Tag("Checkout", "From a cart, or from lines, to an order that is paid: one saga, whole or not at all."),
        Tag("Orders", "Placing, cancelling, taking back."),
        Tag("Shipments", "What leaves: planned, picked, packed, shipped, delivered, lost."),
        Tag("After the order", "Cancelled in part, returned, exchanged, refunded; what happened to an order."),
        Tag("Companies", "Buying for a company on net terms: credit, buyers with limits, approvals."),
        Tag("Negotiations", "Prices of a company's own: asked, offered, countered, agreed on."),
        Tag("Invoices", "What companies owe, what is credited, and the money that settles it."),
        Tag("Subscriptions", "Plans, and who is on them: trials, renewals, pauses, changes, dunning."),
        Tag("Sellers", "Who sells and supplies: their orders, what they have, what they are owed and paid."),
        Tag("Digital goods", "Pools of licences, files, and what an order gives a right to."),
        Tag("Sales", "What was sold, from columns."),
        Tag("Projections", "How far each engine is, and what an operator can do."),
        Tag("People", "Registering, confirming an address, choosing a new password."),
        Tag("Sessions", "Signing in by password and code, passkey or link; where you are signed in; signing out."),
        Tag("You", "Your profile, addresses, and what you agreed to."),
        Tag("Your credentials", "Password, authenticator, passkeys, recovery codes, API keys."),
        Tag("Other providers", "Signing in with another provider of identities (OpenID Connect)."),
        Tag("Approvals", "What takes two people: deeds that wait, who decides, limits, and changes of financial terms."),
        Tag("Health", "Whether the process lives and its engines answer."),
    ],
)


_DESCRIBED = "described"


class Example(Struct, frozen=True):
    """One call as it was made and answered; lists are cut to their first item (``examples.json``, checked by a test)."""

    operation: str
    path: str
    status: int
    reply: object
    request: object = None


@lru_cache(maxsize=1)
def examples() -> list[Example]:
    """Return an example of each operation, in an order in which they can be made."""
    return msgspec.json.decode(files("entrepot.api").joinpath("examples.json").read_bytes(), type=list[Example])


def described(app: Litestar) -> dict[str, Any]:
    """Return the API's description with its examples; it is made once, since it takes as long as a hundred requests."""
    if _DESCRIBED not in app.state:
        app.state[_DESCRIBED] = _described(app)
    found: dict[str, Any] = app.state[_DESCRIBED]
    return found


def _described(app: Litestar) -> dict[str, Any]:
    schema: dict[str, Any] = app.openapi_schema.to_schema()
    complete(schema, app)
    for example in examples():
        method, _, path = example.operation.partition(" ")
        operation = schema["paths"][path][method.lower()]
        answer = operation["responses"].setdefault(str(example.status), {"description": "Done."})
        answer.setdefault("content", {}).setdefault("application/json", {})["example"] = example.reply
        if example.request is not None:
            operation["requestBody"]["content"].setdefault("application/json", {})["example"] = example.request
    return schema


@get("/v1/openapi.json", include_in_schema=False, opt={"permission": "docs.read"})
async def description(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """Give the API's description as JSON."""
    return Response(described(request.app), headers={"Cache-Control": "public, max-age=60"})


@get("/v1/docs", include_in_schema=False, opt={"permission": "docs.read"})
async def docs(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the API's description on a page."""
    schema = described(request.app)
    return page(
        "docs.html",
        "",
        {"tags": _by_tag(schema), "examples": {one.operation: one for one in examples()}, "kinds": problems.kinds()},
    )


@get("/problems/{slug:str}", include_in_schema=False, opt={"permission": "docs.read"})
async def problem(slug: FromPath[str]) -> Response[str]:
    """Explain one kind of problem."""
    kind = problems.kinds().get(slug)
    if kind is None:
        raise NotFoundError(f"There is no kind of problem called {slug!r}: /v1/docs lists them.", slug=slug)
    says = " ".join((kind.__doc__ or "").replace("``", "").split())
    return page("problem.html", "", {"slug": slug, "title": problems.title_of(slug), "kind": kind, "says": says})


HANDLERS = [description, docs, problem]


def _by_tag(schema: dict[str, Any]) -> list[tuple[dict[str, Any], list[tuple[str, str, dict[str, Any]]]]]:
    operations = [
        (method, path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict) and "tags" in operation
    ]
    return [(tag, [one for one in operations if tag["name"] in one[2]["tags"]]) for tag in schema["tags"]]
