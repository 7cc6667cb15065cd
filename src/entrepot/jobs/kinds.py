"""Every kind of event that the business writes, gathered from the rooms' ``events`` modules."""

import functools
import importlib
import importlib.util
import pkgutil
import re

from entrepot import commerce

KIND = re.compile(r"[a-z_]+\.[a-z_]+\.v[1-9]\d*")


@functools.cache
def event_kinds() -> frozenset[str]:
    """Return every kind, such as ``ordering.order_placed.v1``."""
    return frozenset(
        tag
        for room in pkgutil.iter_modules(commerce.__path__)
        if room.ispkg and importlib.util.find_spec(f"{commerce.__name__}.{room.name}.events")
        for name, tag in vars(importlib.import_module(f"{commerce.__name__}.{room.name}.events")).items()
        if name.isupper() and isinstance(tag, str) and KIND.fullmatch(tag)
    )
