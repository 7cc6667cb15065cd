"""Writes many documents to Elasticsearch: in requests of bounded bytes, each guarded by its version.

A version is the document's own (``version_type=external``): an older or equal one is answered 409, which is no failure. What
the server has no room for (429, 503) is sent again, later and with jitter; what it can never take is a refusal, and its
neighbours are written. https://www.elastic.co/docs/reference/elasticsearch/rest-apis/index-documents#versioning
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
import stamina
from elasticsearch import AsyncElasticsearch
from msgspec import Struct

from entrepot.base.engine_limits import SEARCH_BULK_BYTES_MAX, SEARCH_TRIES_MAX, SEARCH_WRITE_SECONDS_MAX
from entrepot.base.errors import EngineAwayError
from entrepot.base.projection import Item, Refusal
from entrepot.engines.search import elasticsearch_shape as shape
from entrepot.engines.search.elasticsearch_wire import ROLE, FullError, answering, reason
from entrepot.engines.search.shape import Field

Guard = Literal["external", "external_gte"]

_CONFLICT, _NOT_FOUND, _UNFIT = 409, 404, frozenset({400, 413})
_LATER = frozenset({429, 503})


class Change(Struct, frozen=True):
    """One document as it is to be; ``document`` None deletes it, whatever its version."""

    id: str
    version: int
    document: bytes | None


class Written(Struct, frozen=True):
    """What became of changes: those the server can never take, and the ids of those it has a newer version of."""

    refused: list[Refusal]
    older: list[str]


class Made(Struct, frozen=True):
    """Items as changes, and those of which no document can be made."""

    changes: list[Change]
    refused: list[Refusal]


def made_of(items: Sequence[Item], fields: Mapping[str, Field]) -> Made:
    """Return the documents of items, made all at once: have it computed beside the event loop."""
    made = Made([], [])
    for item in items:
        try:
            document = msgspec.json.encode(shape.document(item, fields))
            made.changes.append(Change(item.id, item.version, document))
        except (ValueError, TypeError, OverflowError) as error:
            made.refused.append(Refusal(item.id, f"{error}"))
    return made


async def write(client: AsyncElasticsearch, index: str, changes: Sequence[Change], guard: Guard) -> Written:
    """Write the changes to an index that is there; an index that is not is never made by writing to it."""
    written = Written([], [])
    for part in _parts(changes):
        waiting = list(part)
        async for attempt in stamina.retry_context(
            on=EngineAwayError, attempts=SEARCH_TRIES_MAX, timeout=SEARCH_WRITE_SECONDS_MAX
        ):
            with attempt:
                waiting = await _send(client, index, waiting, guard, written)
                if waiting:
                    raise FullError(ROLE, f"it has no room for {len(waiting)} of {len(part)} documents now")
    return written


async def _send(
    client: AsyncElasticsearch, index: str, changes: Sequence[Change], guard: Guard, written: Written
) -> list[Change]:
    """Send one request; return what the server had no room for."""
    lines = [line for change in changes for line in _lines(change, guard)]
    with answering():
        bulk = client.options(request_timeout=SEARCH_WRITE_SECONDS_MAX).bulk
        answer = await bulk(
            index=index,
            operations=lines,  # type: ignore[arg-type]  # the client sends bytes as they are
            require_alias=True,
            filter_path=["items.*.status", "items.*.error"],
        )
    results = answer.body.get("items", [])
    return [change for change, result in zip(changes, results, strict=True) if _is_waiting(change, result, written)]


def _is_waiting(change: Change, result: dict[str, Any], written: Written) -> bool:
    (one,) = result.values()
    status: int = one["status"]
    error = one.get("error") or {}
    if status == _CONFLICT:
        written.older.append(change.id)
    elif status in _UNFIT:
        written.refused.append(Refusal(change.id, reason({"error": error})))
    elif status in _LATER:
        return True
    elif error and not (status == _NOT_FOUND and change.document is None):
        raise EngineAwayError(ROLE, f"it answers {status} {error.get('reason')}")
    return False


def _lines(change: Change, guard: Guard) -> Iterator[bytes]:
    if change.document is None:
        yield msgspec.json.encode({"delete": {"_id": change.id}})
    else:
        yield msgspec.json.encode({"index": {"_id": change.id, "version": change.version, "version_type": guard}})
        yield change.document


def _parts(changes: Sequence[Change]) -> Iterator[list[Change]]:
    part: list[Change] = []
    size = 0
    for change in changes:
        more = len(change.document or b"")
        if part and size + more > SEARCH_BULK_BYTES_MAX:
            yield part
            part, size = [], 0
        part.append(change)
        size += more
    if part:
        yield part
