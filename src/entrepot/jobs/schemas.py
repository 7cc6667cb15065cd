"""The shape of the body of every kind of event, for readers outside. Reads no event."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from types import ModuleType

import msgspec
from msgspec import Struct

import entrepot.commerce
from entrepot.jobs.kinds import KIND


def schemas() -> dict[str, bytes]:
    """Return the JSON Schema of every kind's body, by kind."""
    found: dict[str, bytes] = {}
    for area in pkgutil.iter_modules(entrepot.commerce.__path__, "entrepot.commerce."):
        if area.ispkg and importlib.util.find_spec(f"{area.name}.events"):
            found |= _schemas_of(importlib.import_module(f"{area.name}.events"))
    return found


def _schemas_of(module: ModuleType) -> dict[str, bytes]:
    """Return those of one area; a kind whose name is no struct's shares one, so that any of those without a kind may be it."""
    own: Mapping[str, type[Struct]] = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Struct) and value.__module__ == module.__name__
    }
    named = {
        value: name.title().replace("_", "")
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and KIND.fullmatch(value)
    }
    shared = [struct for name, struct in own.items() if name not in named.values()]
    return {kind: _schema([own[name]] if name in own else shared) for kind, name in named.items()}


def _schema(structs: list[type[Struct]]) -> bytes:
    shapes, parts = msgspec.json.schema_components(structs, ref_template="#/$defs/{name}")
    body = shapes[0] if len(shapes) == 1 else {"anyOf": list(shapes)}
    return msgspec.json.encode({"$schema": "https://json-schema.org/draft/2020-12/schema", **body, "$defs": parts})
