"""How values travel to and from FalkorDB: parameters as Cypher literals before the query, answers in its compact form.

The client library of FalkorDB is not used: it awaits once for every value of an answer and asks for the graph's schema
in between, and what is left of it is this file.
"""

from collections.abc import Callable, Mapping, Sequence


def with_parameters(cypher: str, parameters: Mapping[str, object]) -> str:
    """Return the query behind its parameters."""
    return f"CYPHER {' '.join(f'{name}={literal(value)}' for name, value in parameters.items())} {cypher}"


def literal(value: object) -> str:
    """Return the value as Cypher writes it; keys of maps must be plain names."""
    match value:
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case Mapping():
            return "{" + ",".join(f"{key}:{literal(part)}" for key, part in value.items()) + "}"
        case Sequence():
            return "[" + ",".join(map(literal, value)) + "]"
        case _:
            raise TypeError(f"{value!r} is no parameter of a query: give text, numbers, truth, lists and maps of them.")


def answer(reply: Sequence[Sequence[Sequence[object]]]) -> list[list[object]]:
    """Return the rows of a compact reply (header, rows, statistics); a query that returns nothing has statistics only."""
    return [[_value(cell) for cell in row] for row in reply[1]] if len(reply) > 1 else []


def _value(cell: object) -> object:
    assert isinstance(cell, list)
    kind, raw = cell
    if kind not in _READ:
        raise TypeError(f"A query returned a value of FalkorDB's kind {kind}: return properties, not nodes, edges or paths.")
    return _READ[kind](raw)


_READ: Mapping[int, Callable[..., object]] = {
    1: lambda _: None,
    2: bytes.decode,
    3: int,
    4: lambda raw: raw == b"true",
    5: float,
    6: lambda raw: [_value(part) for part in raw],
    10: lambda raw: {name.decode(): _value(part) for name, part in zip(raw[::2], raw[1::2], strict=True)},
}
