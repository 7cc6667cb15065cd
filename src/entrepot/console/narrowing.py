"""How the store's results are narrowed: facets as links that add or take away a choice, and chips for what is chosen. Pure."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Struct

from entrepot.console.render import amount, decimal
from entrepot.projections.product_search.facets import Facet, Value

SEARCH = "/search"
SHOWN = 6

Pairs = Sequence[tuple[str, str]]


class Option(Struct, frozen=True, kw_only=True):
    """One choice of a facet; its address adds it, or takes it away when it is chosen."""

    label: str
    count: int
    href: str
    chosen: bool


class Group(Struct, frozen=True, kw_only=True):
    """A facet with its choices; more than fit are folded away."""

    field: str
    label: str
    options: list[Option]
    folded: list[Option]


class Chip(Struct, frozen=True, kw_only=True):
    """One thing that is chosen; its address takes it away."""

    field: str
    label: str
    href: str


def groups(facets: Sequence[Facet], pairs: Pairs, names: Mapping[UUID, str], currency: str) -> list[Group]:
    """Return the facets as links, what is chosen first."""
    shown = []
    for facet in facets:
        options = [_option(facet, value, pairs, names, currency) for value in facet.values]
        if facet.field == "category":
            options = [option for option in options if option.label]
        options.sort(key=lambda option: not option.chosen)
        if len(options) > 1 or any(option.chosen for option in options):
            label = facet.label[:1].upper() + facet.label[1:]
            shown.append(Group(field=facet.field, label=label, options=options[:SHOWN], folded=options[SHOWN:]))
    return shown


def chips(pairs: Pairs, labels: Mapping[str, str], names: Mapping[UUID, str], currency: str) -> list[Chip]:
    """Return what is chosen, each with the address that takes it away."""
    found = []
    for name, value in pairs:
        if name in {"brand", "category", "price"} or "." in name:
            label = labels.get(name, name.partition(".")[2].replace("_", " ") or name)
            shown = _shown(name, value, names, currency)
            found.append(Chip(field=label, label=shown, href=address(_without(pairs, name, value))))
    return found


def address(pairs: Pairs, path: str = SEARCH) -> str:
    """Return the address of these choices."""
    kept = [(name, value) for name, value in pairs if value]
    return f"{path}?{urlencode(kept)}" if kept else path


def replaced(pairs: Pairs, name: str, value: str) -> list[tuple[str, str]]:
    """Return the choices with one of them said anew; a new choice begins at the first page."""
    return [(n, v) for n, v in pairs if n not in {name, "cursor"}] + [(name, value)]


def _option(facet: Facet, value: Value, pairs: Pairs, names: Mapping[UUID, str], currency: str) -> Option:
    chosen = (facet.field, value.value) in pairs
    if chosen:
        after: Pairs = _without(pairs, facet.field, value.value)
    elif facet.kind == "ranges":
        after = replaced(pairs, facet.field, value.value)
    else:
        after = [*((n, v) for n, v in pairs if n != "cursor"), (facet.field, value.value)]
    label = _shown(facet.field, value.value, names, currency)
    return Option(label=label, count=value.count, href=address(after), chosen=chosen)


def _without(pairs: Pairs, name: str, value: str) -> Pairs:
    return [(n, v) for n, v in pairs if (n, v) != (name, value) and n != "cursor"]


def _shown(field: str, value: str, names: Mapping[UUID, str], currency: str) -> str:
    if field == "category":
        return names.get(_uuid(value), "")
    if field != "price" and not field.startswith("numbers."):
        return {"true": "yes", "false": "no"}.get(value, value)
    low, _, below = value.partition("..")
    low, below = (_number(field, bound, currency) for bound in (low, below))
    return f"{low} to {below}" if low and below else f"from {low}" if low else f"below {below}"


def _number(field: str, text: str, currency: str) -> str:
    try:
        number = float(text)
    except ValueError:
        return ""
    if field == "price" and currency:
        return amount(round(number), currency)
    return decimal(number, 0 if number.is_integer() else 1)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
