"""What a request leaves in the audit: one entry for each command and each read of personal data, before its answer goes out.

Which reads those are says ``personal.py``. An answer whose entry cannot be made durable is not given; whoever asked tries
again, with the same key.
"""

import asyncio
import re
from typing import Protocol
from uuid import UUID

import msgspec
import structlog
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR
from litestar.types import HTTPResponseStartEvent, HTTPScope, Message, Send
from msgspec import Struct

from entrepot.access.told import Told
from entrepot.api import problems
from entrepot.api.personal import PERSONAL, UNNOTED
from entrepot.api.place import told_of
from entrepot.api.principal import who_asks
from entrepot.audit import rules
from entrepot.audit.commands import Auditor, Entry
from entrepot.base import limits
from entrepot.base.errors import EngineAwayError, EntrepotError
from entrepot.record.cause import Cause
from entrepot.record.transaction import Record

log = structlog.get_logger()

REQUEST = "Entrepot-Request"

CREATED = 201

# What is one's own: its answers need not say whose they are.
OWN = "account.own"

_TYPED = re.compile(r":\w+\}")

_READS = {"GET", "HEAD", "OPTIONS"}


class _Typed(Struct):
    """The one member of a problem that an entry keeps."""

    type: str


class Noting(Protocol):
    """What the edge asks for an entry."""

    def begun(self, scope: HTTPScope) -> Cause:
        """Return the request as what it causes knows it."""
        ...

    async def note(self, scope: HTTPScope, cause: Cause, start: HTTPResponseStartEvent, body: bytes) -> None:
        """Return once the entry that this answer calls for is durable."""
        ...


class Notes:
    """Makes entries of requests and has them written."""

    def __init__(self, auditor: Auditor, record: Record, cell: int, proxies: int) -> None:
        self._auditor, self._record, self._proxies = auditor, record, proxies
        self._told = Told(record, cell)

    def begun(self, scope: HTTPScope) -> Cause:
        """Return the request with a fresh id; a reason that cannot be kept is refused before anything is done."""
        cause = Cause(self._record.ids.fresh())
        self.tell(scope, cause)
        return cause

    def tell(self, scope: HTTPScope, cause: Cause) -> None:
        """Tell a cause from where its request comes and why; a reason that cannot be kept is refused."""
        place, why = told_of(scope, self._proxies)
        cause.network, cause.agent = place.network, rules.agent_of(place.agent)
        cause.why = rules.check_why(why)

    async def note(self, scope: HTTPScope, cause: Cause, start: HTTPResponseStartEvent, body: bytes) -> None:
        """Return once the entry is durable."""
        kind = kind_of(scope)
        assert kind is not None
        status, action = start["status"], f"{scope['method']} {route_of(scope)}"
        object_ = rules.object_of(scope.get("path_params", {}), _made(start))
        problem = problem_of(body) if status >= problems.REFUSED else ""
        if kind == "read" and status < problems.REFUSED:
            customer = scope.get("path_params", {}).get("customer_id")
            cause.tells_of([_own(scope), UUID(str(customer)) if customer else None])
            cause.tells_of(await self._told.of(f"{scope['path']} {body.decode('latin-1')}"))
        await self.write(scope, cause, kind, action, status, object_, problem)

    async def write(  # the columns of an entry
        self, scope: HTTPScope, cause: Cause, kind: rules.Class, action: str, status: int, object_: str, problem: str
    ) -> None:
        """Write one entry."""
        await self._auditor.note(
            Entry(
                id=cause.id,
                at=self._record.clock.tick(),
                kind=kind,
                actor=actor_of(scope),
                action=action,
                object=object_,
                subject=cause.subject,
                network=cause.network,
                agent=cause.agent,
                why=cause.why,
                status=status,
                problem=problem,
                others=cause.others,
            )
        )


class AuditedSend:
    """Holds an answer back until its entry is durable, and gives a refusal in its place when it cannot be."""

    def __init__(self, notes: Noting, scope: HTTPScope, cause: Cause, send: Send) -> None:
        self._notes, self._scope, self._cause, self._send = notes, scope, cause, send
        self._start: HTTPResponseStartEvent | None = None
        self._noted = self._refused = False

    async def __call__(self, message: Message) -> None:
        """Pass a message on, the first two of them once the entry is written."""
        if self._refused:
            return
        if message["type"] == "http.response.start" and not self._noted and kind_of(self._scope):
            self._start = message
            return
        if self._start is not None and message["type"] == "http.response.body":
            start, self._start = self._start, None
            start["headers"] = [*start["headers"], (REQUEST.lower().encode(), str(self._cause.id).encode())]
            try:
                self._noted = True  # whatever becomes of it: a request has one entry
                # An answer that says that we could not has shown and done nothing: it does not wait long for its entry.
                failed = start["status"] >= HTTP_500_INTERNAL_SERVER_ERROR
                noting = self._notes.note(self._scope, self._cause, start, message["body"])
                await (asyncio.wait_for(noting, limits.RELEASE_SECONDS_MAX) if failed else noting)
            except (EntrepotError, TimeoutError) as error:
                if not failed:
                    await self._refuse(
                        error if isinstance(error, EntrepotError) else EngineAwayError("record", "no answer in time")
                    )
                    return
            await self._send(start)
        await self._send(message)

    async def _refuse(self, error: EntrepotError) -> None:
        self._refused = True
        log.warning("audit.answer_withheld", why=str(error))
        problem = problems.of(error)
        body = problem.json()
        headers = {"content-type": problems.MEDIA_TYPE, "content-length": str(len(body)), **problem.headers()}
        lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": problem.status, "headers": lines})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def kind_of(scope: HTTPScope) -> rules.Class | None:
    """Return what an answer is to the audit: catalogue reads, and addresses that do not exist, are nothing to it."""
    if scope.get("route_handler") is None:  # nothing was found there
        return None
    route = route_of(scope)
    if scope["method"] not in _READS:
        return None if route in UNNOTED else "command"
    return "read" if route in PERSONAL else None


def actor_of(scope: HTTPScope) -> str:
    """Return who asks, as entries and events say it."""
    return str(who_asks(scope))


def route_of(scope: HTTPScope) -> str:
    """Return the address without what it names, and without the types of that."""
    return _TYPED.sub("}", str(scope.get("path_template", "")))


def _own(scope: HTTPScope) -> UUID | None:
    """Return who asks, where they ask for what is their own."""
    return who_asks(scope).id if scope["route_handler"].opt["permission"] == OWN else None


def problem_of(body: bytes) -> str:
    """Return the kind of problem that a body tells of, as far as it does."""
    try:
        return msgspec.json.decode(body, type=_Typed).type.rpartition("/")[2]
    except msgspec.MsgspecError:
        return ""  # a page says it to a person


def _made(start: HTTPResponseStartEvent) -> str:
    """Return what was made: the end of the address that the answer gives it."""
    address = dict(start["headers"]).get(b"location", b"") if start["status"] == CREATED else b""
    return str(address.decode("latin-1").partition("?")[0].rpartition("/")[2])
