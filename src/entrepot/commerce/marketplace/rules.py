"""Pure decisions about sellers, what each has to do with an order, and what their feeds change."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError, NotFoundError
from entrepot.base.machine import Machine
from entrepot.commerce.marketplace.events import (
    Bears,
    SellerChanged,
    SellerKind,
    SellerOrderMoved,
    SellerOrderState,
    SellerState,
)
from entrepot.commerce.ordering.rules import Transfer

SELLER = Machine("seller", {"active": ("paused", "closed"), "paused": ("active", "closed"), "closed": ()})

# A seller's order is looked at now and then, not at every step: it may have come several steps further.
SELLER_ORDER = Machine(
    "seller order",
    {
        "placed": ("part_shipped", "shipped", "delivered", "cancelled"),
        "part_shipped": ("shipped", "delivered"),
        "shipped": ("delivered",),
        "delivered": (),
        "cancelled": (),
    },
)

_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_PERMILLE = 1_000


class SellerUnknownError(NotFoundError):
    """There is no seller of this id."""

    slug = "seller-unknown"

    def __init__(self, seller_id: object) -> None:
        super().__init__(f"There is no seller {seller_id}: register it first.", seller_id=str(seller_id))


class StaleFeedError(ConflictError):
    """A feed is not newer than the last one from the same warehouse; nothing was changed."""

    slug = "stale-feed"

    def __init__(self, warehouse: str, *, sequence: int, last: int) -> None:
        super().__init__(
            f"The feed {sequence} of the warehouse {warehouse} is not newer than {last}, the last one: send a higher number.",
            warehouse=warehouse,
            sequence=sequence,
            last=last,
        )


class SellerDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A seller as it shall be. ``marketplace`` sells in its own name; a ``supplier`` ships for us what we sell.

    ``disputes``: of a lost dispute it bears what the sale left it, and our commission goes back (``net``); or all (``gross``).
    """

    name: str
    country: str
    kind: SellerKind = "marketplace"
    commission_permille: int = 0
    holdback_days: int = 14
    payout_days: int = 7
    disputes: Bears = "net"


class Seller(Struct, frozen=True, kw_only=True):
    """A seller as it stands. ``commission_permille`` is our share of what its lines cost."""

    id: UUID
    code: str
    name: str
    kind: SellerKind
    state: SellerState
    country: str
    commission_permille: int
    holdback_days: int
    payout_days: int
    disputes: Bears
    version: int

    def told(self) -> SellerChanged:
        """Return the event that tells of the seller as it now is."""
        return SellerChanged(**{name: getattr(self, name) for name in SellerChanged.__struct_fields__})


class FeedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a supplier has of an article, all in all, and what it wants for a piece (left out: as before, or nothing)."""

    sku: str
    quantity: int
    cost_minor: int | None = None


class Feed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a supplier has. ``sequence`` counts its feeds: one that is not newer than the last is refused."""

    sequence: int
    lines: list[FeedLine]
    currency: str = ""


class Stocked(Struct, frozen=True):
    """A level in a supplier's warehouse: what can be sold, what checkouts hold, what is sold and has not left."""

    variant_id: UUID
    available: int
    reserved: int
    unshipped: int


class ShareLine(Struct, frozen=True):
    """A line of an order that a seller has to do with, and how far it is. ``supplied``: it only ships it, for us."""

    order_id: UUID
    seller_id: UUID
    order_state: str
    placed_at: datetime
    line: int
    variant_id: UUID
    warehouse: str
    supplied: bool
    quantity: int
    shipped: int
    cancelled: int
    returned: int
    arrived: bool


class SellerOrder(Struct, frozen=True, kw_only=True):
    """What one seller has to do with one order, as it stands."""

    order_id: UUID
    seller_id: UUID
    state: SellerOrderState
    placed_at: datetime
    settled_at: datetime | None
    version: int

    def told(self, at: datetime) -> SellerOrderMoved:
        """Return the event that tells of it as it now is."""
        return SellerOrderMoved(order_id=self.order_id, seller_id=self.seller_id, state=self.state, at=at)


class Supplied(Struct, frozen=True, kw_only=True):
    """What we owe a supplier for a line, ``cost_minor`` a piece, but for the pieces that are ``back``."""

    order_id: UUID
    line: int
    seller_id: UUID
    quantity: int
    cost_minor: int
    currency: str
    back: int = 0


def become(known: Seller | None, code: str, draft: SellerDraft, fresh_id: UUID) -> Seller | None:
    """Return the seller that a draft makes of what is known, or None when it is so already."""
    _check_draft(code, draft)
    fields = {name: getattr(draft, name) for name in draft.__struct_fields__}
    if known is None:
        return Seller(id=fresh_id, code=code, state="active", version=1, **fields)
    if known.kind != draft.kind:
        raise ConflictError(f"The seller {code} is a {known.kind} and stays one: register another.", code=code, kind=known.kind)
    changed = msgspec.structs.replace(known, **fields)
    return None if changed == known else msgspec.structs.replace(changed, version=known.version + 1)


def move_seller(seller: Seller, to: SellerState) -> Seller | None:
    """Return the seller in another state, or None when it is in it; one that is closed stays closed."""
    if seller.state == to:
        return None
    SELLER.check(seller.code, seller.state, to)
    return msgspec.structs.replace(seller, state=to, version=seller.version + 1)


def check_feed(warehouse: str, last: int, feed: Feed) -> None:
    """Refuse a feed that is not newer than the last, or that nobody can mean."""
    if feed.sequence <= last:
        raise StaleFeedError(warehouse, sequence=feed.sequence, last=last)
    if feed.sequence > limits.FEED_SEQUENCE_MAX:
        raise BadInputError(f"The sequence {feed.sequence} is out of range: 1 to {limits.FEED_SEQUENCE_MAX}.", field="sequence")
    if not 1 <= len(feed.lines) <= limits.FEED_LINES_MAX:
        raise BadInputError(f"The feed has {len(feed.lines)} lines: 1 to {limits.FEED_LINES_MAX} at once.", field="lines")
    seen: set[str] = set()
    for line in feed.lines:
        if line.sku in seen:
            raise BadInputError(f"The feed names {line.sku} twice: say once how many there are.", sku=line.sku)
        seen.add(line.sku)
        if not 0 <= line.quantity <= limits.QUANTITY_MAX:
            raise BadInputError(f"{line.quantity} pieces of {line.sku} cannot be: 0 to {limits.QUANTITY_MAX}.", sku=line.sku)
        if line.cost_minor is not None and not 0 <= line.cost_minor <= limits.MINOR_MAX:
            raise BadInputError(f"A cost of {line.cost_minor} for {line.sku} cannot be.", sku=line.sku)
    if any(line.cost_minor is not None for line in feed.lines) and not _CURRENCY.fullmatch(feed.currency):
        raise BadInputError(f"The feed names costs in {feed.currency!r}: give a currency (ISO 4217).", field="currency")


def read_csv(text: str) -> list[FeedLine]:
    """Return the lines of a feed as CSV: ``sku,quantity`` with a heading, and ``cost_minor`` where there is one."""
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if not {"sku", "quantity"} <= set(rows.fieldnames or ()):
        raise BadInputError("The first line of the CSV must name the columns: sku,quantity or sku,quantity,cost_minor.")
    lines = []
    for row in rows:
        try:
            cost = row.get("cost_minor")
            lines.append(
                FeedLine(sku=row["sku"].strip(), quantity=int(row["quantity"]), cost_minor=int(cost) if cost else None)
            )
        except (TypeError, ValueError, AttributeError) as error:
            raise BadInputError(
                f"Line {rows.line_num} of the CSV cannot be read ({row}): give whole numbers.", line=rows.line_num
            ) from error
    return lines


def to_level(stocked: Stocked, told: int) -> int:
    """Return by how much what can be sold changes when a supplier tells that it has so many.

    The supplier counts what lies there. Of that, what checkouts hold and what is sold and has not left is not for sale.
    """
    return max(told - stocked.reserved - stocked.unshipped, 0) - stocked.available


def state_of(lines: Sequence[ShareLine]) -> SellerOrderState:
    """Return how far a seller is with an order, from how far its lines are."""
    if all(line.order_state == "cancelled" or line.cancelled == line.quantity for line in lines):
        return "cancelled"
    left = any(line.shipped for line in lines)
    if any(line.quantity > line.shipped + line.cancelled for line in lines):
        return "part_shipped" if left else "placed"
    return "delivered" if all(line.arrived for line in lines) else "shipped"


def share(known: SellerOrder | None, lines: Sequence[ShareLine], at: datetime) -> SellerOrder | None:
    """Return a seller's order as its lines now say it is, or None when that is nothing new."""
    first, state = lines[0], state_of(lines)
    settled = at if state in {"delivered", "cancelled"} else None
    if known is None:
        return SellerOrder(
            order_id=first.order_id, seller_id=first.seller_id, state=state, placed_at=first.placed_at, settled_at=settled,
            version=1,
        )  # fmt: skip
    if known.state == state or not SELLER_ORDER.allows(known.state, state):  # an end stays the end, whatever comes back
        return None
    return msgspec.structs.replace(known, state=state, settled_at=settled, version=known.version + 1)


def by_seller(lines: Iterable[ShareLine]) -> dict[tuple[UUID, UUID], list[ShareLine]]:
    """Return the lines by order and seller."""
    groups: dict[tuple[UUID, UUID], list[ShareLine]] = {}
    for line in lines:
        groups.setdefault((line.order_id, line.seller_id), []).append(line)
    return groups


def supplied(line: ShareLine, costs: Mapping[tuple[str, UUID], tuple[int, str]]) -> Supplied | None:
    """Return what we owe a supplier for a line that it ships for us; None when it names no cost, or sells it itself."""
    cost, currency = costs.get((line.warehouse, line.variant_id), (0, ""))
    if not line.supplied or not cost:
        return None
    return Supplied(
        order_id=line.order_id, line=line.line, seller_id=line.seller_id, quantity=line.quantity, cost_minor=cost,
        currency=currency,
    )  # fmt: skip


def supply_back(known: Supplied, line: ShareLine) -> Supplied | None:
    """Return what is owed for a line once its pieces that never left or came back are off; None when that is nothing new."""
    off = line.quantity if line.order_state == "cancelled" else line.cancelled + line.returned
    return msgspec.structs.replace(known, back=off) if off > known.back else None


def book_supply(before: Supplied | None, after: Supplied) -> Transfer | None:
    """Return what a change of what we owe a supplier books."""
    owed = (after.quantity - after.back) * after.cost_minor
    owed -= (before.quantity - before.back) * before.cost_minor if before else 0
    if not owed:
        return None
    transfer = Transfer("supply", "seller", abs(owed), "", str(after.seller_id))
    return transfer if owed > 0 else transfer.reversed()


def charge_back(disputed_minor: int, total_minor: int, net_minor: int) -> int:
    """Return a share of a lost dispute: in proportion to what of the order is borne, and never more than that."""
    if disputed_minor <= 0 or total_minor <= 0 or net_minor <= 0:
        return 0
    return min(net_minor, disputed_minor * net_minor // total_minor)


def borne(disputes: Bears, disputed_minor: int, total_minor: int, net_minor: int, commission_minor: int) -> tuple[int, int]:
    """Return what of a lost dispute over a seller's sale the seller bears, and what our commission does.

    Together they are the share of what the sale cost; no commission is kept of a sale whose money went back, unless the seller
    has agreed to bear all.
    """
    share = charge_back(disputed_minor, total_minor, net_minor + commission_minor)
    ours = 0 if disputes == "gross" else share * commission_minor // (net_minor + commission_minor) if share else 0
    return share - ours, ours


def book_charge_back(seller_id: UUID, amount_minor: int, commission_minor: int) -> list[Transfer]:
    """Return what the shares of a lost dispute book: neither the seller nor our commission keeps what went back."""
    shares = [
        Transfer("seller", "disputes", amount_minor, str(seller_id), ""),
        Transfer("commission", "disputes", commission_minor),
    ]
    return [share for share in shares if share.amount_minor]


def _check_draft(code: str, draft: SellerDraft) -> None:
    if not (_CODE.fullmatch(code) and len(code) <= limits.SELLER_CODE_CHARS_MAX):
        raise BadInputError(
            f"The seller code {code[:50]!r} is not usable: {limits.SELLER_CODE_CHARS_MAX} small letters, digits and hyphens "
            "at most.",
            field="code",
        )
    if not (draft.name.strip() and len(draft.name) <= limits.SELLER_NAME_CHARS_MAX):
        raise BadInputError(f"A seller's name has 1 to {limits.SELLER_NAME_CHARS_MAX} characters.", field="name")
    if not _COUNTRY.fullmatch(draft.country):
        raise BadInputError(f"{draft.country!r} is no country: give its code of two letters (ISO 3166-1).", field="country")
    for name, most in (
        ("commission_permille", _PERMILLE),
        ("holdback_days", limits.HOLDBACK_DAYS_MAX),
        ("payout_days", limits.PAYOUT_DAYS_MAX),
    ):
        if not 0 <= getattr(draft, name) <= most:
            raise BadInputError(f"{name} is {getattr(draft, name)}: 0 to {most}.", field=name)
