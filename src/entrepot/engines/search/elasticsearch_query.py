"""How the port's clauses become Elasticsearch's. Knows no index, no facet and no business word."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from entrepot.engines.search import port
from entrepot.engines.search.elasticsearch_shape import KIND, LIVE, values_of
from entrepot.engines.search.languages import FOLDED, analyzer, analyzer_of, spaced
from entrepot.engines.search.shape import Field, column

Asked: TypeAlias = dict[str, object]

IS_LIVE: Asked = {"term": {KIND: LIVE}}
_NOTHING: Asked = {"match_none": {}}


def clause(part: port.Clause, fields: Mapping[str, Field]) -> Asked:  # noqa: PLR0911  # one return for each of the port's clauses
    """Return the query of any clause."""
    match part:
        case port.Everything():
            return _flat(IS_LIVE, 0.0)
        case port.Match():
            return _match(part, fields)
        case port.OneOf() | port.Between():
            return _flat(_filter(part, fields), 0.0)
        case port.Weighed():
            asked = clause(part.part, fields)
            return _flat(asked, part.weight) if part.flat else {"bool": {"must": [asked], "boost": part.weight}}
        case port.Best():
            return {"dis_max": {"queries": [clause(each, fields) for each in part.parts], "tie_breaker": part.tie}}
        case port.AllOf():
            return {"bool": {"must": [clause(each, fields) for each in part.parts]}}
        case port.AnyOf():
            parts = [clause(each, fields) for each in part.parts]
            return {"bool": {"should": parts, "minimum_should_match": part.at_least}}
        case port.Preferring():
            preferred = [clause(each, fields) for each in part.preferences]
            return {"bool": {"must": [clause(part.part, fields)], "should": preferred}}


def selection(where: port.Clause, filters: Sequence[port.OneOf | port.Between], fields: Mapping[str, Field]) -> Asked:
    """Return the query of ``where`` under filters, which do not score."""
    return {"bool": {"must": [clause(where, fields)], "filter": narrowing(filters, fields)}}


def narrowing(filters: Sequence[port.OneOf | port.Between], fields: Mapping[str, Field]) -> list[Asked]:
    """Return the queries of filters."""
    return [_filter(each, fields) for each in filters]


def folded(text: str) -> str:
    """Return a beginning of a word as it stands in a folded field."""
    return "".join(analyzer(FOLDED).analyze(spaced(text)))


def escaped(text: str) -> str:
    """Return a text so that a regular expression of Lucene means the text itself."""
    return "".join(letter if letter.isalnum() else f"\\{letter}" for letter in text)


def nearly(token: str) -> str:
    """Return the expression of this word, also with one letter changed, added, dropped or swapped."""
    parts = [escaped(letter) for letter in token]
    ways = {"".join(parts)}
    for at in range(len(parts)):
        before, here, after = "".join(parts[:at]), parts[at], "".join(parts[at + 1 :])
        ways |= {f"{before}.{after}", f"{before}.{here}{after}", f"{before}{after}"}
        if after:
            ways.add(f"{before}{parts[at + 1]}{here}{''.join(parts[at + 2 :])}")
    return f"({'|'.join(sorted(ways))})"


def _flat(asked: Asked, weight: float) -> Asked:
    return {"constant_score": {"filter": asked, "boost": weight}}


def _filter(part: port.OneOf | port.Between, fields: Mapping[str, Field]) -> Asked:
    values = values_of(fields, part.field)
    if isinstance(part, port.OneOf):
        return {"terms": {values.field: [values.kept(each) for each in part.values]}}
    bounds = values.within(part.low, part.below)
    return {"range": {values.field: bounds}} if bounds else {"exists": {"field": values.field}}


def _match(part: port.Match, fields: Mapping[str, Field]) -> Asked:
    text, language = spaced(part.text), analyzer_of(part.locale)
    words = {name: analyzer(name).analyze(text) for name in {language, FOLDED}}
    found: list[Asked] = []
    for name, boost in part.fields.items():
        if tokens := words[language if fields[name].localized else FOLDED]:
            asked = _tokens(column(name, fields[name], part.locale), tokens, part)
            found.append(asked if boost == 1.0 else {"bool": {"must": [asked], "boost": boost}})
    if len(found) == 1:
        return found[0]
    return {"dis_max": {"queries": found}} if found else _NOTHING


def _tokens(name: str, tokens: Sequence[str], part: port.Match) -> Asked:
    if part.slop is not None and len(tokens) > 1:
        return {"match_phrase": {name: {"query": " ".join(tokens), "slop": part.slop}}}
    last = len(tokens) - 1
    words = [_token(name, token, part.edits, prefix=part.prefix and at == last) for at, token in enumerate(tokens)]
    return words[0] if len(words) == 1 else {"bool": {"must": words}}


def _token(name: str, token: str, edits: int, *, prefix: bool) -> Asked:
    if prefix and edits:
        return {"regexp": {name: {"value": f"{nearly(token)}.*", "flags": "NONE", "rewrite": "constant_score"}}}
    if prefix:
        return {"prefix": {name: {"value": token, "rewrite": "constant_score"}}}
    if edits:
        return {"fuzzy": {name: {"value": token, "fuzziness": edits, "rewrite": "constant_score"}}}
    return {"term": {name: token}}
