"""Keeps Python's search for garbage out of the way of a process that serves: it looks through little, and seldom.

Nothing of the house's is in circles by intent: what goes away does so by count of references, at once. The search is for the
few circles that libraries and tracebacks make.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# After so many more containers were made than let go. Python's own 700 are made by a single request, and were looked through
# for nothing many times in each.
MADE_BEFORE_SEARCH = 20_000
# Of the searches of what is young one in so many goes on to what is older, and of these one in so many to all.
OLDER_IN_SEARCHES = 20


@contextmanager
def settled() -> Iterator[None]:
    """Leave what was made so far out of every later search, and search seldom, until the end of the ``with``.

    What was made to start stays until the end. A full search went through all of it, and every request waited for that, 100 ms
    and more.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(MADE_BEFORE_SEARCH, OLDER_IN_SEARCHES, OLDER_IN_SEARCHES)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
