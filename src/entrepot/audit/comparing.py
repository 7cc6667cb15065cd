"""Compares the rows that are there with those that links vouch for, and names each difference. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from entrepot.audit.report import Finding
from entrepot.audit.rules import Link, Row, link_hash, promised, row_hash

_SEQ, _TXID = 3, 4


def compare_rows(link: Link, rows: Sequence[Row], *, retired: bool = False) -> Iterator[Finding]:
    """Name the rows of a link that were altered, deleted, inserted or reordered; what retention took is not missing."""
    wanted = promised(link)
    found = {row.id: row for row in rows}
    wrong = [row for row in rows if row.id in wanted and row_hash(row.columns) != wanted[row.id]]
    for row in wrong:
        what = "reordered" if _stood_elsewhere(row, wrong, wanted) else "altered"
        yield _finding(what, link, row.id, f"is not what was linked: it was {what}")
    for id_ in wanted:
        if id_ not in found and not retired:
            yield _finding("deleted", link, id_, "was linked and is gone: it was deleted")
    for row in rows:
        if row.id not in wanted:
            yield _finding("inserted", link, row.id, "was never linked: it was inserted afterwards, or its id was altered")


def compare_link(link: Link, before: Link | None) -> Iterator[Finding]:
    """Name a link that was altered, or that does not follow the one before it."""
    place = before.place + 1 if before else 1
    if link.place != place:
        yield _link("link missing", link.place, f"Links {place} to {link.place - 1} are gone: they were deleted.")
    elif link.previous != (before.hash if before else b""):
        yield _link("link altered", link.place, f"Link {link.place} does not follow link {place - 1}: one of them was altered.")
    if link_hash(link) != link.hash:
        yield _link("link altered", link.place, f"Link {link.place} is not what was written: it was altered or moved.")


def _stood_elsewhere(row: Row, wrong: Sequence[Row], wanted: Mapping[UUID, bytes]) -> bool:
    """Say whether a row would be as it was linked if it stood where another wrong one stands."""
    columns = list(row.columns)
    for other in wrong:
        columns[_SEQ], columns[_TXID] = other.seq, other.txid
        if other is not row and row_hash(columns) == wanted[row.id]:
            return True
    return False


def _finding(what: str, link: Link, id_: UUID, sentence: str) -> Finding:
    return Finding(
        what=what,  # type: ignore[arg-type]  # one of the words that are given above
        sentence=f"The {link.source} {id_} (link {link.place}) {sentence}.",
        source=link.source,
        id=id_,
        place=link.place,
    )


def _link(what: str, place: int, sentence: str) -> Finding:
    return Finding(what=what, sentence=sentence, place=place)  # type: ignore[arg-type]  # one of the words given above
