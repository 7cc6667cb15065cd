"""Our own tax engine: EU VAT by destination (OSS) and by reverse charge, the UK and neighbours, states and provinces.

It decides from tables that say their date and source; it keeps nothing and asks nobody. It knows no product's own tax law
beyond the class that the product has: ``standard``, ``reduced``, ``reduced-low``, ``super-reduced``, ``zero``, ``exempt``.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.resources import files
from typing import TypeVar

import eu_vat_rates_data
import msgspec
from msgspec import Struct

from entrepot.base.errors import BadInputError
from entrepot.base.money import apportion, rounded
from entrepot.partners.tax import vat_ids
from entrepot.partners.tax.port import TaxItem, TaxPart, TaxPlace, TaxQuestion, Treatment

MILLION = 1_000_000
TAX_CLASSES = ("standard", "reduced", "reduced-low", "super-reduced", "zero", "exempt")
REGIONAL = ("us_states.json", "ca_provinces.json")

Table = TypeVar("Table")

_UNTAXED = frozenset({"zero", "exempt"})


class Levy(Struct, frozen=True):
    """What one authority takes."""

    jurisdiction: str
    name: str
    rate_ppm: int


class RegionTable(Struct, frozen=True):
    """The levies of each region of a country, with the day and the source they were taken from."""

    country: str
    as_of: str
    source: str
    leaves_out: str
    regions: Mapping[str, Sequence[Levy]]


class Area(Struct, frozen=True):
    """What the union's VAT area is not, though the map says so: postcodes beyond it, countries taxed like another.

    ``reduced_ppm`` has the reduced rates of countries where the package also lists those of single regions.
    """

    as_of: str
    source: str
    beyond: Mapping[str, Sequence[str]]
    alike: Mapping[str, str]
    reduced_ppm: Mapping[str, Mapping[str, int]]


class RegionalTax:
    """The engine with its tables read."""

    def __init__(self) -> None:
        self._regions = {table.country: table for table in (_table(name, RegionTable) for name in REGIONAL)}
        self._area = _table("eu_area.json", Area)
        every = eu_vat_rates_data.get_all_rates()
        self._vat = {of: {**_by_class(rate), **self._area.reduced_ppm.get(of, {})} for of, rate in every.items()}
        self._members = frozenset(country for country, rate in every.items() if rate["eu_member"])
        self.sources = {
            "VAT": f"eu-vat-rates-data {eu_vat_rates_data.data_version}; {self._area.source}, {self._area.as_of}"
        } | {table.country: f"{table.source}, {table.as_of}" for table in self._regions.values()}

    def treat(self, home: str, to: TaxPlace, vat_id: str | None) -> Treatment:
        """Return on what ground a sale from home is taxed."""
        buyer = None if vat_id is None else vat_ids.country_of(vat_id)
        if home not in self._vat and home not in self._regions:
            why = f"there is no tax table for {home}" if home else "the market names no country"
            return Treatment("untaxed", f"{why}, so no tax is reckoned")
        there = self._taxed_as(to)
        if there == home and home in self._regions and not to.region:
            return Treatment("unknown", f"the tax in {home} goes by region: it is known once the address names one")
        if there == home:
            table = self._regions.get(home) if to.region else None
            told = f", by what holds in all of {to.region}; not reckoned: {table.leaves_out}" if table else ""
            return Treatment("domestic", f"taxed at home in {home}{told}")
        if home in self._members and there in self._members:
            if buyer in self._members and buyer != home:
                sentence = (
                    f"reverse charge: the buyer with the VAT id of {buyer} accounts for the tax in {there} (the id has "
                    "the right form and check digits; whether it is registered was not asked of VIES)"
                )
                return Treatment("reverse_charge", sentence, self._vat[home])
            return Treatment("destination", f"taxed by the rates of {there}, where it goes (OSS)")
        place = to.country if there else f"{to.country} {to.postcode}, beyond the VAT area,"
        return Treatment("export", f"an export from {home} to {place} is not taxed here", self._vat.get(home, {}))

    async def assess(self, question: TaxQuestion) -> Sequence[TaxPart]:
        """Return what is owed for each item to each authority."""
        return self.reckon(question)

    def reckon(self, question: TaxQuestion) -> list[TaxPart]:
        """Return the same at once: nobody outside is asked."""
        if self.treat(question.home, question.to, question.vat_id).ground not in {"domestic", "destination"}:
            return []
        by_levies: dict[tuple[Levy, ...], list[TaxItem]] = defaultdict(list)
        for item in question.items:
            by_levies[self._levies(question.to, item.tax_class)].append(item)
        parts = [part for levies, items in by_levies.items() for part in _share(levies, items, included=question.included)]
        return sorted(parts, key=lambda part: (part.line is None, part.line or 0))

    def _levies(self, to: TaxPlace, tax_class: str) -> tuple[Levy, ...]:
        if tax_class not in TAX_CLASSES:
            raise BadInputError(f"The tax class {tax_class!r} is unknown: use {', '.join(TAX_CLASSES)}.", tax_class=tax_class)
        there = self._taxed_as(to)
        if there in self._vat:
            return (Levy(there, "VAT", self._vat[there][tax_class]),)
        region = self._regions[there].regions.get(to.region.upper().removeprefix(f"{there}-"))
        if region is None:
            known = ", ".join(self._regions[there].regions)
            raise BadInputError(
                f"Tax in {there} goes by region, and {to.region!r} is none: give one of {known}.", region=to.region
            )
        return tuple(levy for levy in region if tax_class not in _UNTAXED and levy.rate_ppm)

    def _taxed_as(self, to: TaxPlace) -> str:
        """Return the country whose tax holds there; an empty text for parts of a member that lie beyond the VAT area."""
        postcode = to.postcode.replace(" ", "").upper().removeprefix(f"{to.country}-")
        if postcode.startswith(tuple(self._area.beyond.get(to.country, ()))):
            return ""
        return self._area.alike.get(to.country, to.country)


def _share(levies: Sequence[Levy], items: Sequence[TaxItem], *, included: bool) -> list[TaxPart]:
    """Return each authority's part of each item: the whole is rounded once, then divided by largest remainder."""
    amounts = [item.amount_minor for item in items]
    ties = [(item.name, item.amount_minor) for item in items]
    rate = sum(levy.rate_ppm for levy in levies)
    if included:
        whole = rounded(sum(amounts) * rate, MILLION + rate)
        owed = apportion(whole, [levy.rate_ppm for levy in levies]) if rate else [0] * len(levies)
    else:
        owed = [rounded(sum(amounts) * levy.rate_ppm, MILLION) for levy in levies]
    shares = [apportion(tax, amounts, ties) if sum(amounts) else [0] * len(items) for tax in owed]
    bases = [amount - sum(taxes) if included else amount for amount, *taxes in zip(amounts, *shares, strict=True)]
    return [
        TaxPart(item.line, levy.jurisdiction, levy.name, levy.rate_ppm, base, tax)
        for levy, taxes in zip(levies, shares, strict=True)
        for item, base, tax in zip(items, bases, taxes, strict=True)
    ]


def _by_class(rate: eu_vat_rates_data.VatRate) -> dict[str, int]:
    """Return the rate of each class. Where a country has no such rate, the next higher one holds."""
    standard = _ppm(rate["standard"])
    reduced = sorted(_ppm(one) for one in rate["reduced"]) or [standard]
    low = reduced[0]
    least = rate["super_reduced"]
    return {
        "standard": standard,
        "reduced": reduced[-1],
        "reduced-low": low,
        "super-reduced": low if least is None else _ppm(least),
        "zero": 0,
        "exempt": 0,
    }


def _ppm(percent: float) -> int:
    """Return a percentage as parts of a million; the text of the number is what its source said."""
    return int(Decimal(str(percent)) * 10_000)


def _table(name: str, of: type[Table]) -> Table:
    return msgspec.json.decode(files("entrepot.partners.tax").joinpath(name).read_bytes(), type=of)
