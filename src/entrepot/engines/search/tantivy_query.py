"""How the port's clauses become tantivy's. Knows no index, no facet and no business word."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from tantivy import FieldType, Index, Occur, Query, Schema, TextAnalyzer

from entrepot.base.errors import BadInputError
from entrepot.engines.search import port
from entrepot.engines.search.languages import ANALYZERS, FOLDED, analyzer, analyzer_of, spaced
from entrepot.engines.search.shape import Field, column
from entrepot.engines.search.tantivy_shape import KIND, LIVE


class Compiler(Struct, frozen=True):
    """Turns clauses into queries on one index."""

    index: Index
    schema: Schema
    fields: Mapping[str, Field]
    analyzers: Mapping[str, TextAnalyzer]

    @classmethod
    def of(cls, index: Index, fields: Mapping[str, Field]) -> "Compiler":
        """Return the compiler of this index."""
        return cls(index, index.schema, fields, {name: analyzer(name) for name in ANALYZERS})

    def clause(self, part: port.Clause) -> Query:  # noqa: PLR0911  # one return for each of the port's clauses
        """Return the query of any clause."""
        match part:
            case port.Everything():
                return Query.const_score_query(Query.term_query(self.schema, KIND, LIVE), 0.0)
            case port.Match():
                return self._match(part)
            case port.OneOf() | port.Between():
                return Query.const_score_query(self._filter(part), 0.0)
            case port.AllOf():
                return Query.boolean_query([(Occur.Must, self.clause(each)) for each in part.parts])
            case port.AnyOf():
                parts = [(Occur.Should, self.clause(each)) for each in part.parts]
                return Query.boolean_query(parts, minimum_number_should_match=part.at_least)
            case port.Best():
                return Query.disjunction_max_query([self.clause(each) for each in part.parts], part.tie)
            case port.Preferring():
                preferred = [(Occur.Should, self.clause(each)) for each in part.preferences]
                return Query.boolean_query([(Occur.Must, self.clause(part.part)), *preferred])
            case port.Weighed():
                weigh = Query.const_score_query if part.flat else Query.boost_query
                return weigh(self.clause(part.part), part.weight)

    def selection(self, where: port.Clause, filters: Sequence[port.OneOf | port.Between]) -> Query:
        """Return the query of ``where`` under the filters, which do not score."""
        if not filters:
            return self.clause(where)
        musts = [(Occur.Must, self.clause(each)) for each in filters]
        return Query.boolean_query([(Occur.Must, self.clause(where)), *musts])

    def folded(self, start: str) -> str:
        """Return the beginning of a word as it stands in a folded field."""
        return "".join(self.analyzers[FOLDED].analyze(spaced(start)))

    def path(self, field: str) -> str:
        """Return the field, or ``map.key`` with the key's own dots escaped, as tantivy wants it."""
        name, dot, key = field.partition(".")
        if name not in self.fields or bool(dot) != self.fields[name].type.endswith("_map"):
            raise BadInputError(f"{field!r} is no field of this index: it has {', '.join(self.fields)}.", field=field)
        return name + dot + key.replace(".", "\\.")

    def _filter(self, part: port.OneOf | port.Between) -> Query:
        path = self.path(part.field)
        if isinstance(part, port.OneOf):
            return Query.boolean_query([(Occur.Should, Query.term_query(self.schema, path, value)) for value in part.values])
        if part.low is None and part.below is None:
            return Query.exists_query(path)
        if "." not in path:
            return Query.range_query(self.schema, path, FieldType.Integer, part.low, part.below, include_upper=False)
        # Each bound is a query of its own: tantivy panics over a range from a whole number to one with a fraction.
        sides = [
            self._side(path, bound, below=below)
            for bound, below in ((part.low, False), (part.below, True))
            if bound is not None
        ]
        return sides[0] if len(sides) == 1 else Query.boolean_query([(Occur.Must, side) for side in sides])

    def _side(self, path: str, bound: float, *, below: bool) -> Query:
        # Where a segment holds but whole numbers, tantivy cuts the bound's fraction off. That is right below a positive bound
        # and above a negative one; the other side is what has a number and does not lie on this one.
        if bound != int(bound) and below != (bound > 0):
            there = (Occur.Must, Query.exists_query(path))
            return Query.boolean_query([there, (Occur.MustNot, self._side(path, bound, below=not below))])
        # range_query knows no keys of maps; the parser does. Numbers need no escape, the path's letters do.
        name, key = path.split(".", 1)
        escaped = "".join(letter if letter.isalnum() or letter in "_\\" else f"\\{letter}" for letter in key)
        return self.index.parse_query(f"{name}.{escaped}:" + (f"[* TO {bound}}}" if below else f"[{bound} TO *]"), [])

    def _match(self, part: port.Match) -> Query:
        text, language = spaced(part.text), analyzer_of(part.locale)
        words = {name: self.analyzers[name].analyze(text) for name in {language, FOLDED}}
        found = []
        for name, boost in part.fields.items():
            field = self.fields[name]
            if tokens := words[language if field.localized else FOLDED]:
                query = self._tokens(column(name, field, part.locale), tokens, part)
                found.append(query if boost == 1.0 else Query.boost_query(query, boost))
        if len(found) == 1:
            return found[0]
        return Query.disjunction_max_query(found) if found else Query.empty_query()

    def _tokens(self, name: str, tokens: list[str], part: port.Match) -> Query:
        if part.slop is not None and len(tokens) > 1:
            return Query.phrase_query(self.schema, name, list(tokens), part.slop)
        last = len(tokens) - 1
        words = [self._token(name, token, part.edits, prefix=part.prefix and at == last) for at, token in enumerate(tokens)]
        return words[0] if len(words) == 1 else Query.boolean_query([(Occur.Must, word) for word in words])

    def _token(self, name: str, token: str, edits: int, *, prefix: bool) -> Query:
        if edits or prefix:
            return Query.fuzzy_term_query(self.schema, name, token, edits, prefix=prefix)
        return Query.term_query(self.schema, name, token)
