"""What keeps one engine's absence from its readers: a breaker that opens when an engine hangs, and closes by itself.

A call that takes long raises a doubt, and the engine is asked the least it can be asked. Does it answer neither that nor
anybody else meanwhile, the breaker opens: whoever waits is let go, and whoever comes hears at once that the engine is away,
until it answers in the time of a request; then they are let in by degrees. So a question that is merely hard opens nothing, nor
does an engine that is busy and answers others; and no request is spent on finding out whether an engine is back. What is
refused at once (a connection, 429) costs nobody any time and needs no breaker. Knows no engine.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import iscoroutinefunction
from types import TracebackType
from typing import TypeVar, cast

import structlog
from msgspec import Struct

from entrepot.base.ending import ended
from entrepot.base.engine_limits import NEEDED_SHARE, PROBE_REST_SECONDS, PROBE_SHARE
from entrepot.base.errors import EngineAwayError, NotThereYetError
from entrepot.base.return_by_degrees import Return

log = structlog.get_logger()

T = TypeVar("T")

_LOOKS = 3


class Patience(Struct, frozen=True):
    """How long a caller waits: after ``doubt_seconds`` it asks itself why, after ``seconds_max`` (None: ever) it gives up.

    ``beside``: the caller does as well without, so it does not even wait for the doubt to be cleared.
    """

    doubt_seconds: float
    seconds_max: float | None
    beside: bool = False


class Breaker:
    """One engine as one process has it. ``why`` is empty while it is closed; ``check`` asks the engine the least.

    ``waits`` are those who wait now, to be let go; ``heard`` is how many answers there were; ``back`` lets in by degrees those
    who come after it was open, while it is not None.

    ``seconds`` is what a request may wait for the engine in all, of which the check has a share.
    """

    def __init__(self, role: str, check: Callable[[], Awaitable[object]], seconds: float) -> None:
        self.role, self.why = role, ""
        self.doubted = False
        self._check, self._seconds, self._late_seconds = check, seconds * PROBE_SHARE, seconds * (NEEDED_SHARE - PROBE_SHARE)
        self.waits: set[Waiting] = set()
        self.heard = 0
        self.back: Return | None = None
        self._probing: asyncio.Task[None] | None = None

    @property
    def sentence(self) -> str:
        """Say that the engine is away; nothing while it is not."""
        return str(EngineAwayError(self.role, self.why)) if self.why else ""

    async def check(self) -> None:
        """Ask the engine the least, or say at once that it is away; how they are told who ask whether it is well."""
        async with self.waiting(Patience(self._seconds, None)):
            await self._check()

    def waiting(self, patience: Patience) -> "Waiting":
        """Return what bounds one call: ``async with`` around it. Raises ``EngineAwayError`` at once while open."""
        if self.doubted and (self.why or patience.beside):
            raise EngineAwayError(self.role, self.why or "it took long a moment ago")
        return Waiting(self, patience)

    def doubt(self) -> None:
        """Find out whether the engine answers at all; if not, open until it does."""
        if not self.doubted:
            self.doubted = True
            self._probing = asyncio.get_running_loop().create_task(self._probe())

    async def close(self) -> None:
        """Stop asking."""
        if self._probing is not None:
            await ended(self._probing)

    async def _probe(self) -> None:
        try:
            while not await self._answers():  # noqa: ASYNC110  # nobody would tell us that it is back
                await asyncio.sleep(PROBE_REST_SECONDS)
        finally:
            if self.why:
                log.info("engine.back", role=self.role)
                self.back = Return()
            self.doubted, self.why = False, ""

    async def _answers(self) -> bool:
        asking, heard = asyncio.ensure_future(self._check()), self.heard
        try:
            # Between two looks, what has come in is read: a process that is late itself finds its answer there.
            for _ in range(_LOOKS):
                if (await asyncio.wait({asking}, timeout=self._seconds / _LOOKS))[0]:
                    break
            if not asking.done() and self.heard == heard:
                self._open()
                # Nobody waits for it any more, so it may take as long as a request might: who answers late is back.
                await asyncio.wait({asking}, timeout=self._late_seconds)
            if not asking.done():
                return self.heard > heard  # it is busy with others
        finally:
            asking.cancel()  # what is not answered by now, or when this breaker closes, is not asked any longer
        error = asking.exception()
        if error is not None and not isinstance(error, EngineAwayError | NotThereYetError):
            log.warning("engine.answers_otherwise", role=self.role, why=f"{type(error).__name__}: {error}")
        # Refused at once, it costs nobody time: who asks hears so from the engine itself.
        return True

    def _open(self) -> None:
        if not self.why:
            log.warning("engine.away", role=self.role)
            self.why = "it hangs, and is asked again and again whether it is back"
        for waiting in self.waits:
            waiting.cut()


class Waiting:
    """Bounds one call (``Breaker.waiting``). It stands around every call: one timer, not two as ``asyncio.timeout`` would."""

    __slots__ = ("_breaker", "_cancels", "_cut", "_patience", "_returns", "_task", "_timer")

    def __init__(self, breaker: Breaker, patience: Patience) -> None:
        self._breaker, self._patience, self._cut = breaker, patience, False
        self._returns: Return | None = None

    async def __aenter__(self) -> None:
        """Begin to wait."""
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancels = task, task.cancelling()
        self._timer = task.get_loop().call_later(self._patience.doubt_seconds, self._late)
        self._breaker.waits.add(self)
        if self._breaker.back is not None:
            await self._return(self._breaker.back)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Tell that nobody waits any more; whoever was cut hears that the engine is away."""
        self._timer.cancel()
        self._breaker.waits.discard(self)
        cancelled = kind is asyncio.CancelledError
        self._breaker.heard += not cancelled and kind is not EngineAwayError
        if self._returns is not None and self._returns.leave(answered=not cancelled) and self._breaker.back is self._returns:
            self._breaker.back = None
        if self._cut and self._task.uncancel() <= self._cancels and cancelled:
            why = self._breaker.why or f"no answer within {self._patience.seconds_max or 0:g} s"
            raise EngineAwayError(self._breaker.role, why) from error

    def cut(self) -> None:
        """Let go of who waits."""
        if not self._cut:
            self._cut = True
            self._task.cancel()

    async def _return(self, back: Return) -> None:
        try:
            await back.turn()
        except asyncio.CancelledError as error:
            await self.__aexit__(type(error), error, error.__traceback__)  # who was cut hears that the engine is away
            raise
        self._returns = back

    def _late(self) -> None:
        self._breaker.doubt()
        if self._patience.seconds_max is not None:
            rest = self._patience.seconds_max - self._patience.doubt_seconds
            self._timer = self._task.get_loop().call_later(rest, self.cut)


def guarded(driver: T, breaker: Breaker, patience: Patience) -> T:
    """Return a driver each of whose calls is bounded; ports stay what they are, so no reader knows of it."""
    return cast("T", _Guarded(driver, breaker, patience))


class _Guarded:
    def __init__(self, driver: object, breaker: Breaker, patience: Patience) -> None:
        self._driver, self._breaker, self._patience = driver, breaker, patience

    def __getattr__(self, name: str) -> object:
        method = getattr(self._driver, name)
        if not iscoroutinefunction(method):
            return method
        bounded = partial(self._ask, method)
        setattr(self, name, bounded)  # the next call finds it without asking here
        return bounded

    async def _ask(self, method: Callable[..., Awaitable[object]], *given: object, **named: object) -> object:
        async with self._breaker.waiting(self._patience):
            return await method(*given, **named)
