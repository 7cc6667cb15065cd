-- One row for each line and charge of an order as it was placed, cancelled or returned; see project.py.
--
-- Sorted by id, "order/<uuid>/<version>/<line>", whose uuid begins with the time the order was placed: new rows go to the end.
-- Partitioned by the first four digits of that uuid, which are 49.7 days (2^32 ms): a row's partition follows from its id
-- alone, so that whatever replaces a row (also a tombstone, which has no other column) meets it in the same partition.
CREATE TABLE IF NOT EXISTS {table} (
    id String CODEC(ZSTD(1)),
    version UInt64,
    is_deleted UInt8,
    order_id Nullable(UUID) CODEC(ZSTD(1)),
    fact LowCardinality(String),
    kind LowCardinality(String),
    at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    market LowCardinality(String),
    country LowCardinality(String),
    currency LowCardinality(String),
    customer_id Nullable(UUID) CODEC(ZSTD(1)),
    product_id Nullable(UUID),
    variant_id Nullable(UUID),
    category_id Nullable(UUID),
    sku String,
    warehouse LowCardinality(String),
    quantity Int64,
    amount_minor Int64,
    INDEX at_range at TYPE minmax
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY substring(id, 7, 4)
ORDER BY id
SETTINGS non_replicated_deduplication_window = 1000
