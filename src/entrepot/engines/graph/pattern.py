"""What the items of a graph look like, for every product: the shape, and how a body becomes a node with its edges.

A shape says which nodes the items are and which edges they may have, one pattern a line, all from one label::

    (:Basket)-[:HAS]->(:Product)

A body is ``{"properties": {name: text, number or truth}, "edges": [[type, label, id], ...]}``. Edges are a set: they come
back sorted. ``id``, ``version`` and ``gone`` are the store's own properties. A neighbour is a node with an ``id`` only.
"""

import math
import re
import sys

from msgspec import Struct, convert

from entrepot.base.projection import Body, Item, Refusal, Shape

_LINE = re.compile(r"\(:(?P<node>\w+)\)-\[:(?P<type>\w+)\]->\(:(?P<label>\w+)\)")
_WHOLE_MAX = 2**63 - 1


class Edge(Struct, frozen=True):
    """A kind of edge: its type, and the label of the neighbours it leads to."""

    type: str
    label: str


class Pattern(Struct, frozen=True):
    """The label of a projection's nodes and the kinds of edges that lead from them."""

    node: str
    edges: tuple[Edge, ...]


class Row(Struct, frozen=True):
    """An item ready for a query: its properties, the store's own included, and the neighbours' ids by kind of edge."""

    id: str
    properties: dict[str, object]
    neighbours: tuple[list[str], ...]


class _Own(Struct, frozen=True):
    """The store's own properties of a node."""

    id: str
    version: int
    gone: bool = False


_RESERVED = frozenset(_Own.__struct_fields__)


class _UnfitError(ValueError):
    """A body that no graph can keep."""


def parse(shape: Shape) -> Pattern:
    """Read the pattern of a shape; a shape that is none is a mistake of its projection."""
    found = [_LINE.fullmatch(line) for line in shape.text.split("\n") if line and not line.startswith("//")]
    matches = [match for match in found if match]
    if not matches or len(matches) != len(found) or len({match["node"] for match in matches}) > 1:
        raise ValueError(
            f"The shape {shape.text!r} is no graph: write lines like (:Basket)-[:HAS]->(:Product), one first label."
        )
    if any(match["label"] == match["node"] for match in matches):
        raise ValueError(f"The shape {shape.text!r} leads from {matches[0]['node']} to itself: neighbours need another label.")
    return Pattern(matches[0]["node"], tuple(Edge(match["type"], match["label"]) for match in matches))


def rows(pattern: Pattern, items: list[Item]) -> tuple[list[Row], list[Refusal]]:
    """Return the items as rows, and a refusal for each body that a graph cannot keep."""
    fit: list[Row] = []
    refused: list[Refusal] = []
    for item in items:
        try:
            fit.append(_row(pattern, item))
        except _UnfitError as error:
            refused.append(Refusal(item.id, str(error)))
    return fit, refused


def item(pattern: Pattern, properties: dict[str, object], neighbours: list[list[str]]) -> Item:
    """Return the item that a node and its neighbours are."""
    own = convert(properties, _Own)
    if own.gone:
        return Item(own.id, own.version, None)
    given = {name: value for name, value in properties.items() if name not in _RESERVED}
    edges = [[edge.type, edge.label, id_] for edge, ids in zip(pattern.edges, neighbours, strict=True) for id_ in ids]
    return Item(own.id, own.version, {"properties": given, "edges": sorted(edges)})


def _row(pattern: Pattern, item: Item) -> Row:
    own: dict[str, object] = {"id": item.id, "version": item.version}
    if item.body is None:
        return Row(item.id, {**own, "gone": True}, tuple([] for _ in pattern.edges))
    return Row(item.id, {**_properties(item.body), **own}, _neighbours(pattern, item.body))


def _properties(body: Body) -> dict[str, object]:
    properties = body.get("properties")
    if not isinstance(properties, dict) or body.keys() != {"properties", "edges"}:
        raise _UnfitError(f"The body has {sorted(body)}: a graph keeps properties and edges, nothing else.")
    for name, value in properties.items():
        if not re.fullmatch(r"[A-Za-z]\w*", name) or name in _RESERVED:
            raise _UnfitError(f"The property {name!r} cannot be: use letters, digits and _, and none of {sorted(_RESERVED)}.")
        if not _keeps(value):
            raise _UnfitError(
                f"The property {name} is {value!r}: a graph keeps text, whole numbers of 64 bits, 15 digits, truth."
            )
    return properties


def _keeps(value: object) -> bool:
    """Say whether the value comes back as it went: FalkorDB answers 15 digits of a float, and wraps larger whole numbers."""
    match value:
        case bool():
            return True
        case int():
            return -_WHOLE_MAX <= value <= _WHOLE_MAX
        case float():
            normal = value == 0 or sys.float_info.min <= abs(value) < math.inf
            return normal and float(f"{value:.15g}") == value
        case str():
            return "\0" not in value and value.encode("utf-8", "ignore").decode() == value
        case _:
            return False


def _neighbours(pattern: Pattern, body: Body) -> tuple[list[str], ...]:
    by_kind: dict[tuple[str, str], set[str]] = {(edge.type, edge.label): set() for edge in pattern.edges}
    edges = body["edges"]
    assert isinstance(edges, list)
    for type_, label, id_ in edges:
        if (type_, label) not in by_kind:
            raise _UnfitError(f"The edge {type_} to {label} is not in the shape of {pattern.node}: add it there.")
        by_kind[type_, label].add(id_)
    return tuple(sorted(ids) for ids in by_kind.values())
