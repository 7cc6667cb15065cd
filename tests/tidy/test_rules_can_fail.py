"""Every house rule is able to fail: planted text that breaks it is found, at its line, and its better form is not."""

import pytest

from tests.tidy import python_rules, text_rules
from tests.tidy.finding import Rule

LONG_FUNCTION = "def f():\n" + "    pass\n" * 50
LONG_TEST = "def test_a_thing_is_so():\n" + "    pass\n" * 25
OPT_OUT = "x = 1  # no" + "qa: S101"
QUERY = "src/entrepot/projections/sales/query.py"
MACHINE = "see /" + "tmp/x"

PLANTED: list[tuple[Rule, str, str, int, str]] = [
    # rule, path, text that breaks it, at which line, text that keeps it
    (python_rules.empty_names, "src/entrepot/a.py", "\nclass AbstractStore: ...", 2, "class Store: ..."),
    (python_rules.empty_names, "src/entrepot/a.py", "class OrderService: ...", 1, "class ServiceLevel: ..."),
    (python_rules.long_functions, "src/entrepot/a.py", LONG_FUNCTION, 1, LONG_FUNCTION[:-9]),
    (python_rules.module_docstring, "src/entrepot/a.py", "x = 1", 1, '"""What it owns."""'),
    (python_rules.pure_rules, "rules.py", "x = 1\nasync def f(): ...", 2, "def f(): ..."),
    (python_rules.deciding_commands, "commands.py", "if order.state == 'x': ...", 1, "if rows: ..."),
    (python_rules.deciding_commands, "commands.py", "x = 1 if total_minor else 2", 1, "x = 1 if found else 2"),
    (python_rules.deciding_commands, "commands.py", "match line.quantity:\n  case 0: ...", 1, "match kind:\n  case 0: ..."),
    (python_rules.commits_outside_record, "src/entrepot/api/a.py", "async with c.transaction(): ...", 1, "await f(tx)"),
    (python_rules.commits_outside_record, "x/commands.py", "record.transaction(1)", 1, "tx.append([])"),
    (python_rules.commits_outside_record, "src/entrepot/api/a.py", "c.commit()", 1, "self._record.transaction(cell)"),
    (python_rules.commits_outside_record, "src/entrepot/api/a.py", "c.execute('COMMIT')", 1, "say('COMMITTED')"),
    (python_rules.sql_in_strings, "src/entrepot/api/a.py", "q = 'SELECT a FROM b '", 1, "q = 'SELECT pg_notify($1)'"),
    (python_rules.sql_in_strings, "src/entrepot/api/a.py", "q = f'UPDATE {t} SET a = 1'", 1, "q = 'Update what is set'"),
    (python_rules.sql_in_strings, QUERY, "f'SELECT {a} FROM b '", 1, "f'SELECT {_A} FROM {{b}} '"),
    (python_rules.sql_in_strings, "src/entrepot/api/a.py", "q = 'INSERT INTO a VALUES (1)'", 1, "'''INSERT INTO is SQL.'''"),
    (python_rules.float_near_money, "src/entrepot/a.py", "def pay(unit_price: float): ...", 1, "def pay(unit_minor: int): ..."),
    (python_rules.float_near_money, "src/entrepot/a.py", "class A:\n    total: float", 2, "class A:\n    ratio: float"),
    (python_rules.float_near_money, "src/entrepot/a.py", "def total() -> float | None: ...", 1, "def total() -> int: ..."),
    (python_rules.clock_or_chance, "src/entrepot/api/a.py", "import time\ntime.time()", 2, "time.monotonic()"),
    (python_rules.clock_or_chance, "src/entrepot/api/a.py", "datetime.datetime.now(UTC)", 1, "clock.millis()"),
    (python_rules.clock_or_chance, "src/entrepot/api/a.py", "uuid.uuid4()", 1, "ids.fresh()"),
    (python_rules.clock_or_chance, "src/entrepot/engines/a.py", "time.time()", 1, "uuid4()"),
    (python_rules.clock_or_chance, "src/entrepot/api/a.py", "random.choice(x)", 1, "rng.choice(x)"),
    (python_rules.sleep_in_tests, "tests/test_a.py", "await asyncio.sleep(1)", 1, "def until(ready): sleep(0.1)"),
    (python_rules.sleep_in_tests, "tests/test_a.py", "time.sleep(0.1)", 1, "await asyncio.sleep(0)"),
    (python_rules.shape_of_tests, "tests/test_a.py", "def test_cancel_2(): ...", 1, "def test_a_thing_is_so(): ..."),
    (python_rules.shape_of_tests, "tests/test_a.py", LONG_TEST, 1, LONG_TEST[:-9]),
    (python_rules.log_events, "src/entrepot/a.py", "log.info('it went well')", 1, "log.info('order.placed', id=1)"),
    (python_rules.log_events, "src/entrepot/a.py", "log.info('a.b', email='x')", 1, "math.log.real('prose')"),
    (python_rules.bare_opt_outs, "src/entrepot/a.py", OPT_OUT, 1, OPT_OUT + "  # limits are asserted"),
    (python_rules.bare_opt_outs, "src/entrepot/a.py", "x = 1  # type: " + "ignore", 1, "x = 1  # the type is a guess"),
    (text_rules.machine_path, "a.md", MACHINE, 1, "see ./x and https://a.example/" + "tmp/x"),
    (text_rules.polluted_prototypes, "a.js", "kept[told.name] = told;", 1, "kept.set(told.name, told); first = list[0];"),
    (text_rules.polluted_prototypes, "a.js", "x.__proto__.y = 1", 1, "const [a, b] = list; if (x[y] === z) go(...a);"),
    (
        text_rules.polluted_prototypes,
        "a.js",
        "Object.assign(kept, told);",
        1,
        "Object.assign(document.createElement('p'), {});",
    ),
    (text_rules.named_queries, "store.sql", "SELECT 1;\n", 1, "-- Title.\n\n-- name: one\n-- Returns a number.\nSELECT 1;\n"),
    (text_rules.named_queries, "store.sql", "-- Title.\n-- name: one\nSELECT 1;", 2, "-- only a comment\n"),
    (text_rules.named_queries, "store.sql", "-- name: a b\n-- Is well.\nSELECT 1;", 1, ""),
    (text_rules.migration, "m/0001_x.sql", "SET lock_timeout = '1s';", 1, ""),
    (text_rules.migration, "m/0001_pre_x.sql", "CREATE TABLE t ();", 1, "SET lock_timeout = '1s';"),
    (text_rules.long_file, "src/a.py", "x\n" * 401, 401, "x\n" * 400),
]


@pytest.mark.parametrize(
    ("rule", "path", "bad", "line", "good"), PLANTED, ids=[f"{r.__name__}-{b[:24]}" for r, _, b, _, _ in PLANTED]
)
def test_a_planted_fault_is_found_at_its_line(rule: Rule, path: str, bad: str, line: int, good: str) -> None:
    assert [finding.line for finding in rule(path, bad)] == [line]
    if good:
        assert list(rule(path, good)) == []


@pytest.mark.parametrize("room", ["src/entrepot/record/a.py", "src/entrepot/engines/documents/a.py"])
def test_the_rooms_that_own_transactions_may_open_them(room: str) -> None:
    assert list(python_rules.commits_outside_record(room, "async with c.transaction(): ...")) == []


def test_a_file_called_utils_is_found_by_its_name() -> None:
    assert [str(f) for f in python_rules.empty_names("src/entrepot/utils.py", "")]
    assert [str(f) for f in python_rules.empty_names("src/entrepot/helpers/a.py", "")]


def test_links_and_anchors_of_a_page_are_read() -> None:
    text = '# One `two`: three\n[a](b.md#c) ![p](d.svg) [w](https://e.example)\n<img src="e.svg">\n```\n[no](f.md)\n```\n'
    assert list(text_rules.links(text)) == [(2, "b.md#c"), (2, "d.svg"), (3, "e.svg")]
    assert text_rules.anchors(text) == {"one-two-three"}
