"""Whatever form a value was written in, it is found: wherever it begins, however long the text around it is."""

import base64
from urllib.parse import quote_plus
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.privacy.rules import Waiting, searched, waits_for
from entrepot.privacy.scan.looking import Looking
from entrepot.privacy.scan.needles import Needles

NAME = "Zoë Quandt-O'Hara"
FORMS = {
    "plain": NAME.encode(),
    "capitals": NAME.upper().encode(),
    "JSON": b"Zo\\u00eb Quandt-O'Hara",
    "HTML": b"Zo\xc3\xab Quandt-O&#x27;Hara",
    "URL": quote_plus(NAME).encode(),
    "quoted-printable": b"Zo=C3=AB Quandt-O'Hara",
    "UTF-16": NAME.encode("utf-16-le"),
    "hexadecimal": NAME.encode().hex().encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_value_is_found_in_every_form(form: str) -> None:
    assert Needles([NAME]).look(b"\x00 before " + FORMS[form] + b" after")


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_a_value_is_found_in_base64_wherever_it_begins(before: bytes, after: bytes) -> None:
    assert Needles([NAME]).look(base64.b64encode(before + NAME.encode() + after))


@given(st.integers(1, 40))
def test_a_value_that_lies_across_two_pieces_is_found(cut: int) -> None:
    looking = Looking("test", Needles([NAME]), ids=False)
    data, piece = b"x" * 20 + NAME.encode() + b"y" * 20, looking.pieces("here")
    piece(data[:cut])
    piece(data[cut:])
    assert looking.end().findings


def test_an_id_counts_only_where_it_must_not_be() -> None:
    subject = uuid4()
    for ids in (True, False):
        looking = Looking("test", Needles([], [subject]), ids=ids)
        looking.look("here", f"order of {subject}".encode())
        assert bool(looking.end().findings) is ids


def test_what_points_to_thousands_is_not_searched_for() -> None:
    contact = '{"email": "a@b.example", "name": "Al", "address": {"line1": "1 High St", "city": "York", "country": "GB"}}'
    assert searched([("ordering.contact.sealed", contact)]) == ["1 High St", "a@b.example"]


def test_what_is_under_way_is_named_with_what_to_do() -> None:
    assert waits_for(Waiting(checkouts=0, subscriptions=0, returns=0, disputes=0, holds=0)) == ""
    assert waits_for(Waiting(checkouts=0, subscriptions=2, returns=0, disputes=0, holds=0)) == (
        "2 subscriptions under way: cancel them and let them end"
    )
