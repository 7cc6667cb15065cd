"""How the port's clauses become Elasticsearch's. Knows no index, no facet and no business word."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from entrepot.base.engine_limits import SEARCH_KEPT_MAX
from entrepot.engines.search import port
from entrepot.engines.search.elasticsearch_shape import KIND, LIVE, values_of
from entrepot.engines.search.languages import FOLDED, analyzer, analyzer_of, spaced
from entrepot.engines.search.shape import Field, column

Asked: TypeAlias = dict[str, object]

IS_LIVE: Asked = {"term": {KIND: LIVE}}
_NOTHING: Asked = {"match_none": {}}


def clause(part: port.Clause, fields: Mapping[str, Field]) -> Asked:  # noqa: PLR0911  # one return for each of the port's clauses
    """Return the query of any clause, which scores; what only selects is put so that the server need not score it."""
    match part:
        case port.Everything() | port.OneOf() | port.Between():
            return _flat(selecting(part, fields), 0.0)
        case port.Match():
            return _match(part, fields)
        case port.Weighed():
            if part.flat:
                return _flat(selecting(part.part, fields), part.weight)
            return {"bool": {"must": [clause(part.part, fields)], "boost": part.weight}}
        case port.Best():
            return {"dis_max": {"queries": [clause(each, fields) for each in part.parts], "tie_breaker": part.tie}}
        case port.AllOf():
            scoring = [clause(each, fields) for each in part.parts if not _is_weightless(each)]
            return {
                "bool": {"must": scoring, "filter": [selecting(each, fields) for each in part.parts if _is_weightless(each)]}
            }
        case port.AnyOf():
            parts = [clause(each, fields) for each in part.parts]
            return {"bool": {"should": parts, "minimum_should_match": part.at_least}}
        case port.Preferring():
            preferred = [clause(each, fields) for each in part.preferences]
            return {"bool": {"must": [clause(part.part, fields)], "should": preferred}}


def selecting(part: port.Clause, fields: Mapping[str, Field]) -> Asked:  # noqa: PLR0911  # as above
    """Return the query that selects the same, for where nothing is scored: plainer, and so the quicker."""
    match part:
        case port.Everything():
            return IS_LIVE
        case port.OneOf() | port.Between():
            return _filter(part, fields)
        case port.Match():
            return _any(_matches(part, fields))
        case port.Weighed() | port.Preferring():
            return selecting(part.part, fields)
        case port.AllOf():
            return {"bool": {"filter": [selecting(each, fields) for each in part.parts]}}
        case port.Best():
            return _any([selecting(each, fields) for each in part.parts])
        case port.AnyOf():
            return _any([selecting(each, fields) for each in part.parts], part.at_least)


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


def _any(parts: Sequence[Asked], at_least: int = 1) -> Asked:
    if len(parts) == 1 and at_least == 1:
        return parts[0]
    return {"bool": {"should": list(parts), "minimum_should_match": at_least}} if parts else _NOTHING


def _is_weightless(part: port.Clause) -> bool:
    if isinstance(part, port.AllOf):
        return all(map(_is_weightless, part.parts))
    return isinstance(part, port.Everything | port.OneOf | port.Between)


def _filter(part: port.OneOf | port.Between, fields: Mapping[str, Field]) -> Asked:
    values = values_of(fields, part.field)
    if isinstance(part, port.OneOf):
        return {"terms": {values.field: [values.kept(each) for each in part.values]}}
    bounds = values.within(part.low, part.below)
    return {"range": {values.field: bounds}} if bounds else {"exists": {"field": values.field}}


def _match(part: port.Match, fields: Mapping[str, Field]) -> Asked:
    found = _matches(part, fields, scoring=True)
    if len(found) == 1:
        return found[0]
    return {"dis_max": {"queries": found}} if found else _NOTHING


def _matches(part: port.Match, fields: Mapping[str, Field], *, scoring: bool = False) -> list[Asked]:
    """Return what the text asks of each field."""
    language = analyzer_of(part.locale)
    found: list[Asked] = []
    for name, boost in part.fields.items():
        if tokens := _words(language if fields[name].localized else FOLDED, part.text):
            found.append(_tokens(column(name, fields[name], part.locale), tokens, part, boost if scoring else 1.0))
    return found


@lru_cache(maxsize=SEARCH_KEPT_MAX)
def _words(language: str, text: str) -> tuple[str, ...]:
    return tuple(analyzer(language).analyze(spaced(text)))


def _tokens(name: str, tokens: Sequence[str], part: port.Match, boost: float) -> Asked:
    if part.slop is not None and len(tokens) > 1:
        return {"match_phrase": {name: {"query": " ".join(tokens), "slop": part.slop, "boost": boost}}}
    last = len(tokens) - 1
    words = [_token(name, token, part.edits, boost, prefix=part.prefix and at == last) for at, token in enumerate(tokens)]
    return words[0] if len(words) == 1 else {"bool": {"must": words}}


def _token(name: str, token: str, edits: int, boost: float, *, prefix: bool) -> Asked:
    flat: Asked = {"rewrite": "constant_score", "boost": boost}
    if prefix and edits:
        return {"regexp": {name: {"value": f"{nearly(token)}.*", "flags": "NONE", **flat}}}
    if prefix:
        return {"prefix": {name: {"value": token, **flat}}}
    if edits:
        return {"fuzzy": {name: {"value": token, "fuzziness": edits, **flat}}}
    return {"term": {name: token if boost == 1.0 else {"value": token, "boost": boost}}}
