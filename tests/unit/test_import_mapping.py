"""A mapping file is refused by the key that is wrong; the right one is found by name or by the columns of a file."""

from decimal import Decimal
from pathlib import Path

import pytest

from entrepot.base.errors import BadInputError, NotFoundError
from entrepot.importing.data import find_data
from entrepot.importing.documents import Stepper
from entrepot.importing.fields import UnreadableFieldError, check_columns, makers
from entrepot.importing.mapping import FieldSpec, OrdersMapping, Rule, guess_mapping, load_mapping, parse_mapping
from entrepot.importing.pace import Pace, parse_pace
from entrepot.importing.rows import RowReader, Rules
from entrepot.settings import Engines, Settings

FIELDS = {"document": "doc", "article": "sku", "quantity": "n", "amount": "sum", "at": "at"}


def orders(**more: object) -> OrdersMapping:
    return OrdersMapping(**{"fields": FIELDS, "market": "uk", "currency": "GBP", **more})  # type: ignore[arg-type]  # one field is wrong on purpose


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = 'x'\n[orders]\nmarket = 1", r"Expected `str`, got `int` - at `\$\.orders\.market`"),
        ("name = 'x'\ncolour = 'red'", "unknown field `colour`"),
        ("name =", "is not TOML"),
        ("about = 'x'", "missing required field `name`"),
        ("name = '../../x'", r"Expected `str` matching regex .* - at `\$\.name`"),
        ("name = 'x'\ndelimiter = '||'", r"length <= 1 - at `\$\.delimiter`"),
        ("name = 'x'\n[products]\nmarket = 'm'\ncurrency = 'EUR'\nopening = { pieces = -5 }", "`int` >= 0"),
    ],
)
def test_a_wrong_mapping_is_refused_by_its_key(text: str, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        parse_mapping(text, "my.toml")


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        (orders(fields={**FIELDS, "colour": "c"}), "has the field 'colour'"),
        (orders(fields={"article": "sku"}), "lacks the field 'document'"),
        (orders(fields={**FIELDS, "unit_price": "p"}), "needs one of the fields unit_price and amount"),
        (orders(fields={**FIELDS, "at": FieldSpec(column="at", zone="Mars/Olympus")}), "is no time zone"),
        (orders(currency="XXY"), "is no ISO 4217 currency"),
    ],
)
def test_fields_that_cannot_be_read_are_refused(mapping: OrdersMapping, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        RowReader(mapping, "my.toml")


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (Rule(when=["colour = red"], becomes="line"), "has the condition 'colour = red'"),
        (Rule(when=["quantity ~ 1"], becomes="line"), "compares quantity with ~"),
        (Rule(when=["quantity < few"], becomes="line"), "compares quantity with < 'few'"),
        (Rule(when=["article ~ ("], becomes="line"), "is no regular expression"),
        (Rule(when=["article < B"], becomes="line"), "compares the text article by '<'"),
        (Rule(when=[], becomes="charge"), "a charge has a kind"),
        (Rule(when=[], becomes="reject"), "rejects without a reason"),
    ],
)
def test_rules_that_mean_nothing_are_refused(rule: Rule, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        Rules(orders(rules=[rule]), "my.toml")


def test_the_mapping_of_a_file_is_guessed_from_its_columns() -> None:
    icecat = tuple(load_mapping("icecat").columns("products"))
    assert guess_mapping("products", (*icecat, "more"), "file").name == "icecat"
    with pytest.raises(BadInputError, match=r"No mapping fits the columns of file \(a, b\)"):
        guess_mapping("orders", ("a", "b"), "file")


def test_an_unknown_mapping_names_those_there_are() -> None:
    with pytest.raises(NotFoundError, match="complete-journey, google-taxonomy, icecat, online-retail"):
        load_mapping("nix")


def test_a_missing_column_is_named_with_those_there_are() -> None:
    with pytest.raises(BadInputError, match=r"f\.csv lacks the column 'b' \(it has a, c\)"):
        check_columns(["a", "b"], ["a", "c"], "f.csv")


def test_every_shipped_mapping_of_orders_can_be_used() -> None:
    for name in ("online-retail", "complete-journey"):
        mapping = load_mapping(name).orders
        assert mapping is not None
        Stepper(mapping, name)


def test_a_float_is_the_decimal_that_it_was_written_as() -> None:
    make = makers({"price": "p"}, {"price": "decimal"})["price"]
    assert make({"p": 0.1 + 0.2}) == Decimal("0.3")
    with pytest.raises(UnreadableFieldError, match="column p: 'cheap' is no decimal"):
        make({"p": "cheap"})
    with pytest.raises(UnreadableFieldError):
        make({"p": "1e999999"})


@pytest.mark.parametrize("template", ["{value[a]}", "{p:>5}", "{gone}", "{0}"])
def test_a_template_that_cannot_be_filled_rejects_the_row_and_names_itself(template: str) -> None:
    make = makers({"code": FieldSpec(column="id", template=template)}, {"code": "text"})["code"]
    with pytest.raises(UnreadableFieldError, match=r"the template .* cannot be filled"):
        make({"id": "1", "p": None})


def test_attributes_lose_their_prefixes_unless_two_would_be_one() -> None:
    spec = FieldSpec(column="a", type="attributes", strip_prefixes=["t_", "n_"])
    make = makers({"attributes": spec}, {"attributes": "attributes"})["attributes"]
    assert make({"a": '{"t_size": "big", "n_size": 6.0, "n_width": 2.5}'}) == {"size": "big", "n_size": 6, "width": 2.5}


def test_a_speed_is_a_rate_or_a_multiple_of_real_time() -> None:
    assert [parse_pace(text) for text in ("0", "200", "3600x")] == [Pace(), Pace(per_second=200), Pace(times=3600)]
    for text in ("fast", "9" * 400, "-1"):
        with pytest.raises(BadInputError, match=f"'{text}' is no speed"):
            parse_pace(text)


def test_data_is_looked_for_where_the_settings_say(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, engines=Engines(), data=tmp_path)
    with pytest.raises(NotFoundError, match="holds neither online_retail"):
        find_data(settings, {})
    (tmp_path / "online_retail.parquet").touch()
    assert [file.mapping.name for file in find_data(settings, {}).orders] == ["online-retail"]
