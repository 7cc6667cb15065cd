"""What a history of orders says about its articles: what they are called, what they cost, how many the history takes. Pure.

Opening stock is reckoned as the orders are written (``documents``): within a day all that is sold goes before anything
comes back, so the shelf is never empty, whatever the order of writing within the day.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from msgspec import Struct, field

from entrepot.base import limits
from entrepot.base.errors import BadInputError
from entrepot.importing.documents import Judged, Reject, Stepper
from entrepot.importing.mapping import MappingFile
from entrepot.importing.reading import Row

_SALE = {"line", "sample"}


class Article(Struct):
    """What is known of one article; ``lowest`` is the lowest its stock falls to when it begins at nothing."""

    line: int
    sold_as: Counter[str] = field(default_factory=Counter)
    noted_as: Counter[str] = field(default_factory=Counter)
    prices: Counter[Decimal] = field(default_factory=Counter)
    level: int = 0
    lowest: int = 0

    def title(self, pattern: "re.Pattern[str]", default: str) -> str:
        """Return the description it was most often sold under, else the most frequent that looks like one, else the default."""
        noted = Counter({text: times for text, times in self.noted_as.items() if pattern.fullmatch(text)})
        for found in (self.sold_as, noted):
            if found:
                return max(found, key=lambda text: (found[text], text))
        return default

    def price(self) -> Decimal | None:
        """Return the price most often paid for one piece, the lower of two equally frequent ones."""
        return max(self.prices, key=lambda price: (self.prices[price], -price)) if self.prices else None


class History:
    """The articles of one file of orders."""

    def __init__(self, mapping: MappingFile) -> None:
        assert mapping.orders is not None
        self._skip = mapping.orders.duplicates == "skip"
        self._stepper = Stepper(mapping.orders, f"The mapping {mapping.name}, orders")
        self.articles: dict[str, Article] = {}
        self.rows = 0
        self._day: date | None = None
        self._today_out: Counter[str] = Counter()
        self._today_in: Counter[str] = Counter()

    def read(self, rows: Iterable[Row]) -> Iterator[list[Reject]]:
        """Take in a file, step by step; yields what of each step is rejected."""
        for step in self._stepper.steps(rows):
            self.rows += step.rows
            for document in step.documents:
                if document.at.date() != self._day:
                    self._close_day()
                    self._day = document.at.date()
                for judged in document.rows:
                    if not (judged.repeats and self._skip):
                        self._take(judged)
            yield step.rejects
        self._close_day()

    def _take(self, judged: Judged) -> None:
        row, becomes = judged.row, judged.verdict.becomes
        if becomes == "charge":
            return
        article = self.articles.get(row.article)
        if article is None:
            if len(self.articles) >= limits.IMPORT_ARTICLES_MAX:
                raise BadInputError(f"The file has more than {limits.IMPORT_ARTICLES_MAX} articles: split it.")
            article = self.articles[row.article] = Article(row.line)
        if row.title:
            (article.sold_as if row.unit_price > 0 else article.noted_as)[row.title] += 1
        if becomes in _SALE:
            self._today_out[row.article] += row.quantity
            if row.unit_price > 0:
                article.prices[row.unit_price] += 1
        elif becomes == "return" or row.quantity > 0:
            self._today_in[row.article] += abs(row.quantity)
        else:
            self._today_out[row.article] -= row.quantity

    def _close_day(self) -> None:
        for code, pieces in self._today_out.items():
            article = self.articles[code]
            article.level -= pieces
            article.lowest = min(article.lowest, article.level)
        for code, pieces in self._today_in.items():
            self.articles[code].level += pieces
        self._today_out, self._today_in = Counter(), Counter()
