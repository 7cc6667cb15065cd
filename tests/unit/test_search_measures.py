"""What a ranking is worth by ratings."""

import pytest

from entrepot.base.errors import BadInputError
from entrepot.bench.search_quality import asked, measures

RATINGS = {"a": 3, "b": 2, "c": 0}


def test_the_best_order_is_worth_one_by_every_measure() -> None:
    assert measures(RATINGS, ["a", "b", "c"]) == pytest.approx(
        {"nDCG@10": 1.0, "nDCG'@10": 1.0, "MRR@10": 1.0, "recall@100": 1.0, "judged@10": 0.3, "empty": 0.0}
    )


def test_what_nobody_rated_costs_ndcg_and_not_the_condensed_one() -> None:
    measured = measures(RATINGS, ["x", "a", "b"])
    assert measured["nDCG@10"] < 1.0
    assert measured["nDCG'@10"] == pytest.approx(1.0)
    assert measured["MRR@10"] == pytest.approx(0.5)


def test_a_query_without_a_relevant_product_counts_for_no_ranking_measure() -> None:
    assert measures({"a": 0}, []) == {"judged@10": 0.0, "empty": 1.0}


def test_engines_of_another_role_are_not_judged() -> None:
    assert list(asked(["search=elasticsearchs://search.example"]).urls) == ["elasticsearchs://search.example"]
    with pytest.raises(BadInputError, match="search-quality measures search engines, not 'graph'"):
        asked(["graph=neo4j://graph.example"])
