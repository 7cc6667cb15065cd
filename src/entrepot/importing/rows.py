"""One row of orders, read by the mapping and classified by its rules. Pure."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final, get_args

from babel import Locale
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError
from entrepot.base.money import currency
from entrepot.commerce.ordering.events import ChargeKind
from entrepot.importing.fields import EXACT, Maker, UnreadableFieldError, as_decimal, check_fields, makers
from entrepot.importing.mapping import Class, Countries, OrdersMapping, Rule
from entrepot.importing.reading import Raw, Row

TYPES: Final[Mapping[str, str]] = {
    "document": "text",
    "article": "text",
    "title": "text",
    "quantity": "whole",
    "unit_price": "decimal",
    "amount": "decimal",
    "at": "moment",
    "customer": "text",
    "country": "text",
}
_CONDITION = re.compile(r"\s*(\w+)\s*(!~|~|<=|>=|!=|=|<|>)\s*(.*?)\s*")
_NUMBERS: Final = {"quantity", "unit_price", "amount"}
_ORDERINGS: Final[Mapping[str, Callable[[Decimal, Decimal], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class OrderRow(Struct, kw_only=True):
    """A row as the rules see it. ``priced`` says "yes" when some row of its document costs something."""

    line: int
    raw: Raw
    document: str
    article: str
    title: str
    quantity: int
    unit_price: Decimal
    amount: Decimal
    at: datetime
    customer: str
    country: str
    priced: str = "yes"


class Unread(Struct, frozen=True):
    """A row that no document can hold: it is rejected, and counts with what it would have cost, if that can be read."""

    line: int
    raw: Raw
    reason: str
    amount: Decimal


class Verdict(Struct, frozen=True):
    """What a row becomes, and why when it becomes nothing."""

    becomes: Class
    kind: ChargeKind | None = None
    because: str = ""


_LINE: Final = Verdict("line")

Condition = Callable[[OrderRow], bool]


class RowReader:
    """Reads rows of orders; one per run, since it remembers what the codes of this file were taken for."""

    def __init__(self, mapping: OrdersMapping, where: str) -> None:
        check_fields(mapping.fields, TYPES, ("document", "article", "quantity", "at"), where)
        if ("unit_price" in mapping.fields) == ("amount" in mapping.fields):
            raise BadInputError(f"{where} needs one of the fields unit_price and amount: say which column it is.")
        currency(mapping.currency)
        self._make: Mapping[str, Maker] = makers(mapping.fields, TYPES)
        self._per_piece = "unit_price" in mapping.fields
        self._country = _countries(mapping.countries)
        self._default_country = mapping.countries.default

    def read(self, row: Row) -> OrderRow | Unread:
        """Return the row's fields, or why they cannot be read."""
        if row.broken:
            return Unread(row.line, row.raw, row.broken, Decimal(0))
        try:
            return self._read(row)
        except UnreadableFieldError as error:
            return Unread(row.line, row.raw, str(error), self._worth(row.raw))

    def _read(self, row: Row) -> OrderRow:
        made = {name: make(row.raw) for name, make in self._make.items()}
        for name in ("document", "article", "quantity", "at"):
            if made[name] is None or made[name] == "":
                raise UnreadableFieldError(f"the {name} is missing")
        quantity, price, amount = made["quantity"], made.get("unit_price"), made.get("amount")
        assert isinstance(quantity, int)
        if self._per_piece:
            if not isinstance(price, Decimal):
                raise UnreadableFieldError("the unit_price is missing")
            amount = EXACT.multiply(price, quantity)
        elif not isinstance(amount, Decimal):
            raise UnreadableFieldError("the amount is missing")
        else:
            price = amount / quantity if quantity else Decimal(0)
        if abs(quantity) > limits.QUANTITY_MAX or abs(amount) > limits.MINOR_MAX:
            raise UnreadableFieldError(f"{quantity} pieces for {amount} are out of range")
        at, customer = made["at"], made.get("customer")
        assert isinstance(at, datetime)
        return OrderRow(
            line=row.line,
            raw=row.raw,
            document=str(made["document"]),
            article=str(made["article"]),
            title=str(made.get("title") or ""),
            quantity=quantity,
            unit_price=price,
            amount=amount,
            at=at,
            customer=str(customer or ""),
            country=self._country_of(str(made.get("country") or "")),
        )

    def _country_of(self, name: str) -> str:
        code = self._country.get(name.casefold()) if name else self._default_country
        if code is None:
            raise UnreadableFieldError(f"the country {name!r} is not known: add it to [orders.countries.names]")
        return code

    def _worth(self, raw: Raw) -> Decimal:
        try:
            if not self._per_piece:
                return as_decimal(self._make["amount"](raw))
            return EXACT.multiply(as_decimal(self._make["unit_price"](raw)), as_decimal(self._make["quantity"](raw)))
        except (UnreadableFieldError, InvalidOperation, ValueError):
            return Decimal(0)


class Rules:
    """The mapping's rules, ready to be asked about rows.

    What a rule says of the article alone is asked once per article, so that a row meets only the few rules left for it.
    """

    def __init__(self, mapping: OrdersMapping, where: str) -> None:
        self._credit = compile_conditions(mapping.credit_notes, f"{where}, credit_notes")
        self._rules = [_compile(rule, f"{where}, rule {n}") for n, rule in enumerate(mapping.rules, 1)]
        self._of_article: dict[str, list[tuple[Sequence[Condition], Verdict]]] = {}

    def is_credit_note(self, row: OrderRow) -> bool:
        """Say whether the row's document owes money back rather than asks for it."""
        return bool(self._credit) and all(condition(row) for condition in self._credit)

    def classify(self, row: OrderRow) -> Verdict:
        """Return what the row becomes: by the first rule that fits; else a plain sale is a line, and the rest is rejected."""
        rules = self._of_article.get(row.article)
        if rules is None:
            if len(self._of_article) >= _SEEN_MAX:
                self._of_article.clear()
            rules = self._of_article[row.article] = [
                (others, verdict) for about, others, verdict in self._rules if all(condition(row) for condition in about)
            ]
        for conditions, verdict in rules:
            for condition in conditions:
                if not condition(row):
                    break
            else:
                return verdict
        if row.quantity > 0 and row.amount >= 0:
            return _LINE
        return Verdict("reject", because=f"no rule says what {row.quantity} pieces at {row.unit_price} are")


def compile_conditions(texts: Iterable[str], where: str) -> Sequence[Condition]:
    """Return conditions such as ``article ~ POST|DOT`` or ``quantity < 0``, or refuse one that means nothing."""
    return [_condition(text, where) for text in texts]


def _compile(rule: Rule, where: str) -> tuple[Sequence[Condition], Sequence[Condition], Verdict]:
    """Return the conditions on the article, the others, and the verdict."""
    if (rule.becomes == "charge") != (rule.kind is not None):
        kinds = ", ".join(get_args(ChargeKind))
        raise BadInputError(
            f"{where} becomes a {rule.becomes} of kind {rule.kind}: a charge has a kind ({kinds}), others none."
        )
    if rule.becomes == "reject" and not rule.because:
        raise BadInputError(f"{where} rejects without a reason: say why in 'because'.")
    about = [text for text in rule.when if text.split()[:1] == ["article"]]
    others = [text for text in rule.when if text not in about]
    verdict = Verdict(rule.becomes, rule.kind, rule.because)
    return compile_conditions(about, where), compile_conditions(others, where), verdict


def _condition(text: str, where: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if not found or found[1] not in {*TYPES, "priced"}:
        raise BadInputError(
            f"{where} has the condition {text!r}: write <field> <~ !~ = != < <= > >=> <value>, such as 'quantity < 0'."
        )
    name, sign, value = found.groups()
    if name in _NUMBERS:
        return _number_condition(name, sign, value, where)
    if sign in {"~", "!~"}:
        return _pattern_condition(name, sign, value, where)
    if sign not in {"=", "!="} or name == "at":
        raise BadInputError(f"{where} compares the text {name} by {sign!r}: use =, !=, ~ or !~.")
    wanted = sign == "="
    return lambda row: (getattr(row, name) == value) is wanted


def _number_condition(name: str, sign: str, value: str, where: str) -> Condition:
    try:
        bound, holds = Decimal(value), _ORDERINGS[sign]
    except (InvalidOperation, KeyError) as error:
        raise BadInputError(f"{where} compares {name} with {sign} {value!r}: use = != < <= > >= and a number.") from error
    return lambda row: holds(getattr(row, name), bound)


def _pattern_condition(name: str, sign: str, value: str, where: str) -> Condition:
    try:
        pattern = re.compile(value)
    except re.error as error:
        raise BadInputError(f"{where} has the pattern {value!r}, which is no regular expression: {error}.") from error
    seen: dict[str, bool] = {}
    wanted = sign == "~"

    def holds(row: OrderRow) -> bool:
        text = getattr(row, name)
        if text not in seen:
            if len(seen) >= _SEEN_MAX:
                seen.clear()
            seen[text] = (pattern.fullmatch(text) is not None) is wanted
        return seen[text]

    return holds


_SEEN_MAX: Final = 1 << 16


def _countries(countries: Countries) -> Mapping[str, str]:
    """Return country codes by name: the mapping's own, English territory names, and the codes themselves."""
    territories = {code: name for code, name in Locale("en").territories.items() if len(code) == 2 and code.isalpha()}  # noqa: PLR2004  # alpha-2
    known = {code.casefold(): code for code in territories}
    known.update({name.casefold(): code for code, name in territories.items()})
    known.update({name.casefold(): code for name, code in countries.names.items()})
    return known
