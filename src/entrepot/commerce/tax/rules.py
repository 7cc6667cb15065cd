"""Pure decisions about tax: what is left of a price without its tax, and whether the answer of an engine can be true."""

from collections import defaultdict
from collections.abc import Sequence

from entrepot.base.errors import EntrepotError
from entrepot.base.money import Minor, rounded
from entrepot.partners.tax.port import TaxPart, TaxQuestion, Treatment

MILLION = 1_000_000


class TaxAnswerWrongError(EntrepotError):
    """A tax engine answered what cannot be: it names lines that were not asked about, or more tax than price."""

    slug = "tax-answer-wrong"
    status = 502
    exit_code = 5


def without(minor: int, treatment: Treatment, tax_class: str) -> Minor:
    """Return a price without the tax of home that it includes, when none is due; else the price as it is."""
    rate = treatment.taken_off_ppm.get(tax_class, treatment.taken_off_ppm.get("standard", 0))
    return rounded(minor * MILLION, MILLION + rate) if rate else Minor(minor)


def check_answer(question: TaxQuestion, parts: Sequence[TaxPart]) -> None:
    """Refuse an answer that cannot be true, so that no engine's mistake becomes an order."""
    amounts = {item.line: item.amount_minor for item in question.items}
    owed: dict[int | None, int] = defaultdict(int)
    for part in parts:
        if part.line not in amounts or part.tax_minor < 0:
            raise TaxAnswerWrongError(
                f"The tax engine answered {part.tax_minor} for line {part.line}: ask again, or change the engine.",
                line=part.line,
            )
        owed[part.line] += part.tax_minor
    for line, tax in owed.items():
        if tax > amounts[line]:
            raise TaxAnswerWrongError(
                f"The tax engine answered {tax} for line {line}, which costs {amounts[line]}: ask again, or change the engine.",
                line=line,
            )
