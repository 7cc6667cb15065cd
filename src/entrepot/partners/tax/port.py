"""What a tax engine must be able to do: say whose tax it is, and how much of it, line by line and authority by authority.

Values and a Protocol; no rate and no law is known here. Amounts are whole minor units, rates parts of a million.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

Ground = Literal["domestic", "destination", "reverse_charge", "export", "untaxed", "unknown"]


class TaxPlace(Struct, frozen=True):
    """Where something is delivered, as far as tax depends on it."""

    country: str
    region: str = ""
    postcode: str = ""


class Treatment(Struct, frozen=True):
    """On what ground a sale is taxed, or not, and the sentence that says so; ``unknown`` until more of the address is given.

    ``taken_off_ppm``: when prices include the tax of home and none is due, the rate that is taken off, by tax class.
    """

    ground: Ground
    sentence: str
    taken_off_ppm: Mapping[str, int] = {}


class TaxItem(Struct, frozen=True):
    """What is taxed: a line, or with ``line`` None the postage. ``name`` decides between equal remainders."""

    line: int | None
    amount_minor: int
    tax_class: str = "standard"
    name: str = ""


class TaxQuestion(Struct, frozen=True):
    """A sale to be taxed. ``included`` says whether the amounts have the tax in them; ``vat_id`` is the buyer's."""

    home: str
    to: TaxPlace
    currency: str
    included: bool
    items: Sequence[TaxItem]
    at: datetime
    vat_id: str | None = None


class TaxPart(Struct, frozen=True):
    """What one authority is owed for one item."""

    line: int | None
    jurisdiction: str
    name: str
    rate_ppm: int
    base_minor: int
    tax_minor: int


class TaxEngine(Protocol):
    """What reckons tax."""

    def treat(self, home: str, to: TaxPlace, vat_id: str | None) -> Treatment:
        """Return on what ground a sale from home is taxed; a VAT id that cannot be one is refused. Answers at once."""
        ...

    async def assess(self, question: TaxQuestion) -> Sequence[TaxPart]:
        """Return what is owed for each item to each authority; per authority and rate the parts sum to the rounded whole."""
        ...
