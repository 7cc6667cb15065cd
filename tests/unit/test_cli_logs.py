"""What a person sees of the log on the screen: no traceback of what mends itself."""

import logging

import pytest
import structlog

from entrepot.cli.logs import to_stderr


def test_a_pool_that_connects_anew_shows_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    pool = logging.getLogger("asyncpg.pool")
    pool.setLevel(logging.NOTSET)
    try:
        to_stderr()
        pool.warning("Failed to restore the pool connection floor; retrying", exc_info=OSError(111))
    finally:
        structlog.reset_defaults()
    assert caplog.records == []
