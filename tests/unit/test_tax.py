"""Whose tax it is and how much of it: by destination, by reverse charge, none on exports, by state and province."""

import eu_vat_rates_data
import pytest

from entrepot.base.errors import BadInputError, VatIdRefusedError
from entrepot.commerce.checkout.quote import Quote
from entrepot.commerce.tax.rules import TaxAnswerWrongError, check_answer
from entrepot.partners.tax.port import TaxItem, TaxPart, TaxPlace, TaxQuestion
from tests.pricing import AT, ENGINE, asked, offer, quoted

FRENCH = "FR40303265045"


def owed(quote: Quote) -> dict[str, int]:
    """Return what each authority is owed."""
    found: dict[str, int] = {}
    for part in quote.taxes:
        found[part.jurisdiction] = found.get(part.jurisdiction, 0) + part.tax_minor
    return found


def test_a_price_that_includes_tax_stays_and_tells_the_tax_of_where_it_goes() -> None:
    home = quoted(asked({"tea": 1}, market="de"))
    abroad = quoted(asked({"tea": 1}, market="de", country="HU"))
    assert home.total_minor == abroad.total_minor == 1_495
    assert owed(home) == {"DE": 239}  # 19% in 14.95
    assert owed(abroad) == {"HU": 318}  # 27%


def test_reverse_charge_takes_the_tax_off_for_a_business_in_another_country_of_the_union() -> None:
    quote = quoted(asked({"tea": 1}, market="de", country="FR", vat_id=FRENCH))
    assert quote.lines[0].list_minor == 840  # 10.00 / 1.19
    assert owed(quote) == {}
    assert any("reverse charge" in step.sentence for step in quote.explained)


def test_a_business_at_home_or_with_an_id_of_home_pays_the_tax() -> None:
    assert owed(quoted(asked({"tea": 1}, market="de", vat_id=FRENCH))) == {"DE": 239}
    assert "FR" in owed(quoted(asked({"tea": 1}, market="de", country="FR", vat_id="DE136695976")))


def test_what_leaves_the_country_or_the_union_is_not_taxed() -> None:
    for request in (asked({"tea": 1}, market="de", country="CH"), asked({"tea": 1}, market="uk", country="FR")):
        quote = quoted(request)
        assert quote.tax_minor == 0
        assert quote.lines[0].list_minor < 1_000


@pytest.mark.parametrize(
    ("country", "postcode", "owed_to"),
    [("ES", "28001", {"ES"}), ("ES", "35001", set()), ("ES", "51 001", set()), ("FI", "22100", set()), ("MC", "98000", {"FR"})],
)
def test_what_the_map_says_is_not_always_where_the_vat_area_ends(country: str, postcode: str, owed_to: set[str]) -> None:
    quote = quoted(asked({"tea": 1}, market="de", country=country, postcode=postcode))
    assert set(owed(quote)) == owed_to


def test_reduced_rates_are_those_of_the_whole_country_and_ones_that_the_package_has() -> None:
    every = eu_vat_rates_data.get_all_rates()
    assert ENGINE._area.reduced_ppm
    for country, classes in ENGINE._area.reduced_ppm.items():
        listed = {*every[country]["reduced"], every[country]["super_reduced"]}
        assert {ppm / 10_000 for ppm in classes.values()} <= listed


def test_tax_on_top_is_a_charge_of_each_authority() -> None:
    us = quoted(asked({"tea": 1}, market="us", region="CA", shipping_method="standard"))
    assert [(c.kind, c.note, c.amount_minor) for c in us.charges] == [("postage", "standard", 579), ("tax", "US-CA", 114)]
    quebec = quoted(asked({"tea": 1}, market="ca", region="QC"), offers=[offer("tea", 1_000, delivery="digital")])
    assert owed(quebec) == {"CA": 50, "CA-QC": 100}  # 5% and 9.975%
    assert quebec.total_minor == 1_150


def test_the_tax_of_many_lines_is_rounded_once_and_shared_out() -> None:
    quote = quoted(asked({"tea": 1, "cup": 1, "pot": 1}, market="ca", region="AB"), offers=[
        offer(sku, 10, delivery="digital") for sku in ("tea", "cup", "pot")
    ])  # fmt: skip
    assert owed(quote) == {"CA": 2}  # 5% of 0.30 is 0.015, to even; 0.005 each would be nothing
    assert sorted(part.tax_minor for part in quote.taxes) == [0, 1, 1]


def test_an_estimate_tells_the_tax_once_the_region_is_known_and_an_order_needs_it() -> None:
    quote = quoted(asked({"tea": 1}, market="us", region="", estimate=True))
    assert (quote.taxes, quote.total_minor) == ([], 1_579)
    assert any("once the address names one" in step.sentence for step in quote.explained)
    with pytest.raises(BadInputError, match="goes by region"):
        quoted(asked({"tea": 1}, market="us", region=""))


def test_the_tax_class_of_an_article_decides_its_rate() -> None:
    book = offer("tea", 1_000, tax_class="reduced", delivery="digital")
    assert owed(quoted(asked({"tea": 1}, market="de"), offers=[book])) == {"DE": 65}  # 7% in 10.00
    exempt = offer("tea", 1_000, tax_class="exempt", delivery="digital")
    assert owed(quoted(asked({"tea": 1}, market="de"), offers=[exempt])) == {"DE": 0}


def test_a_market_without_a_country_reckons_no_tax_and_says_so() -> None:
    quote = quoted(asked({"tea": 1}, market="jp"))
    assert quote.taxes == []
    assert any("names no country" in step.sentence for step in quote.explained)


@pytest.mark.parametrize("vat_id", ["FR00303265045", "FR1", "XX123", "", "DE12345678901234567890123", "GB123456789", "☕☕"])
def test_a_vat_id_that_cannot_be_one_is_refused_with_the_reason(vat_id: str) -> None:
    with pytest.raises(VatIdRefusedError, match="is no VAT id"):
        quoted(asked({"tea": 1}, market="de", country="FR", vat_id=vat_id))


@pytest.mark.parametrize(("line", "tax_minor"), [(2, 1), (1, 11), (1, -1)])
def test_an_engine_that_answers_what_cannot_be_is_not_believed(line: int, tax_minor: int) -> None:
    question = TaxQuestion("DE", TaxPlace("DE"), "EUR", included=True, items=[TaxItem(1, 10)], at=AT)
    with pytest.raises(TaxAnswerWrongError):
        check_answer(question, [TaxPart(line, "DE", "VAT", 190_000, 8, tax_minor)])


def test_every_table_says_its_date_and_source() -> None:
    assert set(ENGINE.sources) == {"VAT", "US", "CA"}
    assert all("202" in source for source in ENGINE.sources.values())
