"""Named SQL: ``store.sql`` beside a room holds its queries, each under a name and a sentence that says what it does."""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

MARK = "-- name: "


def queries(package: str, file: str = "store.sql") -> Mapping[str, str]:
    """Return the queries of a room's SQL file by name; called once, where the room's store is imported (a constant)."""
    found: dict[str, str] = {}
    for part in files(package).joinpath(file).read_text().split(MARK)[1:]:
        name, _, rest = part.partition("\n")
        if name.strip() in found:
            raise ValueError(f"{package}/{file} has two queries named {name.strip()!r}: rename one.")
        found[name.strip()] = rest.strip()
    return MappingProxyType(found)
