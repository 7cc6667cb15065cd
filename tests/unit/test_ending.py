"""Tasks that would go on for ever are ended, also when they forget that they were asked to."""

import asyncio

import pytest

from entrepot.base import ending
from entrepot.base.ending import ended


async def forgetting(times: int, begun: asyncio.Semaphore) -> None:
    """Go on for ever, and forget so many cancellations, as a client does whose answer comes at the same moment."""
    begun.release()
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if times == 0:
                raise
            times -= 1


async def test_who_forgets_that_it_was_cancelled_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "ASKED_AGAIN_SECONDS", 0.01)
    begun = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(forgetting(times, begun)) for times in (0, 1, 3)]
    for _ in tasks:
        await begun.acquire()
    await ended(*tasks)
    assert all(task.cancelled() for task in tasks)


async def test_what_has_failed_before_is_no_error() -> None:
    async def failing() -> None:
        raise ValueError

    await ended(asyncio.create_task(failing()))
