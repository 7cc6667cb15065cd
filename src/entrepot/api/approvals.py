"""What takes two people, over HTTP: deeds that wait, somebody else's word, limits, and the log of financial terms."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from entrepot.access import policies
from entrepot.access.errors import ForbiddenError
from entrepot.access.permissions import DECIDES
from entrepot.api.catalogue import Done, done
from entrepot.api.headers import moved
from entrepot.api.pages import Cursor, Limit, next_link, parse_cursor
from entrepot.api.parts import Parts
from entrepot.api.principal import freshly_proved
from entrepot.base.errors import BadInputError, NotFoundError
from entrepot.base.time import utc
from entrepot.commerce.approval import commands, query
from entrepot.commerce.approval import rules as approval
from entrepot.commerce.approval.query import FinancialChange
from entrepot.commerce.approval.rules import Approval
from entrepot.record.transaction import Transaction

TAGS = ["Approvals"]

# Named otherwise in the code: a parameter called ``state`` is the framework's own.
ApprovalsState: TypeAlias = Annotated[
    Literal["", "requested", "approved", "refused", "expired", "applied"],
    QueryParameter(name="state", description="Only those that stand so."),
]


class ApprovalPage(Struct, frozen=True, kw_only=True):
    """Deeds that take two people, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[Approval]
    cursor: str


class Word(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody decides, and why: a refusal says so."""

    decision: Literal["approved", "refused"]
    why: str = ""


class ApprovalLimits(Struct, frozen=True, kw_only=True):
    """From where on deeds take two people."""

    items: list[approval.Limit]


class LimitDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """More than ``above`` takes two people; null lifts the limit."""

    above: int | None


class FinancialChangePage(Struct, frozen=True, kw_only=True):
    """Changes of financial terms, newest first; ``cursor`` leads to the next page, empty says the end."""

    items: list[FinancialChange]
    cursor: str


@get("/v1/approvals", tags=TAGS, summary="What takes two people", opt={"permission": "approvals.read"})
async def list_approvals(
    parts: NamedDependency[Parts], only: ApprovalsState = "", cursor: Cursor = "", limit: Limit = 20
) -> Response[ApprovalPage]:
    """List deeds that wait for somebody's word, or had it, newest first."""
    async with parts.record.reading() as connection:
        items = await query.approvals(connection, parts.cell, only, parse_cursor(cursor), limit)
    page = ApprovalPage(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    link = next_link("/v1/approvals", page.cursor, limit, **({"state": only} if only else {}))
    return Response(page, headers={"Cache-Control": "no-store", **link})


@get("/v1/approvals/{approval_id:uuid}", tags=TAGS, summary="How a deed stands", opt={"permission": "approvals.read"})
async def read_approval(parts: NamedDependency[Parts], approval_id: FromPath[UUID]) -> Response[Approval]:
    """Read what somebody wants to do, and what was said to it."""
    async with parts.record.reading() as connection:
        found = await query.approval(connection, parts.cell, approval_id)
    if found is None:
        raise NotFoundError(f"There is no approval {approval_id}.", approval_id=str(approval_id))
    return Response(found, headers={"Cache-Control": "no-store"})


@post(
    "/v1/approvals/{approval_id:uuid}/decisions",
    tags=TAGS,
    summary="Approve or refuse what somebody else wants to do",
    opt={"permission": "approvals.decide"},
)
async def decide_approval(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], approval_id: FromPath[UUID], data: JSONBody[Word]
) -> Response[Approval]:
    """Give one's word. Takes a fresh proof of who one is, and the permission to do such a deed; nobody decides their own."""
    return Response(await give_word(request, parts, approval_id, data), status_code=201)


@get("/v1/approval-limits", tags=TAGS, summary="From where on deeds take two people", opt={"permission": "approvals.read"})
async def list_limits(parts: NamedDependency[Parts]) -> Response[ApprovalLimits]:
    """List every limit."""
    async with parts.record.reading() as connection:
        items = await query.thresholds(connection)
    return Response(ApprovalLimits(items=items), headers={"Cache-Control": "no-store"})


@put(
    "/v1/approval-limits/{kind:str}/{where:str}",
    tags=TAGS,
    summary="Set or lift a limit",
    opt={"permission": "approvals.limits"},
)
async def set_limit(
    parts: NamedDependency[Parts], kind: FromPath[str], where: FromPath[str], data: JSONBody[LimitDraft]
) -> Response[Done]:
    """Set from where on deeds of a kind take two people; to let more through than before takes two people itself."""
    wanted = approval.Limit(kind=approval.known_kind(kind), scope=where, above=data.above)

    async def act(tx: Transaction) -> Done:
        return done(await commands.set_limit(tx, wanted))

    answer = await parts.run(act, Done)
    return Response(answer, headers=moved(answer.position))


@get("/v1/financial-changes", tags=TAGS, summary="Who changed what decides about money", opt={"permission": "approvals.read"})
async def list_changes(
    parts: NamedDependency[Parts],
    of: Annotated[str, QueryParameter(description="Only of keys that begin so, such as seller/ or price-list/vip.")] = "",
    since: Annotated[datetime | None, QueryParameter(description="From this moment on.")] = None,
    cursor: Cursor = "",
    limit: Limit = 20,
) -> Response[FinancialChangePage]:
    """List changes of prices, lists, rates, promotions, sellers' terms, companies' credit, limits and roles, newest first."""
    if since is not None and since.tzinfo is None:
        raise BadInputError(f"The moment {since.isoformat()} has no time zone: add one, such as Z.", field="since")
    after = since or datetime(1, 1, 1, tzinfo=UTC)
    async with parts.record.reading() as connection:
        items = await query.changes(connection, parts.cell, of, after, parse_cursor(cursor), limit)
    page = FinancialChangePage(items=items, cursor=str(items[-1].id) if len(items) == limit else "")
    more = {"of": of, **({"since": since.isoformat()} if since else {})}
    link = next_link("/v1/financial-changes", page.cursor, limit, **{name: value for name, value in more.items() if value})
    return Response(page, headers={"Cache-Control": "no-store", **link})


HANDLERS = [list_approvals, read_approval, decide_approval, list_limits, set_limit, list_changes]


async def give_word(request: Request[Any, Any, Any], parts: Parts, approval_id: UUID, word: Word) -> Approval:
    """Approve or refuse a deed; who does must be able to do it themselves, and have proved who they are a moment ago."""
    who = freshly_proved(request, utc(parts.clock.millis()))
    assert who.id is not None  # who has proved who they are is somebody
    async with parts.record.transaction(parts.cell, parts.actor) as tx:
        decided = await commands.decide(tx, approval_id, word.decision, who.id, word.why)
        permission = DECIDES[decided.kind]
        if not policies.grants(who, permission):
            raise ForbiddenError(permission)
    return decided
