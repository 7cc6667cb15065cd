"""What was found of the products of a role, as figures with a name and a unit each. Pure."""

from msgspec import Struct

from entrepot.bench.engines.measure import Measured
from entrepot.engines.products import PRODUCTS


class Subject(Struct, frozen=True, kw_only=True):
    """A product of a role as it was found; ``measured`` is None where it was not given."""

    role: str
    name: str
    version: str = ""
    embedded: bool = False
    measured: Measured | None = None


def figures(measured: Measured) -> list[tuple[str, str, float]]:
    """Return what was measured as name, unit and value; what could not be is left out."""
    per_second = f"{measured.unit}/s"
    told: list[tuple[str, str, float | None]] = [
        ("catching up, cold", per_second, measured.cold),
        ("catching up", per_second, measured.warm),
        ("rebuilt beside readers", "s", measured.rebuilt_seconds),
        ("question p50", "ms", measured.p50),
        ("question p99", "ms", measured.p99),
        ("question p99, while rebuilt", "ms", measured.p99_beside),
        ("resident memory", "MB", measured.memory_bytes and measured.memory_bytes / 1e6),
        ("on disk, three generations", "MB", measured.disk_bytes and measured.disk_bytes / 1e6),
        ("answers again after kill -9", "s", measured.back_seconds),
    ]
    return [(name, unit, value) for name, unit, value in told if value is not None]


def command(one: Subject) -> str:
    """Return the command that fills the row of a product that was not given."""
    scheme = next(each for each in PRODUCTS if each.role == one.role and each.name == one.name).schemes[0]
    return f"entrepot bench engines --role {one.role} --product {one.role}={scheme}://user:password@host:port/database --write"
