"""Where the log lines of a verb go: to standard error, never among what it prints."""

import logging
import sys

import structlog

from entrepot.base.redaction import redact_fields


def to_stderr(level: int = logging.INFO) -> None:
    """Write log lines of this level and above to standard error."""
    structlog.configure(
        # A traceback is text, without the values of variables, before it is redacted.
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact_fields,
            structlog.dev.ConsoleRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    # The pool tells with a traceback of each try to connect anew; who needs the record says in a sentence that it is away.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
