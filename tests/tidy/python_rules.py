"""The house rules for Python that ruff, mypy and import-linter do not know: each from a file's text to its findings.

Rules are pure, so that ``test_rules_can_fail.py`` can plant what each must find. They read the syntax tree, not the
running code, and are therefore approximate: where one is wrong about good code, mend the rule, not the code.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import PurePath

from tests.tidy.finding import Finding

FUNCTION_LINES_MAX = 50
TEST_LINES_MAX = 25
TEST_WORDS_MIN = 4

_EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "service", "services"}
_EMPTY_CLASS = re.compile(r"^Abstract|(Utils?|Helpers?|Common|Manager|Service)$")
_MONEY_OR_STATE = {"minor", "amount", "price", "total", "money", "available", "stock", "quantity", "state", "left", "currency"}
_MONEY = {"minor", "amount", "price", "money", "cost", "total", "charge"}
_SQL = re.compile(
    r"^\s*(SELECT\s.*\sFROM|INSERT\s+INTO|UPDATE\s.*\sSET|DELETE\s+FROM|WITH\s.*\sAS|MERGE\s+INTO|(CREATE|ALTER|DROP|TRUNCATE)\s+[A-Z]+)\s",
    re.DOTALL,
)
_COMMITS = re.compile(r"^\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT)\b")
_CLOCKS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
_CHANCE = {
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid1",
    "uuid4",
    "uuid7",
    "uuid_utils.uuid4",
    "uuid_utils.uuid7",
    "compat.uuid4",
    "compat.uuid7",
}
_LOG_CALLS = {"debug", "info", "warning", "error", "exception", "critical"}
_LOG_EVENT = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")
_PERSONAL = {"name", "address", "email", "card", "token", "password", "phone"}
_OPT_OUT = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b(?P<codes>:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|\[[^\]]*\])?(?P<why>.*)$")


def in_room(path: str, *rooms: str) -> bool:
    """Say whether the file lies in one of these rooms of the package (``record``) or files (``base/ids.py``)."""
    return any(path.startswith(f"src/entrepot/{room}/") or path == f"src/entrepot/{room}" for room in rooms)


def empty_names(path: str, text: str) -> Iterable[Finding]:
    """Find names that say nothing: utils, helpers, common, manager, service, Abstract*."""
    for part in PurePath(path).with_suffix("").parts:
        if part in _EMPTY_NAMES:
            yield Finding(path, 1, f"the name {part!r} says nothing: name the thing it holds")
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.ClassDef) and _EMPTY_CLASS.search(node.name):
            yield Finding(path, node.lineno, f"the class name {node.name} says nothing: name the thing it holds")


def long_functions(path: str, text: str) -> Iterable[Finding]:
    """Find functions that do not fit a screen."""
    for node in _functions(text):
        lines = _lines(node)
        if lines > FUNCTION_LINES_MAX:
            yield Finding(path, node.lineno, f"{node.name} has {lines} lines, {FUNCTION_LINES_MAX} fit a screen: split it")


def module_docstring(path: str, text: str) -> Iterable[Finding]:
    """Find modules that do not open with what they own and must not do."""
    if not ast.get_docstring(_tree(text)):
        yield Finding(path, 1, "the module has no docstring: say what it owns and must not do")


def pure_rules(path: str, text: str) -> Iterable[Finding]:
    """Find a rules.py that waits for something; it decides in pure code."""
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.Await | ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith):
            yield Finding(path, node.lineno, "rules.py decides in pure code: read first in commands.py, and pass what was read")


def deciding_commands(path: str, text: str) -> Iterable[Finding]:
    """Find decisions about money, stock or state in commands.py: an if, match or conditional whose test names one.

    Approximate: it looks for the words of ``_MONEY_OR_STATE`` among the parts of the names in the test, so a decision under
    another name passes, and a loop's ``while`` is not looked at.
    """
    for node in ast.walk(_tree(text)):
        test = node.test if isinstance(node, ast.If | ast.IfExp) else node.subject if isinstance(node, ast.Match) else None
        words = {part for name in _names(test) for part in name.lower().split("_")} & _MONEY_OR_STATE if test else set()
        if test and words:
            yield Finding(path, test.lineno, f"commands.py decides about {', '.join(sorted(words))}: decide it in rules.py")


def commits_outside_record(path: str, text: str) -> Iterable[Finding]:
    """Find transactions that are not record's; engines keep those of their own stores.

    ``record.transaction(...)`` is how the outermost caller asks for one; a command, a store or a rule is given its own.
    """
    if in_room(path, "record", "engines", "local"):
        return
    inner = PurePath(path).name in {"commands.py", "store.py", "rules.py"}
    for node in ast.walk(_tree(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        given = not inner and ast.unparse(node.func.value).endswith("record")
        if node.func.attr in {"transaction", "commit"} and not given:
            yield Finding(path, node.lineno, f".{node.func.attr}() outside record/: a command is given its transaction")
    for line, literal in _literals(text):
        if _COMMITS.search(literal):
            yield Finding(path, line, "a statement that begins or ends a transaction outside record/")


def sql_in_strings(path: str, text: str) -> Iterable[Finding]:
    """Find SQL that names a table outside the .sql files; only the engines' drivers speak it themselves.

    A projection's query.py speaks its engine's language too, put together from constants alone: values are bound.
    """
    if in_room(path, "engines", "local"):
        return
    asks_an_engine = in_room(path, "projections") and PurePath(path).name == "query.py"
    for line, literal in _literals(text):
        if _SQL.search(literal) and not (asks_an_engine and "{}" not in literal):
            yield Finding(path, line, f"SQL in a string ({literal.split()[0]} ...): move it to a .sql file")


def float_near_money(path: str, text: str) -> Iterable[Finding]:
    """Find names of money that are annotated with float; money is whole minor units."""
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.AnnAssign):
            name, annotation = ast.unparse(node.target), node.annotation
        elif isinstance(node, ast.arg) and node.annotation:
            name, annotation = node.arg, node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            name, annotation = node.name, node.returns
        else:
            continue
        if _MONEY & set(re.split(r"[_.]", name.lower())) and "float" in _names(annotation):
            yield Finding(path, node.lineno, f"{name} is money and a float: use whole minor units, or Decimal at the edge")


def clock_or_chance(path: str, text: str) -> Iterable[Finding]:
    """Find what reads the clock or chance by itself; both come in as arguments.

    Engines may take a random name for what nobody else will ever name: a session, a folder on its way to its place.
    """
    if in_room(path, "base/time.py", "base/ids.py", "cli", "local", "bench"):
        return
    forbidden = _CLOCKS if in_room(path, "engines") else _CLOCKS | _CHANCE
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            tail = ".".join(called.split(".")[-2:])
            if tail in forbidden or called.startswith(("random.", "secrets.")):
                yield Finding(path, node.lineno, f"{called}() reads the clock or chance: take a Clock or an IdSource")


def sleep_in_tests(path: str, text: str) -> Iterable[Finding]:
    """Find tests that sleep; only what waits on a condition with a deadline, and says so in its name, may poll.

    ``sleep(0)`` waits for nothing: it gives the event loop its turn.
    """
    waiting = (function for function in _functions(text) if function.name.startswith(("until", "wait", "_until", "_wait")))
    polls = {id(node) for function in waiting for node in ast.walk(function)}
    for node in ast.walk(_tree(text)):
        if not isinstance(node, ast.Call) or id(node) in polls:
            continue
        if ast.unparse(node.func).split(".")[-1] == "sleep" and [ast.unparse(given) for given in node.args] != ["0"]:
            yield Finding(path, node.lineno, "a test sleeps: wait on a condition with a deadline")


def shape_of_tests(path: str, text: str) -> Iterable[Finding]:
    """Find tests whose name is no sentence, or whose body does not fit a glance."""
    for node in _functions(text):
        if not node.name.startswith("test_"):
            continue
        words = len([word for word in node.name.split("_")[1:] if word])
        if words < TEST_WORDS_MIN:
            yield Finding(path, node.lineno, f"{node.name} is no sentence ({words} words): say what is true")
        if _lines(node) > TEST_LINES_MAX:
            yield Finding(
                path, node.lineno, f"{node.name} has {_lines(node)} lines, {TEST_LINES_MAX} at most: one reason to fail"
            )


def log_events(path: str, text: str) -> Iterable[Finding]:
    """Find log lines that are prose, or carry what is personal."""
    for node in ast.walk(_tree(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LOG_CALLS):
            continue
        if ast.unparse(node.func.value).split(".")[-1] not in {"log", "_log", "logger"}:
            continue
        event = node.args[0] if node.args else None
        if not (isinstance(event, ast.Constant) and _LOG_EVENT.match(str(event.value))):
            yield Finding(
                path, node.lineno, 'a log line is prose: log an event, such as log.info("order.cancelled", order_id=...)'
            )
        for keyword in node.keywords:
            if keyword.arg in _PERSONAL:
                yield Finding(path, node.lineno, f"a log line carries {keyword.arg!r}, which is personal: log the id instead")


def bare_opt_outs(path: str, text: str) -> Iterable[Finding]:
    """Find opt-outs from a checker without the rule's code or a reason."""
    for number, line in enumerate(text.splitlines(), start=1):
        found = _OPT_OUT.search(line)
        if found and (not found["codes"] or not re.search(r"\w{3}", found["why"])):
            yield Finding(
                path, number, "an opt-out without its code or its reason: name the code, and after it why it is right here"
            )


@lru_cache(maxsize=512)
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


def _functions(text: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _names(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr


def _literals(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each string, without docstrings; what an f-string fills in stands as ``{}``, unless a constant."""
    tree = _tree(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(_filled(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose | parts:
            yield node.lineno, node.value


def _filled(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    value = part.value if isinstance(part, ast.FormattedValue) else part
    return value.id if isinstance(value, ast.Name) and value.id.isupper() else "{}"
