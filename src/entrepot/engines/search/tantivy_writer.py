"""Who may write a tantivy index: one process at a time, by turns. Knows files and locks, nothing of items.

tantivy lets one writer hold an index. The projector holds it while it has work; a repair from another process asks for its
turn by locking ``turn.lock``, which the holder tries after every batch and while idle. A dead process holds no lock, since
both are kernel locks.
"""

import fcntl
import time
from pathlib import Path

from tantivy import Index, IndexWriter

from entrepot.base.errors import EngineAwayError
from entrepot.base.limits import LOCK_SECONDS_MAX

# One indexing thread keeps up with the log on two cores and leaves the other for readers; the heap bounds its memory.
_HEAP_BYTES = 64_000_000
_THREADS = 1
_TRY_SECONDS = 0.01
_KEPT_SECONDS = 2.0


class Turn:
    """The right to write one index. Every method blocks: call them in a thread."""

    def __init__(self, folder: Path, index: Index) -> None:
        self._lock = folder / "turn.lock"
        self._index = index
        self._writer: IndexWriter | None = None
        self.used = 0.0

    def take(self) -> IndexWriter:
        """Return the writer, waiting for another process to finish its turn; too long a wait is an ``EngineAwayError``."""
        if self._writer is None:
            self._writer = self._wait(time.monotonic() + LOCK_SECONDS_MAX)
        self.used = time.monotonic()
        return self._writer

    @property
    def held(self) -> bool:
        """Whether this process has the writer."""
        return self._writer is not None

    def wanted(self) -> bool:
        """Whether another process waits for its turn."""
        with self._lock.open("w") as file:
            return not _locked(file.fileno(), fcntl.LOCK_SH)

    def idle(self) -> bool:
        """Whether the writer was not used for a while, or another process waits for it."""
        return self.held and (self.wanted() or time.monotonic() - self.used > _KEPT_SECONDS)

    def end(self) -> None:
        """Give the writer back, after its merges are done; what was not committed is dropped."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.wait_merging_threads()

    def abandon(self) -> None:
        """Drop the writer after an error, with everything it had not committed."""
        self._writer = None

    def _wait(self, deadline: float) -> IndexWriter:
        with self._lock.open("w") as file:
            asked = False
            while True:
                asked = asked or _locked(file.fileno(), fcntl.LOCK_EX)
                if asked:
                    try:
                        return self._index.writer(_HEAP_BYTES, _THREADS)
                    except ValueError as error:
                        if "lock" not in str(error).lower():
                            raise
                if time.monotonic() > deadline:
                    raise EngineAwayError("search", f"another process writes {self._lock.parent.name}")
                time.sleep(_TRY_SECONDS)


def _locked(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
