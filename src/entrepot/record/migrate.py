"""Brings the schema up to date: applies the migrations that have not been applied, in order, under one lock, then the grants.

Files are ``NNNN_pre_what.sql`` (before the new code runs) or ``NNNN_post_what.sql`` (after the old code is gone).
"""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.base import limits
from entrepot.base.errors import ConflictError, EngineAwayError
from entrepot.base.late import Late

if TYPE_CHECKING:
    import psycopg
    import yoyo  # type: ignore[import-untyped]  # ships no types
else:
    psycopg, yoyo = Late("psycopg"), Late("yoyo")

FOLDER = Path(__file__).parent / "migrations"
GRANTS = Path(__file__).with_name("grants.sql")


def migrate(url: str, folder: Path = FOLDER) -> list[str]:
    """Apply what is missing to the database and return the names of the migrations applied (blocking; run at start).

    Processes that start at once take turns by an advisory lock: one that dies in the middle lets go of it, and what it had
    not finished is rolled back.
    """
    try:
        with psycopg.connect(url, autocommit=True) as turn:
            _take_turn(turn)
            backend = yoyo.get_backend(url.replace("postgresql://", "postgresql+psycopg://", 1))
            try:
                wanted = backend.to_apply(yoyo.read_migrations(str(folder)))
                names = [migration.id for migration in wanted]
                for migration in wanted:
                    # yoyo's own apply marks in a second transaction: who dies between the two could never migrate again.
                    # It prints what a SELECT answers, too, where a command with --json may say nothing else.
                    with backend.transaction(), redirect_stdout(StringIO()):
                        migration.process_steps(backend, "apply")
                        backend.mark_one(migration)
            finally:
                backend.connection.close()
            turn.execute(GRANTS.read_bytes())
    except psycopg.OperationalError as error:
        raise EngineAwayError("record", str(error).strip()) from error
    return names


def missing(url: str, folder: Path = FOLDER) -> list[tuple[str, bytes]]:
    """Return the migrations that the database has not, each with its text, in their order (blocking)."""
    try:
        backend = yoyo.get_backend(url.replace("postgresql://", "postgresql+psycopg://", 1))
        try:
            found = backend.to_apply(yoyo.read_migrations(str(folder)))
            return [(migration.id, Path(migration.path).read_bytes()) for migration in found]
        finally:
            backend.connection.close()
    except psycopg.OperationalError as error:
        raise EngineAwayError("record", str(error).strip()) from error


def _take_turn(turn: "psycopg.Connection") -> None:
    try:
        turn.execute("SELECT set_config('lock_timeout', %s, false)", [f"{limits.MIGRATE_TURN_SECONDS_MAX:.0f}s"])
        turn.execute("SELECT pg_advisory_lock(hashtext('entrepot.migrate'))")
    except psycopg.errors.LockNotAvailable as error:
        raise ConflictError(
            f"Another process has been migrating this database for {limits.MIGRATE_TURN_SECONDS_MAX:.0f} s: "
            "wait until it is done and start again, or see in pg_locks (locktype advisory) who it is.",
        ) from error
