"""Where the log lines of a verb go: to standard error, never among what it prints."""

import logging
import sys

import structlog


def to_stderr(level: int = logging.INFO) -> None:
    """Write log lines of this level and above to standard error."""
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr), wrapper_class=structlog.make_filtering_bound_logger(level)
    )
    # The pool tells with a traceback of each try to connect anew; who needs the record says in a sentence that it is away.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
