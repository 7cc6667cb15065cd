"""Completes the API's description (OpenAPI): what the framework cannot know of our routes, or would say wrongly.

Decides nothing of its own: what is refused is decided where it is refused, and a property test compares the two.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from litestar import Litestar
from litestar.routes import HTTPRoute
from msgspec import Struct

from entrepot.access.errors import ForbiddenError
from entrepot.api.cards import CardNumberRefusedError
from entrepot.api.guard import PERMISSION
from entrepot.api.problems import MEDIA_TYPE, TooLargeError, kinds
from entrepot.api.read_budget import TooManyReadsError
from entrepot.base.errors import (
    BadInputError,
    ConflictError,
    EngineAwayError,
    KeyReusedError,
    NotFoundError,
    StepUpNeededError,
    TokenRefusedError,
    TooManyTriesError,
)
from entrepot.commerce.digital.address import DownloadExpiredError
from entrepot.commerce.digital.content import FileRefusedError
from entrepot.partners.payment.port import GatewayLiedError
from entrepot.partners.signed import WebhookRefusedError

SCHEMAS = "#/components/schemas/{name}"
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "A refusal (RFC 9457); the values that its sentence names are members beside these.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "A page that explains this kind."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, with the value, and what to do."},
    },
}
# A read has no state to conflict with; what is sent without a body is never too large; a card number may stand anywhere.
ALWAYS = {
    BadInputError.status,
    NotFoundError.status,
    EngineAwayError.status,
    CardNumberRefusedError.status,
    TokenRefusedError.status,
    ForbiddenError.status,
}
OF_READS = {TooManyReadsError.status}
OF_COMMANDS = {ConflictError.status, KeyReusedError.status}
OF_BODIES = {TooLargeError.status}
OF_PEOPLE = {StepUpNeededError.status, TooManyTriesError.status}
OF_GATEWAYS = {WebhookRefusedError.status, GatewayLiedError.status}
LABELS = {"Have the label of a shipment made", "Fetch a label"}
OF_FILES = {FileRefusedError.status, DownloadExpiredError.status}


# What is read piece by piece is no value that the framework could describe; any other type of content is as welcome.
STREAMED = {"/v1/files/{sku}/content"}
BYTES = {"schema": {"type": "string", "format": "binary"}}

PEOPLE = {"People", "Sessions", "You", "Your credentials", "Other providers"}


def complete(schema: dict[str, Any], app: Litestar) -> None:
    """Add the problems, and say of parameters and bodies what is true."""
    _say_any_of(schema)
    _say_permissions(schema, app)
    for path in STREAMED & schema["paths"].keys():
        schema["paths"][path]["put"]["requestBody"] = {"required": True, "content": {"application/octet-stream": BYTES}}
    components = schema["components"]["schemas"]
    components["Problem"] = PROBLEM
    # What msgspec reads it describes best itself: it also knows that a field which is unknown is refused.
    _, read = msgspec.json.schema_components(_requests(app), ref_template=SCHEMAS)
    components.update(read)
    for methods in schema["paths"].values():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                _say_when_required(parameter)
            if "Health" not in operation["tags"]:
                operation["responses"].update(_problems(method, operation))


def _say_permissions(schema: dict[str, Any], app: Litestar) -> None:
    """Name on each operation the permission that it takes; who holds it, and over whose rows: the access matrix."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            for method in handler.http_methods:
                operation = schema["paths"].get(route.path_format, {}).get(method.lower())
                if operation is not None:
                    operation["x-permission"] = handler.opt[PERMISSION]


def _requests(app: Litestar) -> Sequence[type[Struct]]:
    fields = [handler.parsed_data_field for route in app.routes for handler in getattr(route, "route_handlers", ())]
    return [field.annotation for field in fields if field is not None and issubclass(field.annotation, Struct)]


def _say_any_of(schema: object) -> None:
    """Make each ``oneOf`` an ``anyOf``: 5 is an integer and a number, which ``oneOf`` would refuse."""
    for one in _objects(schema):
        if "oneOf" in one:
            one["anyOf"] = one.pop("oneOf")


def _say_when_required(parameter: dict[str, Any]) -> None:
    """Say that a header which cannot be null must be there; none that can is ever sent as null."""
    kinds = parameter["schema"].pop("anyOf", None)
    if kinds:
        parameter["schema"].update(kinds[0])
    elif parameter["in"] == "header":
        parameter["required"] = True


def _problems(method: str, operation: dict[str, Any]) -> dict[str, object]:
    """Return what an operation may refuse with, by status."""
    statuses = ALWAYS | (OF_READS if method == "get" else OF_COMMANDS) | (OF_BODIES if "requestBody" in operation else set())
    if "Payments" in operation["tags"] and method != "get":
        statuses |= OF_GATEWAYS
    if PEOPLE & set(operation["tags"]):
        statuses |= OF_PEOPLE
    if "Digital goods" in operation["tags"] or operation["summary"] in LABELS:
        statuses |= OF_FILES
    content = {MEDIA_TYPE: {"schema": {"$ref": SCHEMAS.format(name="Problem")}}}
    return {
        str(status): {
            "description": ", ".join(slug for slug, kind in kinds().items() if kind.status == status),
            "content": content,
        }
        for status in sorted(statuses)
    }


def _objects(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(below)
