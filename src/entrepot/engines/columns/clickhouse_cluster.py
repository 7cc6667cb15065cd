"""The form of tables on a ClickHouse cluster: replicated on every shard, under a distributed one of the plain name. Pure.

https://clickhouse.com/docs/engines/table-engines/special/distributed. An item's id picks its shard, so that whatever replaces
a row meets it there, and FINAL is right shard by shard. Paths and replicas' names are the servers' own
(``default_replica_path``, their macros). Where a table is written through, an insert is answered once the shards have it, and
most replicas of each.
"""

from collections.abc import Mapping

# What every statement of a client of a cluster runs with.
SETTINGS: Mapping[str, object] = {
    "distributed_foreground_insert": 1,
    "insert_quorum": "auto",
    "insert_quorum_parallel": 1,
    "lightweight_deletes_sync": 2,
    "distributed_ddl_output_mode": "none",
}

_CREATE, _ENGINE = "CREATE TABLE IF NOT EXISTS {table} (", "ENGINE = "


def statements(sql: str, table: str, cluster: str) -> list[str]:
    """Return what a statement on ``{table}`` becomes on a cluster; what reads or inserts stays as it is."""
    plain, local = f"`{table}`", f"`{table}_local`"
    if _CREATE in sql:
        key = "cell" if "cell Int32" in sql else "id"
        made = sql.replace(_CREATE, f"CREATE TABLE IF NOT EXISTS {local} ON CLUSTER '{cluster}' (", 1)
        over = f"Distributed('{cluster}', currentDatabase(), {local[1:-1]!r}, cityHash64({key}))"
        return [
            made.replace(_ENGINE, f"{_ENGINE}Replicated", 1),
            f"CREATE TABLE IF NOT EXISTS {plain} ON CLUSTER '{cluster}' AS {local} ENGINE = {over}",
        ]
    if sql.startswith("DROP TABLE"):
        return [sql.replace("{table}", f"{name} ON CLUSTER '{cluster}'") for name in (plain, local)]
    if sql.startswith(("DELETE FROM", "ALTER TABLE")):
        return [sql.replace("{table}", f"{local} ON CLUSTER '{cluster}'")]
    return [sql.replace("{table}", plain)]
