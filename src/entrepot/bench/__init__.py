"""Measurements that anyone can run again: a file per claim, each giving rows that name the value and what it stands beside."""

from msgspec import Struct

from entrepot.base.errors import EntrepotError


class BenchError(EntrepotError):
    """A run ended in a state that must never be; its figures are worth nothing."""

    slug = "bench-failed"


class Row(Struct, frozen=True, kw_only=True):
    """One measured number. ``reference`` is what was measured beside it in the same run; ``target`` is what we promise.

    ``value`` is None where nothing could be measured, and ``note`` says why.
    """

    name: str
    value: float | None = None
    unit: str = ""
    reference: float | None = None
    ratio: float | None = None
    target: float | None = None
    met: bool | None = None
    note: str = ""
