"""What looks like a card number is refused however it is written; what merely has many digits is not."""

import json
from urllib.parse import quote, quote_plus
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.api.cards import CardNumberRefusedError, as_text, refuse_cards, refuse_cards_in_address
from entrepot.base.cards import is_gtin, looks_like_card

# The issuers' own test numbers, which everybody knows.
CARDS = [
    *("4242424242424242", "4000056655665556", "5555555555554444", "2223003122003222", "378282246310005"),
    *("6011111111111117", "3056930009020004", "36227206271667", "6555900000604105", "3566002020360505", "6200000000000005"),
]


def with_check_digit(digits: str) -> str:
    """Return digits with the check digit that Luhn wants."""
    total = sum(sum(divmod(int(one) * (1 if place % 2 else 2), 10)) for place, one in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def gtin(digits: str) -> str:
    """Return digits with a GTIN's check digit."""
    return next(digits + last for last in "0123456789" if is_gtin(digits + last))


def refused(text: str | bytes) -> bool:
    try:
        refuse_cards("body", text if isinstance(text, bytes) else text.encode())
    except CardNumberRefusedError as error:
        return not any(card in str(error) + str(dict(error.facts)) for card in CARDS)
    return False


@pytest.mark.parametrize("card", CARDS)
def test_a_known_card_number_is_refused_in_any_spelling(card: str) -> None:
    fours = [card[at : at + 4] for at in range(0, len(card), 4)]
    spellings = [
        card,
        " ".join(fours),
        "-".join(fours),
        ".".join(fours),
        "\u00a0".join(fours),
        "\u200b".join(card),
        "\u00ad".join(fours),
    ]
    assert looks_like_card(card)
    assert all(refused(json.dumps({"note": f"my card {one}, thanks"})) for one in spellings)
    assert all(refused(json.dumps({"note": one}, ensure_ascii=False)) for one in spellings)
    assert refused(json.dumps({"number": int(card)}))
    assert refused("".join(chr(ord(one) + 0xFEE0) for one in card))  # the wide digits of East Asian keyboards
    assert refused("".join(f"\\u{ord(one):04x}" for one in card))


@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_is_refused_in_a_query_a_form_a_path_and_a_header(card: str) -> None:
    fours = " ".join(card[at : at + 4] for at in range(0, len(card), 4))
    for spelt in (card.encode(), quote(fours).encode(), quote_plus(fours).encode()):
        with pytest.raises(CardNumberRefusedError):
            refuse_cards_in_address("/v1/search", b"q=" + spelt, [])
        assert refused(as_text(b"a=1&note=" + spelt))
    with pytest.raises(CardNumberRefusedError):
        refuse_cards_in_address(f"/v1/orders/{card}", b"", [])
    with pytest.raises(CardNumberRefusedError):
        refuse_cards_in_address("/", b"", [(b"x", b"1"), (b"idempotency-key", card.encode())])


def test_the_refusal_names_the_field_and_says_what_to_do() -> None:
    with pytest.raises(CardNumberRefusedError, match=r"field note.*send the token") as caught:
        refuse_cards("body", b'{"contact": {"name": "J"}, "lines": [{"note": "4242 4242 4242 4242"}]}')
    assert dict(caught.value.facts) == {"place": "body", "field": "note"}
    assert "4242" not in str(caught.value)


@given(st.sampled_from(["4", "51", "55", "2221", "2720"]), st.text("0123456789", min_size=14, max_size=14))
def test_any_number_of_a_great_issuer_is_refused(issuer: str, rest: str) -> None:
    card = with_check_digit((issuer + rest)[:15])
    assert refused(f'{{"reference": "{card}"}}')
    assert refused(f"12/29 {card[:4]} {card[4:8]} {card[8:12]} {card[12:]} 123")


@given(st.text("0123456789", min_size=12, max_size=12))
def test_a_barcode_is_no_card(digits: str) -> None:
    assert not refused(json.dumps({"barcodes": [gtin(digits)], "sku": gtin(digits), "q": gtin(digits)}))
    assert not refused(json.dumps({"gtin": gtin("3" + digits)}))


@given(st.uuids())
def test_an_id_is_no_card(one: UUID) -> None:
    assert not refused(f'{{"id": "{one}", "at": "/v1/orders/{one}", "hex": "pay_{one.hex}", "key": "order-{one}"}}')


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 10**12))
def test_a_decimal_or_an_amount_is_no_card(number: float, minor: int) -> None:
    assert not refused(f'{{"latitude": {abs(number) % 1:.17f}, "amount_minor": {minor}}}')


@pytest.mark.parametrize(
    "text",
    [
        *("+49 1512 3456789", "+4915123456789", "2026-11-22 19:29:20.123456", "1763839760123", "1763839760123456789"),
        *("GB29 NWBK 6016 1331 9268 19", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "4111 1111 1111 1112"),
        *("4242", "42424242424242424242424242424242", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-4242424242424242-01"),
        *("48.85837009999999", "1.2.3.4", "01234567890123456789", "sku-4242424242424242x", "0000000000000000"),
    ],
)
def test_other_numbers_are_no_cards(text: str) -> None:
    assert not refused(json.dumps({"text": text}))
