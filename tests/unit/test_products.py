"""One table says which product plays a role; settings, drivers and the table name the same schemes."""

import pytest

from entrepot.base.errors import BadInputError
from entrepot.engines.products import PRODUCTS, driver, product
from entrepot.engines.search.tantivy import TantivyStore
from entrepot.settings import OUTSIDE, SCHEMES


def test_settings_take_exactly_the_schemes_that_some_product_plays() -> None:
    roles = {each.role for each in PRODUCTS}
    played = {role: sorted(name for each in PRODUCTS if each.role == role for name in each.schemes) for role in roles}
    known = {**SCHEMES, **OUTSIDE}
    assert played == {role: sorted(known[role]) for role in roles}


def test_the_scheme_picks_the_driver() -> None:
    assert isinstance(driver("search", "tantivy:///somewhere"), TantivyStore)
    assert product("search", "elasticsearchs://here").name == "Elasticsearch"


def test_a_scheme_that_the_role_does_not_know_is_refused_without_its_password() -> None:
    with pytest.raises(BadInputError, match=r"the search engine knows tantivy, elasticsearch, elasticsearchs\.") as refused:
        product("search", "solr://me:word@here")
    assert "word" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("elasticsearch://here?shards=0", "shards"),
        ("elasticsearch://here?sharks=1", "sharks"),
        ("elasticsearch://here?prefix=Shop", "prefix"),
        ("elasticsearchs://here?ca=/nowhere/ca.pem", "certificate"),
    ],
)
def test_an_option_that_cannot_be_meant_is_named(url: str, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        driver("search", url)
