"""The back office: what waits for somebody, disputes with their evidence, coupons with their use, and the house's own work."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct

from entrepot.api.parts import Parts
from entrepot.base.errors import BadInputError, EntrepotError
from entrepot.commerce.aftersale.query import returns
from entrepot.commerce.approval import query as approval
from entrepot.commerce.business import query as business
from entrepot.commerce.checkout.quoting import coupons_used
from entrepot.commerce.digital.query import low_pools
from entrepot.commerce.payment import operations
from entrepot.commerce.payment.query import disputes, unclear_operations
from entrepot.commerce.promotion.query import coupons
from entrepot.commerce.subscription.query import subscriptions
from entrepot.commerce.webhook.query import endpoints
from entrepot.console.forms import Form, key_of, text
from entrepot.console.render import page
from entrepot.jobs import store as jobs

LIMIT = 50
TABS: Sequence[tuple[str, str, str]] = (
    ("overview", "Waiting", "/office"),
    ("returns", "Returns", "/office/returns"),
    ("disputes", "Disputes", "/office/disputes"),
    ("payments", "Payments", "/office/payments"),
    ("companies", "Companies", "/office/companies"),
    ("quotes", "Quotes", "/office/quotes"),
    ("purchases", "Purchases", "/office/purchases"),
    ("invoices", "Invoices", "/office/invoices"),
    ("subscriptions", "Subscriptions", "/office/subscriptions"),
    ("coupons", "Coupons", "/office/coupons"),
    ("files", "Files", "/office/files"),
    ("licences", "Licences", "/office/licences"),
    ("webhooks", "Webhooks", "/office/webhooks"),
    ("jobs", "Jobs", "/office/jobs"),
    ("people", "People", "/office/people"),
    ("approvals", "Approvals", "/office/approvals"),
    ("privacy", "Privacy", "/office/privacy"),
    ("audit", "Audit", "/office/audit"),
)


class Waiting(Struct, frozen=True):
    """Something that waits for somebody: how much of it (``LIMIT`` says: or more), what to do about it, and where."""

    what: str
    count: int
    todo: str
    href: str
    shape: str = "warning"


@get("/office", include_in_schema=False, opt={"permission": "orders.read"})
async def overview(parts: NamedDependency[Parts]) -> Response[str]:
    """Show what waits for somebody."""
    async with parts.record.committing() as connection:
        asked = await returns(connection, parts.cell, None, "requested", None, LIMIT)
        here = await returns(connection, parts.cell, None, "received", None, LIMIT)
        decided = await returns(connection, parts.cell, None, "inspected", None, LIMIT)
        disputed = await disputes(connection, parts.cell, None, "opened", LIMIT)
        pending = await business.purchases(connection, parts.cell, None, "pending", None, LIMIT)
        talks = await business.negotiations(connection, parts.cell, None, None, LIMIT)
        late = await business.invoices(connection, parts.cell, None, "overdue", None, LIMIT)
        unpaid = await subscriptions(connection, parts.cell, None, None, LIMIT, "past_due")
        unclear = await unclear_operations(connection, parts.cell, LIMIT)
        low = await low_pools(connection, parts.cell, LIMIT)
        told = await endpoints(connection, parts.cell)
        runs = await jobs.runs(connection)
        words = await approval.approvals(connection, parts.cell, "requested", None, LIMIT)
    ours = [one for one in talks if one.state in {"requested", "countered"}]
    found = [
        Waiting("Returns on their way", len(asked), "Note what arrives", "/office/returns?state=requested"),
        Waiting("Returns to inspect", len(here), "Look at each piece", "/office/returns?state=received"),
        Waiting("Returns to settle", len(decided), "Refund or exchange", "/office/returns?state=inspected"),
        Waiting("Disputes to answer", len(disputed), "Send evidence", "/office/disputes", "bad"),
        Waiting("Payments to settle", len(unclear), "Ask the gateway", "/office/payments", "bad"),
        Waiting("Deeds that take two people", len(words), "Approve or refuse", "/office/approvals"),
        Waiting("Purchases to approve", len(pending), "Approve or reject", "/office/purchases"),
        Waiting("Quotes to answer", len(ours), "Offer a price", "/office/quotes"),
        Waiting("Invoices overdue", len(late), "Remind the company", "/office/invoices?state=overdue"),
        Waiting("Subscriptions past due", len(unpaid), "See why", "/office/subscriptions?state=past_due"),
        Waiting("Licences running out", len(low), "Put some in", "/office/licences"),
        Waiting("Webhook events given up", sum(one.dead for one in told), "Mend the subscriber", "/office/webhooks", "bad"),
        Waiting("Jobs that failed", sum(bool(one.error) for one in runs), "Read why", "/office/jobs", "bad"),
    ]
    return office_page("office.html", "overview", {"waiting": [one for one in found if one.count], "limit": LIMIT})


@get("/office/disputes", include_in_schema=False, opt={"permission": "payments.read"})
async def list_disputes(parts: NamedDependency[Parts], done: FromQuery[str] = "") -> Response[str]:
    """Show disputes, newest first, each with what was said against it."""
    return await _disputes_page(parts, done="The evidence is sent." if done else "")


@post("/office/disputes/{dispute_id:uuid}", include_in_schema=False, opt={"permission": "payments.handle"})
async def answer_dispute(parts: NamedDependency[Parts], dispute_id: FromPath[UUID], data: Form) -> Response[Any]:
    """Send evidence, once; what stands against it is said beside the dispute, and what was typed stays."""
    evidence = text(data, "evidence")
    try:
        if not evidence:
            raise BadInputError("Nothing was sent: write what speaks against the dispute.", field="evidence")
        await operations.submit_evidence(parts.record, parts.gateway, parts.cell, key_of(data, parts), dispute_id, evidence)
    except EntrepotError as error:
        return await _disputes_page(parts, at=dispute_id, wrong=str(error), typed=evidence, status=error.status)
    return Redirect("/office/disputes?done=sent", status_code=303)


@get("/office/coupons", include_in_schema=False, opt={"permission": "promotions.read"})
async def list_coupons(parts: NamedDependency[Parts], after: FromQuery[str] = "") -> Response[str]:
    """Show coupons and how often each was used."""
    async with parts.record.committing() as connection:
        items = await coupons(connection, after, LIMIT)
        used = await coupons_used(connection, parts.cell, [one.code for one in items])
    more = items[-1].code if len(items) == LIMIT else ""
    return office_page("coupons.html", "coupons", {"items": items, "used": used, "more": more})


@get("/office/jobs", include_in_schema=False, opt={"permission": "house.watch"})
async def list_jobs(parts: NamedDependency[Parts]) -> Response[str]:
    """Show what the house does by itself: how each job went, and how far each reaction has read."""
    async with parts.record.committing() as connection:
        context = {"runs": await jobs.runs(connection), "cursors": await jobs.cursors(connection, parts.cell)}
    return office_page("jobs.html", "jobs", context)


HANDLERS = [overview, list_disputes, answer_dispute, list_coupons, list_jobs]


def office_page(template: str, tab: str, context: Mapping[str, object], *, status: int = 200) -> Response[str]:
    """Return a page of the office, with its tabs."""
    return page(template, "office", {**context, "tabs": TABS, "tab": tab}, status=status)


async def _disputes_page(
    parts: Parts, *, at: UUID | None = None, wrong: str = "", typed: str = "", done: str = "", status: int = 200
) -> Response[str]:
    async with parts.record.committing() as connection:
        items = await disputes(connection, parts.cell, None, "", LIMIT)
    context = {"items": items, "at": at, "wrong": wrong, "typed": typed, "done": done, "fresh": parts.record.ids.fresh}
    return office_page("disputes.html", "disputes", context, status=status)
