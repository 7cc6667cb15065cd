-- What lies in one warehouse, for who looks at a seller's or a supplier's stock.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Of columns that never change: what the hot path writes to a level stays on its page, and no entry is written here for it.
-- A partitioned table cannot be indexed concurrently; its partitions are small.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX level_of_a_warehouse ON stock.level (cell, warehouse);
