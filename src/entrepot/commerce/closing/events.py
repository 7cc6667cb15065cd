"""What can have happened to a month of the books. Key: ``period/<month>``."""

from datetime import datetime

from msgspec import Struct

PERIOD_CLOSED = "closing.period_closed.v1"
PERIOD_REOPENED = "closing.period_reopened.v1"


class PeriodMoved(Struct, frozen=True, kw_only=True):
    """A month's books are closed, with the digest (hex) of their trial balance and of the month's before; or open again."""

    period: str
    transfers: int
    digest: str
    at: datetime
