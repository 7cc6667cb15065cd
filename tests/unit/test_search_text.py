"""What of a product is searched by which words, and how far two words are apart."""

import pytest

from entrepot.engines.search.languages import analyzer_of, is_stop_word, spaced
from entrepot.projections.product_search.text import code_forms, head_of, specs_of, spoken_in


@pytest.mark.parametrize(
    ("title", "brand", "model", "attributes", "head"),
    [
        ("Targus Laptop Case notebook case Black", "Targus", "Laptop Case", ["Black"], "case"),
        ("Logitech MX1000 mouse RF Wireless Laser", "Logitech", "MX1000", ["RF Wireless", "Laser"], "mouse"),
        ("Kensington Gel Mouse Pad Blue", "Kensington", "Gel Mouse Pad Blue", ["Blue"], "Pad"),
        (
            "HP Photosmart 735 digital camera with Instant Share",
            "HP",
            "Photosmart 735 digital camera with Instant Share",
            [],
            "camera",
        ),
        ("Xerox 006R90321 toner cartridge Original Black", "Xerox", "006R90321", ["Original", "Black"], "cartridge"),
        ("Sony 12345", "Sony", "12345", [], ""),
        ("", "", "", [], ""),
    ],
)
def test_the_head_of_a_title_is_what_the_thing_is(title: str, brand: str, model: str, attributes: list[str], head: str) -> None:
    assert head_of(title, brand, model, attributes, "en") == head


def test_in_french_the_noun_comes_first() -> None:
    assert head_of("Acme souris sans fil", "Acme", "", [], "fr-FR") == "souris"


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("006R90321", {"006R90321", "006", "90321"}),
        ("dv7-1211ea", {"dv7-1211ea", "dv71211ea", "1211"}),
        ("T.V.", {"T.V", "TV"}),
        ("plain words", set()),
    ],
)
def test_a_code_is_kept_as_written_closed_and_in_pieces(text: str, forms: set[str]) -> None:
    assert set(code_forms([text])) == forms


def test_attributes_are_said_as_words() -> None:
    assert specs_of({"colour": "Red", "bluetooth": True, "camera": False, "usb_ports": 4.0}) == "Red\nbluetooth\n4 usb ports"


def test_a_text_is_given_in_the_locale_or_its_language_or_as_it_is() -> None:
    texts = {"en": "colour", "en-US": "color", "fr": "couleur"}
    assert [spoken_in(locale, texts) for locale in ("en-US", "en-GB", "fr-CA", "ja")] == [
        "color",
        "colour",
        "couleur",
        "colour",
    ]


def test_unspaced_scripts_are_cut_into_pairs_and_others_left() -> None:
    assert spaced("無線マウス USB").split() == ["無線", "線マ", "マウ", "ウス", "USB"]
    assert spaced("plain ASCII") == "plain ASCII"


def test_words_that_only_join_others_are_known_by_language() -> None:
    spoken = [("for", "en-GB"), ("cable", "en"), ("für", "de"), ("for", "ja"), ("с", "ru")]  # noqa: RUF001  # Cyrillic
    assert [is_stop_word(word, locale) for word, locale in spoken] == [True, False, True, False, True]


def test_a_locale_picks_the_analyzer_by_its_language() -> None:
    assert [analyzer_of(locale) for locale in ("pt-BR", "zh-Hant-TW", "NO", "pl")] == [
        "portuguese",
        "folded",
        "norwegian",
        "folded",
    ]
