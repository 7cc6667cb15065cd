"""What is asked of `bench engines`, and how its figures are told and written."""

from datetime import date

import pytest

from entrepot.base.errors import BadInputError
from entrepot.bench.engines import matrix, run
from entrepot.bench.engines.figures import Subject
from entrepot.bench.engines.measure import Measured


def measured(warm: float, p50: float) -> Measured:
    return Measured(
        unit="products",
        amount=100,
        cold=warm / 2,
        warm=warm,
        rebuilt_seconds=0.5,
        p50=p50,
        p99=2 * p50,
        p99_beside=3 * p50,
        memory_bytes=500_000_000,
        disk_bytes=None,
        back_seconds=None,
    )


FOUND = [
    Subject(role="search", name="tantivy", version="1", embedded=True, measured=measured(8_000, 4)),
    Subject(role="search", name="Elasticsearch", version="9", measured=measured(4_000, 20)),
    Subject(role="documents", name="MongoDB"),
]


def ask(*, roles: list[str] | None = None, products: list[str] | None = None, share: float = 1.0) -> run.Asked:
    return run.asked(roles, products, None, share=share, kill=False, write=False)


def test_without_a_role_those_of_the_products_are_measured_else_all() -> None:
    assert ask(products=["search=elasticsearch://:key@here"]).roles == ("search",)
    assert ask().roles == run.ROLES


@pytest.mark.parametrize(
    ("roles", "products", "share", "says"),
    [
        (["record"], None, 1.0, "nothing to measure of the role 'record'"),
        (None, ["search"], 1.0, "names no role and value"),
        (None, ["search=bolt://here"], 1.0, "the search engine knows tantivy"),
        (["graph"], ["search=elasticsearch://here"], 1.0, "leaves that role out"),
        (None, None, 0.0, "share of 0"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_starts(
    roles: list[str] | None, products: list[str] | None, share: float, says: str
) -> None:
    with pytest.raises(BadInputError, match=says):
        ask(roles=roles, products=products, share=share)


def test_a_product_stands_beside_the_embedded_one_and_its_target() -> None:
    rows = {row.name: row for row in run.rows(FOUND)}
    caught_up = rows["search: Elasticsearch, catching up"]
    assert (caught_up.reference, caught_up.ratio, caught_up.target, caught_up.met) == (8_000, 0.5, 3_000, True)
    assert rows["search: Elasticsearch, question p50"].met is False
    assert "search: tantivy, on disk, three generations" not in rows


def test_a_product_that_was_not_given_says_which_command_fills_its_row() -> None:
    row = next(row for row in run.rows(FOUND) if "MongoDB" in row.name)
    assert row.value is None
    assert "entrepot bench engines --role documents --product documents=mongodb://" in row.note


def test_a_table_replaces_the_older_one_of_its_role_alone() -> None:
    page = "a\n<!-- measured: search -->\nof yesterday\n<!-- /measured -->\n"
    page += "b\n<!-- measured: graph -->\nkept\n<!-- /measured -->\n"
    table = matrix.table(FOUND[:2], date(2026, 11, 23), (1.5, 2.5))
    once = matrix.replaced(page, "search", table)
    assert matrix.replaced(once, "search", table) == once
    assert "yesterday" not in once
    assert "kept" in once
    assert "| Elasticsearch 9 | 2,000 (0.5x) / 4,000 (0.5x) products/s | 20 (5x) / 40 (5x) ms | 60 (5x) ms |" in once


def test_a_role_without_a_mark_on_the_page_is_told() -> None:
    with pytest.raises(BadInputError, match="measured: memory"):
        matrix.replaced("no marks", "memory", "")
