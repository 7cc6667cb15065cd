"""Brings the schema up to date: applies the migrations that have not been applied, in order, under one lock.

Files are ``NNNN_pre_what.sql`` (before the new code runs) or ``NNNN_post_what.sql`` (after the old code is gone).
"""

from pathlib import Path

from psycopg import OperationalError
from yoyo import get_backend, read_migrations  # type: ignore[import-untyped]  # ships no types

from entrepot.base.errors import EngineAwayError

FOLDER = Path(__file__).parent / "migrations"


def migrate(url: str) -> list[str]:
    """Apply what is missing to the database and return the names of the migrations applied (blocking; run at start)."""
    try:
        backend = get_backend(url.replace("postgresql://", "postgresql+psycopg://", 1))
    except OperationalError as error:
        raise EngineAwayError("record", str(error).strip()) from error
    try:
        with backend.lock():
            missing = backend.to_apply(read_migrations(str(FOLDER)))
            names = [migration.id for migration in missing]
            backend.apply_migrations(missing)
        return names
    finally:
        backend.connection.close()
