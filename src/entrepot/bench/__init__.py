"""Measurements that anyone can run again: a file per claim, each giving rows that name the value and what it stands beside."""

from msgspec import Struct


class Row(Struct, frozen=True, kw_only=True):
    """One measured number. ``reference`` is what was measured beside it in the same run; ``target`` is what we promise."""

    name: str
    value: float
    unit: str
    reference: float | None = None
    ratio: float | None = None
    target: float | None = None
    met: bool | None = None
