"""What the API and the console are made of: everything they may touch, put together by the composition root."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from entrepot.api.metrics import Metrics
from entrepot.record.transaction import Record

Check = Callable[[], Awaitable[object]]


class Parts(Struct, frozen=True, kw_only=True):
    """The parts of one running application. ``checks`` ask an engine whether it answers, by role; raising says no."""

    record: Record
    cell: int
    checks: Mapping[str, Check]
    metrics: Metrics
