"""What statements become on a ClickHouse cluster."""

from importlib.resources import files

import pytest

from entrepot.base.errors import BadInputError
from entrepot.engines.clickhouse_connection import cluster_of
from entrepot.engines.columns.clickhouse_cluster import statements

SHAPE = files("entrepot.projections.sales_facts").joinpath("shape.sql").read_text(encoding="utf-8")


def test_a_table_becomes_a_replicated_one_on_every_shard_under_a_distributed_one() -> None:
    local, over = statements(SHAPE, "sales_facts_g1", "eu")
    assert "CREATE TABLE IF NOT EXISTS `sales_facts_g1_local` ON CLUSTER 'eu' (" in local
    assert "ENGINE = ReplicatedReplacingMergeTree(version, is_deleted)" in local
    assert over.endswith("ENGINE = Distributed('eu', currentDatabase(), 'sales_facts_g1_local', cityHash64(id))")


def test_both_tables_go_when_one_is_dropped() -> None:
    told = statements("DROP TABLE IF EXISTS {table} SYNC", "a_g1", "eu")
    assert told == [
        "DROP TABLE IF EXISTS `a_g1` ON CLUSTER 'eu' SYNC",
        "DROP TABLE IF EXISTS `a_g1_local` ON CLUSTER 'eu' SYNC",
    ]


def test_rows_are_deleted_where_they_lie() -> None:
    [told] = statements("DELETE FROM {table} WHERE id IN {ids:Array(String)}", "a_g1", "eu")
    assert told == "DELETE FROM `a_g1_local` ON CLUSTER 'eu' WHERE id IN {ids:Array(String)}"


def test_what_inserts_goes_through_the_distributed_table() -> None:
    assert statements("INSERT INTO {table} SELECT 1", "a_g1", "eu") == ["INSERT INTO `a_g1` SELECT 1"]


def test_a_cluster_is_named_in_the_url_by_a_plain_name() -> None:
    assert cluster_of("clickhouse://user:secret@host/db?cluster=eu-1") == "eu-1"
    assert cluster_of("clickhouse://user:secret@host/db") == ""
    with pytest.raises(BadInputError, match="cluster is called"):
        cluster_of("clickhouse://host/db?cluster=a%27b")
