"""What looks like a card number: the one rule, for what comes in and for what is kept. Pure; remembers and tells no number.

The rule, its exceptions and what it misses are in docs/reference/card-numbers.md. One cheap search over the raw bytes is all
that ordinary data costs; the rest runs only where it found digits.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# Every digit as 0, all else as x: once separators are left out, thirteen zeros in a row are all that need be looked for.
_SHAPE = bytes(ord("0") if chr(byte).isdecimal() and byte < 128 else ord("x") for byte in range(256))  # noqa: PLR2004  # ASCII
_SEPARATORS = b" .-"
_THIRTEEN = b"0" * 13
_RUN = re.compile(rb"[0-9]+(?:[ .\-][0-9]+)*")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_LAST_WORD = re.compile(rb"[0-9A-Za-z]*$")
_FIRST_WORD = re.compile(rb"[0-9A-Za-z]*")
_DIGIT = re.compile(rb"[0-9]")
_IBAN = re.compile(rb"(?:^|[^0-9A-Za-z])[A-Za-z]{2}[0-9]{2} $")
_NAME = re.compile(rb"""["']?([A-Za-z_][A-Za-z_.]{0,39})["']?\s*[:=]\s*[\["']*[^"'&:=]*$""")

# Issuers by their first digits, with the lengths that they issue.
_ISSUERS: tuple[tuple[re.Pattern[str], frozenset[int]], ...] = (
    (re.compile("4"), frozenset({13, 16, 19})),  # Visa
    (re.compile("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), frozenset({16})),  # Mastercard
    (re.compile("3[47]"), frozenset({15})),  # American Express
    (re.compile("30[0-5]|3095|3[689]"), frozenset({14, 16, 19})),  # Diners Club
    (re.compile("6011|64[4-9]|65|62|60|508"), frozenset({16, 17, 18, 19})),  # Discover, UnionPay, RuPay
    (re.compile("35(?:2[89]|[3-8])"), frozenset({16, 17, 18, 19})),  # JCB
    (re.compile("5018|5020|5038|5893|6304|6759|676[1-3]"), frozenset(range(13, 20))),  # Maestro
    (re.compile("220[0-4]"), frozenset({16, 17, 18, 19})),  # Mir
)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_DIGITS_MIN, _DIGITS_MAX = 13, 19
_GTIN_13, _GTIN_14 = 13, 14
_BARCODE_FIELDS = re.compile(r"(?:bar_?codes?|gtins?|eans?|upcs?|isbns?|skus?|codes?|q)$", re.IGNORECASE)
_GROUPS_OF_FOUR = 4
_CONTEXT_BYTES = 128

# How far a card number may reach, its separators written as escapes.
CARD_BYTES = 256


def where_cards_are(raw: bytes) -> Iterator[str]:
    """Yield, for each number that looks like a card's, the name of the field it stands in (empty where none is told)."""
    if b"\\u" in raw or not raw.isascii():
        raw = _plain(raw)
    if _THIRTEEN in raw.translate(_SHAPE, _SEPARATORS):
        yield from _found(raw)


def looks_like_card(digits: str) -> bool:
    """Say whether digits have an issuer's first digits and length, and Luhn's check digit."""
    return any(len(digits) in lengths and issuer.match(digits) for issuer, lengths in _ISSUERS) and _luhn(digits)


def is_gtin(digits: str) -> bool:
    """Say whether digits have a GTIN's check digit: threes and ones in turn from the right, which Luhn is not."""
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0


def _plain(raw: bytes) -> bytes:
    """Return the text with JSON's escapes resolved, and digits and spaces of other alphabets as ASCII has them."""
    text = raw.decode("utf-8", "replace")
    if "\\u" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    foreign = {ord(letter): written for letter in set(text) if letter > "\x7f" and (written := _ascii(letter)) is not None}
    return (text.translate(foreign) if foreign else text).encode("utf-8", "replace")


@lru_cache(4_096)
def _ascii(letter: str) -> str | None:
    """Return how ASCII writes a foreign letter that is a digit, a space, a dash, or not seen at all; for others None."""
    digit = unicodedata.digit(letter, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(letter)
    if category == "Cf":  # a soft hyphen, a joiner: nobody sees it
        return ""
    return "-" if category == "Pd" else " " if letter.isspace() else None


def _found(raw: bytes) -> Iterator[str]:
    """Yield, for each number that looks like a card's, the name of the field it stands in (empty where none is told)."""
    for run in _RUN.finditer(raw):
        if run.end() - run.start() < _DIGITS_MIN:
            continue
        before, after = raw[max(run.start() - _CONTEXT_BYTES, 0) : run.start()], raw[run.end() : run.end() + _CONTEXT_BYTES]
        for digits, plain in _numbers(run[0].decode(), before, after):
            if looks_like_card(digits):
                name = _NAME.search(before)
                field = name[1].decode() if name else ""
                if not (plain and _is_barcode(digits, field)):
                    yield field


def _is_barcode(digits: str, field: str) -> bool:
    """Say whether a number is a GTIN-13 by its check digit, or a GTIN-14 by that and by the field it stands in."""
    named = len(digits) == _GTIN_14 and _BARCODE_FIELDS.search(field)
    return bool(len(digits) == _GTIN_13 or named) and is_gtin(digits)


def _numbers(run: str, before: bytes, after: bytes) -> Iterator[tuple[str, bool]]:
    """Yield the numbers that a run of digits and separators may be meant as, and whether each is written without separators.

    Words of the run (between spaces) count alone and together; what a letter or an id beside the run touches counts not at all.
    """
    touched_before = before.endswith(b"+") or _touches(before, _LAST_WORD, -1)
    touched_after = _touches(after, _FIRST_WORD, 0)
    words = run.split(" ")
    free = words[touched_before : len(words) - touched_after]
    if touched_before and _IBAN.search(before[-3:] + words[0].encode() + b" "):
        return
    for first in range(len(free)):
        digits = ""
        for word in free[first:]:
            digits += _digits_of(word)
            if len(digits) > _DIGITS_MAX:
                break
            if len(digits) >= _DIGITS_MIN:
                yield digits, digits == word
    groups = re.split("[ .-]", run)
    groups = groups[touched_before : len(groups) - touched_after]
    for first in range(len(groups) - _GROUPS_OF_FOUR + 1):
        four = groups[first : first + _GROUPS_OF_FOUR]
        if {len(group) for group in four} == {_GROUPS_OF_FOUR}:
            yield "".join(four), False


def _digits_of(chain: str) -> str:
    """Return the digits of groups joined by hyphens or dots; one dot alone is a decimal point: what is before it counts."""
    if chain.count(".") == 1 and "-" not in chain:
        chain = chain.partition(".")[0]
    return chain.replace("-", "").replace(".", "")


def _touches(beside: bytes, word: re.Pattern[bytes], end: int) -> bool:
    """Say whether what is beside a run makes it part of a longer name: a letter, or a hyphen and then a word with digits."""
    if not beside:
        return False
    edge = beside[end:] if end else beside[:1]
    if edge.isalnum() or edge == b"_":
        return True
    if edge != b"-":
        return False
    rest = beside[:-1] if end else beside[1:]
    found = word.search(rest) if end else word.match(rest)
    return bool(found and _DIGIT.search(found[0]))


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        total += _DOUBLED[value] if place % 2 else value
    return total % 10 == 0
