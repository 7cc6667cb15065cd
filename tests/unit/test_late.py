"""A package that is named late is loaded when something of it is asked for, and not before."""

import sys
from collections.abc import Iterator

import pytest

from entrepot.base.late import Late, load_all

PACKAGE = "wsgiref.types"  # small, of Python's own, and used by nothing here


@pytest.fixture
def package() -> Iterator[Late]:
    sys.modules.pop(PACKAGE, None)
    yield Late(PACKAGE)
    sys.modules.pop(PACKAGE, None)


def test_nothing_is_loaded_until_something_is_asked_for(package: Late) -> None:
    assert PACKAGE not in sys.modules
    asked = package.WSGIApplication
    assert asked is sys.modules[PACKAGE].WSGIApplication


def test_what_a_package_has_not_is_missed_by_its_own_name(package: Late) -> None:
    with pytest.raises(AttributeError, match=r"wsgiref\.types.*nothing_of_it"):
        package.nothing_of_it  # noqa: B018  # to ask is what is tested


def test_who_answers_requests_has_all_loaded_before(package: Late) -> None:
    load_all()
    assert PACKAGE in sys.modules
    assert package.WSGIApplication
