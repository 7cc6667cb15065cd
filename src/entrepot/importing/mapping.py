"""What a mapping file may say, and where it is found. Knows no source and no row; ``docs/how-to`` explains each key."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from entrepot.base.errors import BadInputError, NotFoundError
from entrepot.commerce.ordering.events import ChargeKind
from entrepot.importing.reading import named

Kind = Literal["categories", "products", "orders"]
Class = Literal["line", "sample", "charge", "return", "adjustment", "reject"]


class FieldSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one field is made of a row: from a column, several, or a constant; then changed, then read as a type."""

    column: str = ""
    columns: list[str] = field(default_factory=list)
    value: str | None = None
    join: str = " "
    split: str = ""
    change: list[Literal["upper", "lower"]] = field(default_factory=list)
    template: str = ""
    map: dict[str, str] = field(default_factory=dict)
    default: str | None = None
    type: Literal["text", "whole", "decimal", "moment", "date", "list", "attributes"] = "text"
    format: str = ""
    zone: str = "UTC"
    strip_prefixes: list[str] = field(default_factory=list)

    def names(self) -> list[str]:
        """Return the columns that the field is made of."""
        return [self.column] if self.column else self.columns


Fields = dict[str, str | FieldSpec]


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What rows of orders become for which every condition holds; the first rule that fits counts."""

    when: list[str]
    becomes: Class
    kind: ChargeKind | None = None
    because: str = ""


class Countries(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names that are no territory's English name, and what they are taken for (ISO 3166-1 alpha-2)."""

    names: dict[str, str] = field(default_factory=dict)
    default: str | None = None


class Opening(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many pieces of an article there are before the first order: what the history takes, if there is one, and these."""

    pieces: Annotated[int, Meta(ge=0)] = 100
    history: str = ""


class CategoriesMapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How rows become categories; without a ``code`` every level of a path is a category, known by its path."""

    fields: Fields
    locale: str = "en"
    first_locale: str = ""
    code_prefix: str = ""


class ProductsMapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How rows become products; ``from_orders`` makes one of every article that the orders of this source name."""

    market: str
    currency: str
    warehouse: str = "main"
    fields: Fields = field(default_factory=dict)
    locale: str = "en"
    prices_in: Literal["major", "minor"] = "major"
    from_orders: bool = False
    title_pattern: str = ".+"
    title_default: str = "Article {article}"
    opening: Opening = Opening()


class OrdersMapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How rows become orders, returns, charges and stock adjustments."""

    fields: Fields
    market: str
    currency: str
    warehouse: str = "main"
    countries: Countries = Countries()
    credit_notes: list[str] = field(default_factory=list)
    duplicates: Literal["keep", "skip"] = "keep"
    reason: str = "returned"
    rules: list[Rule] = field(default_factory=list)


class MappingFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One source: its name (part of every key and of file names, so never change it) and what its files hold."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,49}\Z")]
    about: str = ""
    encoding: str = ""
    delimiter: Annotated[str, Meta(max_length=1)] = ""
    categories: CategoriesMapping | None = None
    products: ProductsMapping | None = None
    orders: OrdersMapping | None = None

    def section(self, kind: Kind) -> CategoriesMapping | ProductsMapping | OrdersMapping | None:
        """Return what the mapping says of one kind."""
        return {"categories": self.categories, "products": self.products, "orders": self.orders}[kind]

    def columns(self, kind: Kind) -> list[str]:
        """Return the columns that a file of this kind must have, each once."""
        section = self.section(kind)
        if isinstance(section, ProductsMapping) and section.from_orders:
            section = self.orders
        if section is None:
            return []
        return list(dict.fromkeys(name for _, spec in specs(section.fields) for name in spec.names()))


def specs(fields: Fields) -> Iterator[tuple[str, FieldSpec]]:
    """Yield each field with its specification; a bare string names a column."""
    for name, spec in fields.items():
        yield name, FieldSpec(column=spec) if isinstance(spec, str) else spec


def load_mapping(name: str) -> MappingFile:
    """Return the mapping that ships under this name, or that of a file, or say what is wrong with it."""
    shipped = shipped_mappings()
    if name in shipped:
        return shipped[name]
    path = Path(name)
    if path.suffix != ".toml":
        raise NotFoundError(f"There is no mapping {name!r}: use one of {', '.join(shipped)}, or the path of a .toml file.")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotFoundError(f"The mapping {path} cannot be read ({error}): check the path.", file=name) from error
    return parse_mapping(text, name)


def parse_mapping(text: str, where: str) -> MappingFile:
    """Return the mapping that a text says, or refuse it, naming the key that is wrong."""
    try:
        return msgspec.toml.decode(text, type=MappingFile)
    except msgspec.ValidationError as error:
        raise BadInputError(f"The mapping {where} says something that cannot be: {error}.", file=where) from error
    except msgspec.DecodeError as error:
        raise BadInputError(f"The mapping {where} is not TOML: {error}.", file=where) from error


def shipped_mappings() -> Mapping[str, MappingFile]:
    """Return the mappings that come with the package, by name."""
    folder = files("entrepot.importing") / "mappings"
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    mappings = [parse_mapping(entry.read_text(encoding="utf-8"), entry.name) for entry in found]
    return {mapping.name: mapping for mapping in mappings}


def guess_mapping(kind: Kind, columns: tuple[str, ...], file: str) -> MappingFile:
    """Return the shipped mapping whose columns the file has, the one that knows most of them; or say that none fits."""
    fitting = [m for m in shipped_mappings().values() if m.section(kind) and set(m.columns(kind)) <= set(columns)]
    if not fitting:
        raise BadInputError(
            f"No mapping fits the columns of {file} ({named(columns)}): write one and name it with --mapping.", file=file
        )
    return max(fitting, key=lambda mapping: len(mapping.columns(kind)))
