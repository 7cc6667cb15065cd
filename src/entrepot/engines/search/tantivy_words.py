"""The words of an index, as one commit left them, to look among for what was meant. Blocks: call it in a thread.

tantivy finds the items of a misspelled word, not the words that it may stand for; to walk its dictionary for those takes as
long as ten searches (40 ms for 90,000 words). So the walk is made once for a commit, when it is first asked for.
"""

from collections.abc import Sequence

from msgspec import Struct
from rapidfuzz import process
from rapidfuzz.distance import OSA
from tantivy import Searcher

from entrepot.engines.search.port import Near

# The rarest words beyond these are not what was meant.
_WORDS_MAX = 20_000


class _Listed(Struct, frozen=True):
    texts: Sequence[str]
    counts: Sequence[int]


class Words:
    """What one searcher knows of its fields' words; a new commit gets a new one."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._listed: dict[tuple[str, str], _Listed] = {}

    def near(self, field: str, text: str, edits: int, start: str) -> list[Near]:
        """Return the words that begin so, at most so many errors from the text, the nearest and most frequent first."""
        listed = self._begun(field, start)
        found = process.extract(text, listed.texts, scorer=OSA.distance, score_cutoff=edits, limit=None)
        near = [Near(word, listed.counts[at], int(errors)) for word, errors, at in found]
        return sorted(near, key=lambda each: (each.errors, -each.count, each.text))

    def _begun(self, field: str, start: str) -> _Listed:
        # Two threads may list the same words at once: both lists are right, and one is kept.
        listed = self._listed.get((field, start))
        if listed is None:
            found = self._searcher.terms_with_prefix(field, start, limit=_WORDS_MAX)
            listed = _Listed([text for text, _ in found], [count for _, count in found])
            if found:  # what begins no word is not kept, so that there are no more lists than first letters
                self._listed[field, start] = listed
        return listed
