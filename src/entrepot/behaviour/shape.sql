-- One row for each thing that a shopper did; see events.py. A row that comes again replaces itself: its id is all of its key,
-- for the moment is the id's own.
CREATE TABLE IF NOT EXISTS {table} (
    id UUID,
    at DateTime64(3, 'UTC') MATERIALIZED UUIDv7ToDateTime(id, 'UTC') CODEC(Delta, ZSTD(1)),
    kind LowCardinality(String),
    who String CODEC(ZSTD(1)),
    market LowCardinality(String),
    page LowCardinality(String),
    product_id Nullable(UUID) CODEC(ZSTD(1)),
    words String CODEC(ZSTD(1)),
    results Nullable(UInt32),
    position Nullable(UInt32),
    order_id Nullable(UUID) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, id)
TTL toDateTime(at) + INTERVAL {days} DAY
SETTINGS non_replicated_deduplication_window = 1000
