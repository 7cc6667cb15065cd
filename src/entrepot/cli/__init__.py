"""The command line: one verb a file, each a function that parses nothing, calls one thing and prints what came of it.

A new verb is a file here and a line in ``VERBS``; its module is imported only when the verb is used.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # an older Python would stop at a line it cannot read, with a traceback
    sys.exit("Entrepot needs Python 3.11 or newer, this is {}.{}: try 'uv python install 3.11'.".format(*sys.version_info))

import errno
import os
import tempfile
import time
import traceback
from contextlib import AbstractContextManager, nullcontext
from difflib import get_close_matches
from keyword import iskeyword
from pathlib import Path
from typing import Final

from cyclopts import App, CycloptsError

from entrepot import __version__
from entrepot.base.errors import BadInputError, EntrepotError
from entrepot.base.redaction import redact
from entrepot.cli.children import end_with_parent
from entrepot.local.proxy import reach_loopback_directly

VERBS: Final = {
    "up": "Start the embedded engines, or find them running.",
    "down": "Stop the embedded engines; what they keep stays.",
    "status": "Ask every engine whether it is well.",
    "serve": "Serve the API and the console, until stopped.",
    "demo": "Start everything on real data, and keep it open in the browser.",
    "shoppers": "Let people who are not there shop over HTTP, until stopped.",
    "project": "Keep the projections up with the log, until stopped.",
    "relay": "Relay the log to a Kafka, until stopped.",
    "verify": "Compare every projection with the truth, and mend it if asked.",
    "reconcile": "Compare payments and ledger with the gateway's own report.",
    "payments": "Show what the gateway did otherwise than was asked, and settle it.",
    "parcel": "Note what happened to a parcel of our own vans.",
    "rebuild": "Build a projection anew beside the live one.",
    "move": "Move a role to another engine while readers read.",
    "replay": "Try again what a projection could not take.",
    "archive": "Move what every projection has passed to object storage.",
    "screenshots": "Make the pictures of the README from a running console.",
    "bench": "Measure a claim beside its reference.",
    "import": "Bring in categories, products or orders from a file.",
    "keys": "Show or rotate the keys that personal data is sealed under.",
    "audit": "Show who did what, and prove that nobody has changed it since.",
    "people": "Administrators, roles and sessions.",
    "privacy": "Export, restrict and forget people, with a certificate.",
    "mail": "Read the letters that lie in the home folder.",
    "approvals": "What takes two people, from where on, and who changed financial terms.",
    "ledger": "Draw the ledger's trial balance, close a month, reopen it.",
    "scan": "Search everything that is kept for what must not be there.",
    "migrate": "Bring the system of record up to date; in production, with somebody's word.",
    "roles": "Show who works in the system of record, or make them on a server of your own.",
    "schema": "Print the schema of the system of record.",
}

# Start, stop and measure engines, or show what belongs to nobody; letters are files that lie open to whoever runs this.
# Every other verb leaves an entry in the audit.
UNNOTED: Final = frozenset(
    {"up", "down", "status", "serve", "demo", "project", "relay", "shoppers", "bench", "screenshots", "schema", "mail"}
)

EXIT_BAD_INPUT = 2
EXIT_DISK_FULL = 6
EXIT_DIFFERS = 7
EXIT_UNEXPECTED = 70
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


def app() -> App:
    """Return the command line with every verb, none of them imported yet."""
    line = App(
        name="entrepot",
        version=__version__,
        help="The data platform of a global marketplace.",
        suppress_keyboard_interrupt=False,
    )
    for verb, sentence in VERBS.items():
        module = f"{verb}_" if iskeyword(verb) else verb
        line.command(f"entrepot.cli.{module}:{module}", name=verb, help=sentence)
    return line


def main() -> None:
    """Run the verb that was asked for; whatever goes wrong is one sentence on standard error and an exit code."""
    reach_loopback_directly(os.environ)
    end_with_parent(os.environ)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        _check_verb(arguments)
        line = app()
        with _noted(line, arguments):
            code = line(arguments, exit_on_error=False, print_error=True, result_action="return_value")
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the last place: a person gets a sentence, never a traceback
        return explain(error)
    return code if isinstance(code, int) else 0


def _check_verb(arguments: list[str]) -> None:
    """Refuse a verb that there is not; the parser would import them all to say so."""
    if arguments and not arguments[0].startswith("-") and arguments[0] not in VERBS:
        near = get_close_matches(arguments[0], VERBS, 1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise BadInputError(f"There is no command {arguments[0]!r}: {meant}'entrepot --help' lists them.", command=arguments[0])


def _noted(line: App, arguments: list[str]) -> AbstractContextManager[None]:
    """Return what has the audit know of a verb that shows or changes data; help and the rest are nothing to it."""
    names, apps, _ = line.parse_commands(arguments)
    if not names or names[0] in UNNOTED or names[-1].startswith("-") or apps[-1].default_command is None:
        return nullcontext()
    from entrepot.cli.noting import noted  # noqa: PLC0415  # imports the database's driver: help must not wait for it

    return noted(names, arguments)


def explain(error: BaseException) -> int:
    """Say on standard error what went wrong, in one sentence, and return the exit code that stands for it."""
    sentence, code = "", EXIT_BAD_INPUT
    if isinstance(error, CycloptsError):
        pass  # it has said so itself
    elif isinstance(error, EntrepotError):
        sentence, code = str(error), error.exit_code
    elif isinstance(error, KeyboardInterrupt):
        sentence, code = "Interrupted.", EXIT_INTERRUPTED
    elif isinstance(error, BrokenPipeError):
        # Whoever read us has gone; Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_BROKEN_PIPE
    elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
        where = f" for {error.filename}" if error.filename else ""
        sentence, code = f"No space is left on the disk{where}: free some and try again.", EXIT_DISK_FULL
    else:
        sentence, code = _unexpected(error), EXIT_UNEXPECTED
    if sentence:
        print(redact(sentence), file=sys.stderr)
    return code


def _unexpected(error: BaseException) -> str:
    home = Path(os.environ.get("ENTREPOT_HOME", ".entrepot")) / "logs"
    folder = home if os.access(home, os.W_OK) else Path(tempfile.gettempdir())
    path = folder / time.strftime("crash-%Y%m%dT%H%M%SZ.log", time.gmtime())
    path.write_text(redact("".join(traceback.format_exception(error))))
    return f"Something unexpected happened ({type(error).__name__}: {error}): please report it with {path}."
