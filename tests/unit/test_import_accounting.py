"""Whatever the rows are: each is in exactly one class, and the sums of the classes are the sum of the file."""

from collections.abc import Sequence
from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from entrepot.importing.accounting import Ledger, Report, check
from entrepot.importing.articles import History
from entrepot.importing.credit import Purchases
from entrepot.importing.documents import Stepper
from entrepot.importing.fields import EXACT
from entrepot.importing.mapping import load_mapping
from entrepot.importing.plans import Planner
from entrepot.importing.products import _Products
from entrepot.importing.reading import Row
from tests.imports import COLUMNS, QUIRKS, Line

RETAIL = load_mapping("online-retail")

lines = st.tuples(
    st.sampled_from(["536365", "536366", "C536367", "C536368", "A536369", ""]),
    st.sampled_from(["85123A", "85123a", "22139", "POST", "M", "D", "XYZ", "GIFT_0001_10", ""]),
    st.sampled_from(["WHITE HEART", "damages?", None]),
    st.one_of(st.integers(-100, 100), st.sampled_from(["six", None, "1.5", 10**9])),
    st.sampled_from(["2010-12-01 08:26:00", "2010-12-01 09:00:00", "2010-12-02 10:00:00", "yesterday"]),
    st.one_of(st.decimals(-100, 100, places=3), st.sampled_from([0, 0.001, "free", None, "NaN", "1e400"])),
    st.sampled_from([17850, 13047, None]),
    st.sampled_from(["United Kingdom", "EIRE", "Atlantis"]),
)


def as_rows(sheet: Sequence[Line]) -> list[Row]:
    return [Row(n, dict(zip(COLUMNS, line, strict=True))) for n, line in enumerate(sheet, 1)]


@given(st.lists(lines, max_size=40))
def test_any_rows_are_each_in_one_class_and_sum_up(sheet: list[Line]) -> None:
    assert RETAIL.orders is not None
    report = Report(kind="orders", source="x", file="x", currency="GBP")
    ledger, planner, purchases = Ledger(report), Planner("x", RETAIL.orders), Purchases()
    seen: list[int] = []
    for step in Stepper(RETAIL.orders, "x", rows_max=10).steps(as_rows(sheet)):
        for reject in step.rejects:
            ledger.reject(reject.amount, reject.reason)
            seen.append(reject.line)
        for document in step.documents:
            order = planner.order(document)
            if order is not None:
                purchases.remember(document, order.id, order.lines)
            for plan in (order, planner.credit(document, purchases), planner.stock(document)):
                for judged in plan.rows if plan else ():
                    ledger.book(judged, plan.account(judged) if plan else "", planner.minor(judged))
                    seen.append(judged.row.line)
    check(report)
    assert sorted(seen) == list(range(1, len(sheet) + 1))


@given(st.lists(lines, max_size=40))
def test_what_is_owed_back_is_what_the_rows_say_to_the_penny(sheet: list[Line]) -> None:
    assert RETAIL.orders is not None
    planner, purchases = Planner("x", RETAIL.orders), Purchases()
    for step in Stepper(RETAIL.orders, "x").steps(as_rows(sheet)):
        for document in step.documents:
            if (order := planner.order(document)) is not None:
                purchases.remember(document, order.id, order.lines)
                assert order.request.placed_at == document.at
            if (note := planner.credit(document, purchases)) is not None and note.cancels is None:
                owed = sum(line.amount_minor or 0 for back in note.returns for line in back.lines)
                charged = sum(charge.amount_minor for back in note.returns for charge in back.charges)
                assert owed + charged == -sum(planner.minor(judged) for judged in note.rows)


@given(st.lists(lines, max_size=40))
def test_the_opening_stock_is_enough_and_not_more_than_all_that_goes(sheet: list[Line]) -> None:
    history = History(RETAIL)
    for _ in history.read(as_rows(sheet)):
        pass
    for code, article in history.articles.items():
        gone = sum(abs(line[3]) for line in sheet if isinstance(line[3], int) and str(line[1]).upper() == code)
        assert 0 <= -article.lowest <= gone
        assert article.level >= article.lowest


@given(st.lists(st.decimals(-(10**12), 10**12, places=6), max_size=50))
def test_sums_are_exact_whatever_the_numbers(amounts: list[Decimal]) -> None:
    report = Report(kind="orders", source="x", file="x", currency="GBP")
    for amount in amounts:
        Ledger(report).reject(amount, "no")
    with localcontext(EXACT):
        assert report.sum == sum(amounts, Decimal(0))


def test_rows_that_cannot_be_read_are_given_on_before_they_fill_the_memory() -> None:
    assert RETAIL.orders is not None
    unread = [Row(line, {}, "broken") for line in range(25)]
    steps = list(Stepper(RETAIL.orders, "here", rows_max=10).steps(unread))
    assert [step.rows for step in steps] == [10, 10, 5]


def test_a_document_is_whole_whatever_cannot_be_read_among_its_rows() -> None:
    assert RETAIL.orders is not None
    first, second = as_rows([QUIRKS[0], QUIRKS[1]])
    rows = [first, *(Row(line, {}, "broken") for line in range(25)), second]
    (step,) = Stepper(RETAIL.orders, "here", rows_max=10).steps(rows)
    assert [len(document.rows) for document in step.documents] == [2]


def test_of_what_was_sold_the_oldest_is_forgotten_before_it_fills_the_memory() -> None:
    assert RETAIL.orders is not None
    planner, purchases = Planner("x", RETAIL.orders), Purchases(kept_max=2)
    sold = [(f"{n}", "71053", "LANTERN", 1, f"2010-12-0{n} 09:00:00", 3.39, n, "Spain") for n in (1, 2, 3)]
    back = [(f"C{n}", "71053", "LANTERN", -1, "2010-12-09 09:00:00", 3.39, n, "Spain") for n in (1, 3)]
    cancelled = []
    for step in Stepper(RETAIL.orders, "x").steps(as_rows([*sold, *back])):
        for document in step.documents:
            if (order := planner.order(document)) is not None:
                purchases.remember(document, order.id, order.lines)
            if (note := planner.credit(document, purchases)) is not None:
                cancelled.append(note.cancels is not None)
    assert cancelled == [False, True]


def test_a_product_that_comes_again_is_refused_unless_it_came_too_long_ago_to_be_remembered() -> None:
    products = _Products(load_mapping("icecat"), {}, remembered_max=2)
    rows = [Row(line, {"id": code, "title": "x"}) for line, code in enumerate(["a", "b", "a", "c", "a"], 1)]
    (batch,) = products.batches(iter(rows))
    assert [item.line for item in batch.items] == [1, 2, 4, 5]
    assert [reject.reason for reject in batch.rejects] == ["the product 'icecat-a' came already, in line 1"]
