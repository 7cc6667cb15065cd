"""Every document of every index of an Elasticsearch, with its id, and what the indices themselves are told of."""

from typing import Any

import msgspec

from entrepot.base.limits import JOB_SECONDS_MAX
from entrepot.engines.search.elasticsearch_wire import connect
from entrepot.privacy.scan.looking import Looked, Looking
from entrepot.privacy.scan.needles import Needles

_AT_ONCE = 1_000
_KEPT = "2m"


async def search(source: str, url: str, needles: Needles) -> Looked:
    """Search a server."""
    looking, connected = Looking(source, needles, ids=True), connect(url)
    async with connected:
        client = connected.options(request_timeout=JOB_SECONDS_MAX)
        told: dict[str, Any] = (await client.indices.get(index="*", expand_wildcards="open,closed")).body
        for index, about in sorted(told.items()):
            looking.look(f"{index}: settings and mapping", msgspec.json.encode(about))
            if about["settings"]["index"].get("verified_before_close"):  # a closed one gives nothing away but its name
                looking.unread(index)
                continue
            await _look(client, index, looking)
    return looking.end()


async def _look(client: Any, index: str, looking: Looking) -> None:
    piece, after = looking.pieces(index), None
    kept = (await client.open_point_in_time(index=index, keep_alive=_KEPT))["id"]
    try:
        while True:
            pit = {"id": kept, "keep_alive": _KEPT}
            asked = {"pit": pit, "size": _AT_ONCE, "sort": ["_shard_doc"], "track_total_hits": False, "version": False}
            answer = await client.search(**asked, **({"search_after": after} if after else {}))
            hits = answer["hits"]["hits"]
            if not hits:
                return
            for hit in hits:
                piece(msgspec.json.encode([hit["_id"], hit.get("_routing"), hit["_source"]]) + b"\n")
            after, kept = hits[-1]["sort"], answer["pit_id"]
    finally:
        await client.close_point_in_time(id=kept)
