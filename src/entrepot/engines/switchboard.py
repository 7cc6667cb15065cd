"""The engines that one role is played by: one as a rule, two while it is moved. A call goes where its target lies.

Knows no product and no business word; where an engine is, it is told by ``Finds``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from entrepot.base.errors import EntrepotError
from entrepot.base.projection import Target
from entrepot.engines.products import Driver, driver

Finds = Callable[[str, str], Awaitable[str]]


class Switchboard:
    """Keeps its role's port: each of its calls names a target first, and the target its engine.

    ``own`` is the engine that readers use when the process starts. Others are reached when they are first asked.
    """

    def __init__(self, role: str, find: Finds, own: str = "") -> None:
        self._role, self._find, self._own = role, find, own
        self._stores: dict[str, Driver] = {}
        self._by_url: dict[str, Driver] = {}
        self._opening = asyncio.Lock()

    async def open(self) -> None:
        """Connect to the role's own engine."""
        await self._at(self._own)

    async def close(self) -> None:
        """Let go of every engine."""
        for opened in self._by_url.values():
            with suppress(EntrepotError):  # one that is away has nothing that could be given back
                await opened.close()
        self._stores.clear()
        self._by_url.clear()

    async def ready(self, target: Target) -> None:
        """Connect to a target's engine, before anybody waits for it."""
        await self._at(target.engine)

    def __getattr__(self, name: str) -> object:
        """Return a call of the port, which goes where its target lies."""
        if name.startswith("_"):
            raise AttributeError(name)
        call = partial(self._call, name)
        setattr(self, name, call)  # the next caller finds it without asking here
        return call

    async def _call(self, name: str, target: Target, *given: object, **named: object) -> object:
        store = self._stores.get(target.engine) or await self._at(target.engine)
        answer: object = await getattr(store, name)(target, *given, **named)
        return answer

    async def _at(self, engine: str) -> Driver:
        async with self._opening:
            if engine not in self._stores:
                url = await self._find(self._role, engine)
                # One client for one engine, by whatever name it goes: an engine in a folder has one writer in a process.
                if url not in self._by_url:
                    made: Driver = driver(self._role, url)
                    await made.open()
                    self._by_url[url] = made
                self._stores[engine] = self._by_url[url]
            return self._stores[engine]
