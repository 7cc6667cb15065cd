"""`entrepot schema`: prints the schema of the system of record, as the migrations have made it."""

import os

from entrepot.record.schema import dump
from entrepot.settings import load, require


def schema() -> None:
    """Print the schema of the system of record as SQL."""
    settings = load(os.environ)
    require(settings, "record")
    print(dump(settings.engines.owner), end="")
