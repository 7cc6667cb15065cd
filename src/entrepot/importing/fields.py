"""Makes a row's fields as the mapping says: columns in, typed values out, or a sentence naming the column. Pure."""

import string
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from entrepot.base.errors import BadInputError
from entrepot.importing.mapping import Fields, FieldSpec, specs
from entrepot.importing.reading import Raw, named

Value = str | int | Decimal | datetime | date | list[str] | dict[str, object] | None
Maker = Callable[[Raw], Value]

_FORMS_KEPT = 1 << 16
_DIGITS_MAX = 40
# Exact for every product and sum of numbers of so many digits, so that sums never lose a penny.
EXACT = Context(prec=200)


class UnreadableFieldError(Exception):
    """A field of one row cannot be made; the text says of which column and why, and becomes the reason of the reject."""


def check_fields(fields: Fields, known: Mapping[str, str], required: Sequence[str], where: str) -> None:
    """Refuse fields that a section does not know, lacks, or that name neither column nor value."""
    for name, spec in specs(fields):
        if name not in known:
            raise BadInputError(f"{where} has the field {name!r}: it knows {', '.join(known)}.", field=name)
        if not spec.names() and spec.value is None and not spec.template:
            raise BadInputError(f"{where}: the field {name!r} names no column, columns, value or template.", field=name)
        if spec.type not in {"text", known[name]}:
            raise BadInputError(f"{where}: the field {name!r} is a {known[name]}, not a {spec.type}.", field=name)
        try:
            ZoneInfo(spec.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise BadInputError(f"{where}: {spec.zone!r} is no time zone: use one such as Europe/London.") from error
    for name in required:
        if name not in fields:
            raise BadInputError(f"{where} lacks the field {name!r}: say which column it is.", field=name)


def check_columns(needed: Sequence[str], there: Sequence[str], file: str) -> None:
    """Refuse a file that lacks columns which the mapping names."""
    missing = [name for name in needed if name not in there]
    if missing:
        raise BadInputError(
            f"{file} lacks the column {', '.join(map(repr, missing))} (it has {named(there)}): "
            f"give another file, or a mapping that fits with --mapping.",
            file=file,
            missing=missing,
        )


def makers(fields: Fields, types: Mapping[str, str]) -> dict[str, Maker]:
    """Return what makes each field; a field's type is its own, else the one that the section gives it."""
    return {
        name: _maker(msgspec.structs.replace(spec, type=types[name]) if spec.type == "text" else spec)
        for name, spec in specs(fields)
    }


def _maker(spec: FieldSpec) -> Maker:
    names = ", ".join(spec.names()) or "a constant"
    read, empty = _READERS[spec.type], _EMPTY.get(spec.type)

    plain = spec.type != "list" and spec == FieldSpec(column=spec.column, type=spec.type, zone=spec.zone, format=spec.format)

    def make(raw: Raw) -> Value:
        value = _said(raw, spec.column) if plain else _changed(spec, raw, _gather(spec, raw))
        if _empty(value):
            return empty
        if isinstance(value, str):
            value = value.strip()
        try:
            return read(spec, value)
        except (ValueError, InvalidOperation, OverflowError, msgspec.DecodeError, RecursionError) as error:
            raise UnreadableFieldError(f"column {names}: {str(value)[:80]!r} is no {spec.type}") from error

    return make


def _empty(value: object) -> bool:
    return value is None or value == ""


def _said(raw: Raw, column: str) -> object:
    value = raw.get(column)
    if isinstance(value, bytes):
        raise UnreadableFieldError(f"column {column}: its bytes are no text in UTF-8")
    return value


def _gather(spec: FieldSpec, raw: Raw) -> object:
    if spec.column:
        return _said(raw, spec.column)
    if spec.columns:
        parts = [str(raw[name]).strip() for name in spec.columns if not _empty(_said(raw, name))]
        return parts if spec.type == "list" else spec.join.join(parts)
    return spec.value


def _changed(spec: FieldSpec, raw: Raw, value: object) -> object:
    """Return the value as the mapping changes it; what is not text and is not asked to change stays what it is."""
    asked = spec.change or spec.map or spec.template
    if isinstance(value, list | dict) or not (asked or _empty(value)):
        return value
    text = "" if value is None else str(value).strip()
    if "upper" in spec.change:
        text = text.upper()
    if "lower" in spec.change:
        text = text.lower()
    text = spec.map.get(text, text)
    if spec.template and (text or not spec.names()):
        text = _fill(spec.template, raw, text)
    if not text and spec.default is not None:
        text = _fill(spec.default, raw, "")
    return text


def _fill(template: str, raw: Raw, value: str) -> str:
    """Fill ``{}`` with the value and ``{Column}`` with that column of the row."""
    try:
        return string.Formatter().vformat(template.replace("{}", "{value}"), (), {"value": value, **raw})
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableFieldError(f"the template {template!r} cannot be filled ({error})") from error


def _whole(_: FieldSpec, value: object) -> Value:
    number = as_decimal(value)
    if number != number.to_integral_value():
        raise ValueError(value)
    return int(number)


def _decimal(_: FieldSpec, value: object) -> Value:
    number = as_decimal(value)
    if not number.is_finite():
        raise ValueError(value)
    return number


def as_decimal(value: object) -> Decimal:
    """Return a number as it was meant: of a float, the 15 digits that it holds for sure, never its binary noise."""
    return _decimal_of(value if isinstance(value, int) else f"{value:.15g}" if isinstance(value, float) else str(value).strip())


@lru_cache(_FORMS_KEPT)
def _decimal_of(value: int | str) -> Decimal:
    number = Decimal(value)
    if number.is_finite() and (len(number.as_tuple().digits) > _DIGITS_MAX or abs(number.adjusted()) > _DIGITS_MAX):
        raise ValueError(value)
    return number


def _moment(spec: FieldSpec, value: object) -> Value:
    return _moment_of(value if isinstance(value, datetime) else str(value).strip(), spec.format, spec.zone)


@lru_cache(_FORMS_KEPT)
def _moment_of(value: datetime | str, form: str, zone: str) -> datetime:
    """Return the moment in UTC; one without a zone is on the clock of the mapping's zone."""
    if isinstance(value, str):
        value = datetime.strptime(value, form) if form else datetime.fromisoformat(value)  # noqa: DTZ007  # its zone follows below
    return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _date(spec: FieldSpec, value: object) -> Value:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    moment = _moment(spec, value)
    assert isinstance(moment, datetime)
    return moment.date()


def _list(spec: FieldSpec, value: object) -> Value:
    if isinstance(value, str):
        parts: Sequence[object] = value.split(spec.split) if spec.split else [value]
    elif isinstance(value, list):
        parts = value
    else:
        raise ValueError(value)  # noqa: TRY004  # the caller answers every unreadable value alike
    return [text for text in (str(part).strip() for part in parts if part is not None) if text]


def _attributes(spec: FieldSpec, value: object) -> Value:
    given = msgspec.json.decode(value, type=dict[str, object]) if isinstance(value, str) else value
    if not isinstance(given, dict):
        raise ValueError(value)  # noqa: TRY004  # the caller answers every unreadable value alike
    kept: dict[str, object] = {}
    for name, held in given.items():
        bare = next((name.removeprefix(p) for p in spec.strip_prefixes if name.startswith(p)), name)
        # Two attributes that differ in the prefix only (t_size, n_size): the second keeps its full name.
        plain = _plain(held)
        if plain is not None:
            kept[name if bare in kept else bare] = plain
    return kept


def _plain(held: object) -> object:
    if isinstance(held, float) and held.is_integer():
        return int(held)
    if isinstance(held, list):
        return ", ".join(str(part) for part in held)
    return held if isinstance(held, str | int | float | bool) else None


_READERS: Mapping[str, Callable[[FieldSpec, object], Value]] = {
    "text": lambda _, value: str(value),
    "whole": _whole,
    "decimal": _decimal,
    "moment": _moment,
    "date": _date,
    "list": _list,
    "attributes": _attributes,
}
_EMPTY: Mapping[str, Value] = {"text": ""}
