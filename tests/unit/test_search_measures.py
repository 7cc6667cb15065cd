"""What a ranking is worth by ratings."""

import itertools
import math
from statistics import fmean

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from entrepot.base.errors import BadInputError
from entrepot.bench.search_quality import asked, measures

ORDERS_MAX = 500
RATINGS = {"a": 3, "b": 2, "c": 0}


def test_the_best_order_is_worth_one_by_every_measure() -> None:
    assert measures(RATINGS, [["a"], ["b"], ["c"]]) == pytest.approx(
        {"nDCG@10": 1.0, "nDCG'@10": 1.0, "MRR@10": 1.0, "recall@100": 1.0, "judged@10": 0.3, "empty": 0.0}
    )


def test_what_nobody_rated_costs_ndcg_and_not_the_condensed_one() -> None:
    measured = measures(RATINGS, [["x"], ["a"], ["b"]])
    assert measured["nDCG@10"] < 1.0
    assert measured["nDCG'@10"] == pytest.approx(1.0)
    assert measured["MRR@10"] == pytest.approx(0.5)


def test_a_query_without_a_relevant_product_counts_for_no_ranking_measure() -> None:
    assert measures({"a": 0}, []) == {"judged@10": 0.0, "empty": 1.0}


@given(
    codes=st.permutations("abcdefghijklmno"),
    sizes=st.lists(st.sampled_from([1, 1, 1, 1, 2, 3]), max_size=12),
    rated=st.dictionaries(st.sampled_from("abcdefghijklmno"), st.integers(0, 3), min_size=1),
)
def test_equals_are_worth_the_mean_of_every_order_that_they_may_stand_in(
    codes: list[str], sizes: list[int], rated: dict[str, int]
) -> None:
    assume(math.prod(map(math.factorial, sizes)) <= ORDERS_MAX)
    left = iter(codes)
    ranked = [list(itertools.islice(left, size)) for size in sizes]
    orders = [itertools.chain(*order) for order in itertools.product(*map(itertools.permutations, ranked))]
    each = [measures(rated, [[code] for code in order]) for order in orders]
    assert measures(rated, ranked) == pytest.approx({name: fmean(one[name] for one in each) for name in each[0]})


def test_engines_of_another_role_are_not_judged() -> None:
    assert list(asked(["search=elasticsearchs://search.example"]).urls) == ["elasticsearchs://search.example"]
    with pytest.raises(BadInputError, match="search-quality measures search engines, not 'graph'"):
        asked(["graph=neo4j://graph.example"])
