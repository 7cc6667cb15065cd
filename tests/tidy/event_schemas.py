"""The shape of every event body, as ``events.json`` remembers it: events are for ever, so it may only grow.

``python -m tests.tidy.event_schemas`` writes the file anew after a field or an event was added; it refuses any other change.
"""

import importlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType

import msgspec

from tests.tidy.finding import ROOT, files

GOLDEN = ROOT / "tests" / "tidy" / "events.json"
TAG = re.compile(r"^(?P<area>[a-z_]+)\.[a-z_]+\.v[1-9]\d*$")

Field = Mapping[str, object]
Schemas = Mapping[str, Mapping[str, Field]]


def event_modules() -> Iterator[tuple[str, ModuleType]]:
    """Yield each business area with its events module."""
    for path in files("events.py", under="src/entrepot/commerce"):
        area = path.split("/")[-2]
        yield area, importlib.import_module(f"entrepot.commerce.{area}.events")


def tags(module: ModuleType) -> dict[str, str]:
    """Return the tags a module declares, by the constant's name."""
    return {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}


def structs(module: ModuleType) -> dict[str, type[msgspec.Struct]]:
    """Return the structs that a module declares itself, by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__
    }


def schemas() -> Schemas:
    """Return the fields of every struct of every events module, as they are now."""
    return {
        f"{area}.{name}": {
            field.name: {"type": _type_name(field.type), "required": field.required} for field in msgspec.structs.fields(struct)
        }
        for area, module in event_modules()
        for name, struct in sorted(structs(module).items())
    }


WORDS = re.compile(r"'\w+'")


def breaks(old: Schemas, new: Schemas) -> list[str]:
    """Return, in sentences, what in ``new`` cannot read what was written under ``old``."""
    return [sentence for name, fields in old.items() for sentence in _struct_breaks(name, fields, new.get(name))]


def _struct_breaks(name: str, old: Mapping[str, Field], new: Mapping[str, Field] | None) -> Iterator[str]:
    if new is None:
        yield f"{name} is gone: events already written still have it"
        return
    for field, shape in old.items():
        if field not in new:
            yield f"{name}.{field} is gone: keep it, or make a v2 beside v1"
        elif dict(new[field]) != dict(shape) and not _only_more_words(shape, new[field]):
            yield f"{name}.{field} was {dict(shape)} and is {dict(new[field])}: make a v2 beside v1"
    for field in new.keys() - old.keys():
        if new[field]["required"]:
            yield f"{name}.{field} is new and required: give it a default, old events do not have it"


def _only_more_words(old: Field, new: Field) -> bool:
    """Say whether a field of known words has only got more of them: whatever was written is still one."""
    words = [set(WORDS.findall(str(shape["type"]))) for shape in (old, new)]
    frames = [WORDS.sub("", str(shape["type"])).replace(", ", "") for shape in (old, new)]
    return "Literal" in frames[0] and frames[0] == frames[1] and old["required"] == new["required"] and words[0] <= words[1]


def _type_name(of: object) -> str:
    text = of.__name__ if isinstance(of, type) and not hasattr(of, "__origin__") else str(of)
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text)


def _main() -> int:
    now = schemas()
    if GOLDEN.exists() and (sentences := breaks(json.loads(GOLDEN.read_text()), now)):
        sys.stderr.write("\n".join(sentences) + "\n")
        return 1
    GOLDEN.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
