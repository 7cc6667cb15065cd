"""Every node and every edge of every database of a Neo4j, with all that they hold, and the names of what there is."""

from collections.abc import Mapping

import msgspec
from neo4j import READ_ACCESS, AsyncDriver, AsyncGraphDatabase
from neo4j.exceptions import ClientError

from entrepot.base.limits import CONNECT_SECONDS_MAX
from entrepot.engines.graph.neo4j_connection import address
from entrepot.privacy.scan.looking import Looked, Looking
from entrepot.privacy.scan.needles import Needles

_DATABASES = "SHOW DATABASES YIELD name, type WHERE type <> 'system' RETURN DISTINCT name"
_EVERYTHING: Mapping[str, str] = {
    "nodes": "MATCH (n) RETURN labels(n) AS what, properties(n) AS held",
    "edges": "MATCH ()-[e]->() RETURN [type(e)] AS what, properties(e) AS held",
    "names": "CALL db.propertyKeys() YIELD propertyKey RETURN [propertyKey] AS what, {} AS held",
}
_AT_ONCE = 1_000


async def search(source: str, url: str, needles: Needles) -> Looked:
    """Search a server."""
    looking, where = Looking(source, needles, ids=True), address(url)
    driver = AsyncGraphDatabase.driver(
        where.uri,
        auth=(where.user, where.password),
        ssl_context=where.trust,
        connection_timeout=CONNECT_SECONDS_MAX,
        notifications_min_severity="OFF",
    )
    async with driver:
        for database in await _databases(driver, where.database):
            for what, cypher in _EVERYTHING.items():
                piece = looking.pieces(f"{database or 'the database'}: {what}")
                async with driver.session(database=database, default_access_mode=READ_ACCESS, fetch_size=_AT_ONCE) as session:
                    async for row in await session.run(cypher):
                        piece(msgspec.json.encode([row["what"], row["held"]], enc_hook=str) + b"\n")
    return looking.end()


async def _databases(driver: AsyncDriver, ours: str | None) -> list[str | None]:
    try:
        found, _, _ = await driver.execute_query(_DATABASES, database_="system")
    except ClientError:  # who may use one database alone, and servers that have but one
        return [ours]
    return [row["name"] for row in found]
