"""What people may ask for, put together: what the API and the command line are given."""

from msgspec import Struct

from entrepot.privacy.erasing import Erasing
from entrepot.privacy.exporting import Exporter
from entrepot.privacy.retention import Retention


class PrivacyDesk(Struct, frozen=True, kw_only=True):
    """Who exports what is known, who forgets it, and who ends what was kept long enough."""

    erasing: Erasing
    exporter: Exporter
    retention: Retention
