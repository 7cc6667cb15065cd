"""How long each class of data is kept, and who ends it: the terms in which the data map is written. Ends nothing itself.

``rule`` names a rule of retention (``privacy/retention.sql``), which takes what is older than ``days`` (or than ``years``,
counted from the end of the year, as tax law does); where there is none, ``by`` says who or what ends it.
"""

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from entrepot.base.engine_limits import BEHAVIOUR_DAYS
from entrepot.base.limits import ENDED_DAYS, LABEL_DAYS

TAX_YEARS = 10  # after the end of the year: the longest term of the countries of the European Union
UNUSED_ACCOUNT_YEARS = 3
DISPUTE_DAYS = 540  # card schemes hear a dispute again up to 18 months later

_ERASED = "entrepot privacy erase"


class Term(Struct, frozen=True, kw_only=True):
    """How long something is kept, as it is told; and what ends it."""

    told: str
    rule: str = ""
    by: str = ""
    days: int = 0
    years: int = 0

    def before(self, now: datetime) -> datetime:
        """Return the moment before which something must have ended to be due."""
        if self.years:
            return datetime(now.year - self.years, 1, 1, tzinfo=UTC)
        return now - timedelta(days=self.days)


ORDER = Term(
    told=f"as long as its order: {TAX_YEARS} years from the end of its year, by tax law", rule="orders", years=TAX_YEARS
)
INVOICE = Term(told=f"the tax law's term: {TAX_YEARS} years from the end of its year", rule="invoices", years=TAX_YEARS)
ACCOUNT = Term(
    told=f"as long as the account, which ends when nobody has used it for {UNUSED_ACCOUNT_YEARS} years",
    rule="accounts",
    days=UNUSED_ACCOUNT_YEARS * 365,
)
SUBSCRIPTION = Term(told=f"as long as the subscription, and {ENDED_DAYS} days", rule="subscriptions", days=ENDED_DAYS)
DISPUTE = Term(told=f"the card scheme's term: {DISPUTE_DAYS} days after it is decided", rule="disputes", days=DISPUTE_DAYS)
COMPANY = Term(told="as long as we trade with the company", by=_ERASED)
BUYER = Term(told="as long as they buy for the company", by=_ERASED)
CHECKOUT = Term(told="until the checkout ends", by="checkout_holds_its_order_until_it_ends")
CART = Term(told="30 days untouched", by="the drawer")
LABEL = Term(told=f"{LABEL_DAYS} days", by="old_labels")
SENT = Term(told=f"until it is sent, and {ENDED_DAYS} days", by="people_over")
USED = Term(told=f"until it is used or over, and {ENDED_DAYS} days", by="people_over")
SESSION = Term(told=f"as long as the session, and {ENDED_DAYS} days", by="people_over")
CACHED = Term(told="as long as the session", by="the drawer")
FORGOTTEN = Term(told="until it is sealed by 'entrepot keys seal-existing'; empty since", by="entrepot keys seal-existing")
LOG = Term(told="as long as the log; it stands for nobody once its person is forgotten", by=_ERASED)
AUDIT = Term(told="as long as the audit", by="entrepot audit")
CERTIFIED = Term(told="until it is certified", by="erasures")
LIFTED = Term(told="until it is lifted", by="entrepot privacy")
KEY = Term(told="until the person is forgotten", by=_ERASED)
RING = Term(told="until it is retired", by="entrepot keys")
SEEN = Term(told=f"{BEHAVIOUR_DAYS} days, or as ENTREPOT_BEHAVIOUR_DAYS says", by="the table's own TTL")
SUBSCRIBER = Term(told="as long as the subscriber", by="DELETE /v1/webhook-endpoints/{endpoint_id}")
BOOKS = Term(told="as long as the books", by="nobody: books are kept")
FOR_EVER = Term(told="for ever", by="nobody")
