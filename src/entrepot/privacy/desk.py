"""What people may ask for, put together: what the API and the command line are given."""

from msgspec import Struct

from entrepot.privacy.erasing import Erasing
from entrepot.privacy.exporting import Exporter


class PrivacyDesk(Struct, frozen=True, kw_only=True):
    """Who exports what is known, and who forgets it."""

    erasing: Erasing
    exporter: Exporter
