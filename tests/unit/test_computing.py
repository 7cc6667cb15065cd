"""What Python computes beside the event loop: one piece at a time, in the order they came, and in a forked process, too."""

import asyncio
import os
import threading

import pytest

from entrepot.base.computing import computed


async def test_pieces_are_done_one_at_a_time_in_the_order_they_came() -> None:
    done: list[int] = []
    at_work = threading.Lock()

    def piece(number: int) -> int:
        assert at_work.acquire(blocking=False), "another piece is being done"
        threading.Event().wait(0.002)  # which lets others go on: one that is done meanwhile would find the lock taken
        done.append(number)
        at_work.release()
        return -number

    assert await asyncio.gather(*(computed(piece, number) for number in range(20))) == [-number for number in range(20)]
    assert done == list(range(20))


async def test_what_a_piece_raises_comes_to_who_asked() -> None:
    with pytest.raises(ZeroDivisionError):
        await computed(divmod, 1, 0)
    assert await computed(divmod, 7, 2) == (3, 1)


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    begun: list[str] = []
    go_on = threading.Event()
    first = asyncio.create_task(computed(go_on.wait, 10))
    second = asyncio.create_task(computed(begun.append, "second"))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    go_on.set()
    assert await first
    await computed(begun.append, "third")
    assert begun == ["third"]


def test_a_forked_process_computes_by_itself() -> None:
    assert asyncio.run(computed(int, "1")) == 1
    child = os.fork()
    if child == 0:  # whatever happens, it ends here
        try:
            found = asyncio.run(asyncio.wait_for(computed(int, "2"), 10))
            os._exit(0 if found == 2 else 1)  # what it was asked
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
