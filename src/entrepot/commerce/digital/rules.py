"""Pure decisions about digital goods: what may be added, when it is handed out, what is revoked."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from entrepot.base import limits
from entrepot.base.errors import BadInputError, ConflictError
from entrepot.base.machine import Machine
from entrepot.commerce.digital.events import ArticleChanged, EntitlementMoved, EntitlementState
from entrepot.commerce.ordering.parts import StoredOrder, due
from entrepot.commerce.payment.rules import Payment

ENTITLEMENT = Machine(
    "entitlement",
    {"waiting": ("handed_out", "cancelled"), "handed_out": ("revoked",), "revoked": (), "cancelled": ()},
)

WAREHOUSE = "digital"
OBJECTS = "downloads/"


class FileDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that comes with an article: its key in the objects engine, and how often and how long it can be fetched."""

    object: str
    file_name: str
    media_type: str = "application/octet-stream"
    downloads_most: int = 5
    days: int = 365


class Article(Struct, frozen=True, kw_only=True):
    """A digital article as it stands. ``days``: how long its file can be fetched."""

    variant_id: UUID
    sku: str
    licensed: bool
    object: str = ""
    file_name: str = ""
    media_type: str = ""
    downloads_most: int = 0
    days: int = 0
    version: int = 0

    def told(self, added: int = 0) -> ArticleChanged:
        """Return the event that tells of the article as it now is."""
        return ArticleChanged(
            variant_id=self.variant_id, sku=self.sku, licensed=self.licensed, added=added, file_name=self.file_name,
            downloads_most=self.downloads_most, days=self.days,
        )  # fmt: skip


class Bought(Struct, frozen=True, kw_only=True):
    """A line of an order that is digital, how far it is, and the article that it is of."""

    order_id: UUID
    line: int
    quantity: int
    cancelled: int
    returned: int
    order_state: str
    article: Article


class Entitlement(Struct, frozen=True, kw_only=True):
    """What a line of an order gives a right to. Of its ``quantity``, ``revoked`` are over."""

    order_id: UUID
    line: int
    variant_id: UUID
    sku: str
    quantity: int
    revoked: int
    state: EntitlementState
    object: str
    file_name: str
    media_type: str
    downloads: int
    downloads_most: int
    handed_out_at: datetime | None
    expires_at: datetime | None
    version: int

    def told(self, at: datetime) -> EntitlementMoved:
        """Return the event that tells of it as it now is."""
        return EntitlementMoved(
            order_id=self.order_id, line=self.line, sku=self.sku, quantity=self.quantity, revoked=self.revoked,
            state=self.state, at=at, expires_at=self.expires_at,
        )  # fmt: skip


def check_digital(sku: str, delivery: str) -> None:
    """Refuse licences and files for what is sent in parcels."""
    if delivery != "digital":
        raise ConflictError(
            f"{sku} is delivered by {delivery}: set its selling terms to the delivery digital first.",
            sku=sku,
            delivery=delivery,
        )


def check_codes(codes: Sequence[str]) -> None:
    """Refuse codes that nobody can mean; a refusal names the place, never the code."""
    if not 1 <= len(codes) <= limits.LICENCES_PER_CALL_MAX:
        raise BadInputError(f"{len(codes)} licences: 1 to {limits.LICENCES_PER_CALL_MAX} at once.", field="codes")
    for place, code in enumerate(codes):
        if not (1 <= len(code) <= limits.LICENCE_CODE_CHARS_MAX and code.isprintable() and code == code.strip()):
            raise BadInputError(
                f"Licence {place} is not usable: 1 to {limits.LICENCE_CODE_CHARS_MAX} printable characters.",
                field=f"codes[{place}]",
            )


def check_low_at(low_at: int | None) -> None:
    """Refuse a threshold that nobody can mean."""
    if low_at is not None and not 0 <= low_at <= limits.LICENCES_LOW_MAX:
        raise BadInputError(f"A pool cannot be low at {low_at} licences: 0 to {limits.LICENCES_LOW_MAX}.", field="low_at")


def with_pool(known: Article | None, sku: str, variant_id: UUID) -> Article:
    """Return the article with one more change to its pool; one that is sold as a file alone never runs out, and has none."""
    if known is not None and not known.licensed:
        raise ConflictError(f"{sku} is a file without licences: sell licences under another SKU.", sku=sku)
    article = known or Article(variant_id=variant_id, sku=sku, licensed=True)
    return msgspec.structs.replace(article, version=article.version + 1)


def check_file(draft: FileDraft) -> None:
    """Refuse a file that cannot be offered, naming the value."""
    if not draft.object.startswith(OBJECTS) or ".." in draft.object or len(draft.object) > limits.URL_CHARS_MAX:
        raise BadInputError(
            f"The object {draft.object[:80]!r} is not for download: its key begins with {OBJECTS}.", field="object"
        )
    if not (draft.file_name.strip() and draft.file_name.isprintable()) or "/" in draft.file_name:
        raise BadInputError(f"{draft.file_name[:80]!r} is no name of a file.", field="file_name")
    for name, most in (("downloads_most", limits.DOWNLOADS_MOST_MAX), ("days", limits.DOWNLOAD_DAYS_MAX)):
        if not 1 <= getattr(draft, name) <= most:
            raise BadInputError(f"{name} is {getattr(draft, name)}: 1 to {most}.", field=name)


def with_file(known: Article | None, sku: str, variant_id: UUID, draft: FileDraft) -> Article | None:
    """Return the article with a file, or None when it has just that one."""
    check_file(draft)
    article = known or Article(variant_id=variant_id, sku=sku, licensed=False)
    changed = msgspec.structs.replace(article, **{name: getattr(draft, name) for name in draft.__struct_fields__})
    return None if changed == known else msgspec.structs.replace(changed, version=article.version + 1)


def pieces_of_a_file(known: Article | None, article: Article) -> int:
    """Return how many pieces a file that is new is stocked with: so many that it does not run out."""
    return 0 if known is not None or article.licensed else limits.DOWNLOAD_PIECES


def entitle(bought: Bought) -> Entitlement:
    """Return what a line gives a right to, once it is paid."""
    article = bought.article
    return Entitlement(
        order_id=bought.order_id, line=bought.line, variant_id=article.variant_id, sku=article.sku,
        quantity=bought.quantity - bought.cancelled, revoked=0, state="waiting", object=article.object,
        file_name=article.file_name, media_type=article.media_type, downloads=0,
        downloads_most=article.downloads_most * (bought.quantity - bought.cancelled), handed_out_at=None, expires_at=None,
        version=0,
    )  # fmt: skip


def is_new(bought: Bought, known: Entitlement | None) -> bool:
    """Say whether a line gives a right that was not noted yet."""
    return known is None and bought.order_state != "cancelled" and bought.quantity > bought.cancelled


def is_paid(order: StoredOrder, payment: Payment | None) -> bool:
    """Say whether an order's digital goods are paid: on terms, free, or the money for all that has left with them is taken."""
    if order.placed.paid_by != "card":
        return order.placed.paid_by in {"terms", "none"}
    if payment is None:
        return False
    lines = [
        msgspec.structs.replace(one, shipped=one.line.quantity - one.cancelled) if one.line.delivery == "digital" else one
        for one in order.lines
    ]
    return payment.captured_minor >= due(msgspec.structs.replace(order, lines=lines)).total_minor


def to_hand_out(rights: Iterable[tuple[Entitlement, Bought]]) -> list[tuple[Entitlement, Bought]]:
    """Return those of an order's rights that wait to be handed out."""
    return [(right, one) for right, one in rights if right.state == "waiting"]


def hand_out(one: Entitlement, days: int, at: datetime) -> Entitlement:
    """Return what was handed out at this moment; a file can be fetched for so many days."""
    ENTITLEMENT.check(f"{one.order_id}/{one.line}", one.state, "handed_out")
    ends = at + timedelta(days=days) if one.object else None
    return msgspec.structs.replace(one, state="handed_out", handed_out_at=at, expires_at=ends, version=one.version + 1)


def settle(one: Entitlement, bought: Bought) -> Entitlement | None:
    """Return what is left of a right once pieces were cancelled or came back, or None when that is nothing new."""
    if one.state == "waiting":
        left = 0 if bought.order_state == "cancelled" else bought.quantity - bought.cancelled - bought.returned
        if left == one.quantity:
            return None
        state: EntitlementState = "waiting" if left > 0 else "cancelled"
        return msgspec.structs.replace(one, quantity=left or one.quantity, state=state, version=one.version)
    return revoke(one, bought.returned) if one.state == "handed_out" else None


def revoke(one: Entitlement, pieces: int | None = None) -> Entitlement | None:
    """Return what is left of a right when so many pieces of it (None: all) are over, or None when that is nothing new."""
    revoked = one.quantity if pieces is None else min(pieces, one.quantity)
    if one.state != "handed_out" or revoked <= one.revoked:
        return None
    state: EntitlementState = "revoked" if revoked == one.quantity else "handed_out"
    return msgspec.structs.replace(one, revoked=revoked, state=state, version=one.version + 1)


def too_many(promised: int, free: int, available: int) -> int:
    """Return how many pieces of a pool's level nobody could be given, and are taken off it: promises never exceed licences."""
    return min(max(promised - free, 0), available)
